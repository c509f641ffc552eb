import ChainBase
import ChainHost
import ChainTesting
import Testing

/// Runs `Main`, whose `run` has this body, in the simulation: `os.clock` is virtual time there.
private func simulate(
  _ body: String, needs: String = "", before: String = "", seed: UInt64 = 1, _ input: ChainValue = [:]
) throws -> ChainValue {
  let source = """
    local chain = require "chain"
    local t = chain.types
    local function list(n) local l = {} for i = 1, n do l[i] = i end return l end
    \(before)
    local Main = chain.chainlet "Main" { input = { n = t.optional(t.integer) }, output = t.any, needs = { \(needs) } }
    function Main:run(req)
    \(body)
    end
    return Main
    """
  let environment = SimulatedEnvironment(seed: seed)
  return try environment.run {
    let host = ChainHost(environment: environment)
    let chain = try await host.load(files: ["graph.lua": source])
    let value = try await chain.run(input)
    await host.shutdown()
    return value
  }
}

private let serialWriter = """
  local Writer = chain.chainlet "Writer" {
    input = { n = t.integer }, output = t.stream(t.integer, t.string), scaling = { concurrency = 1 },
  }
  function Writer:run(req, emit) for i = 1, req.n do emit(i) end return "done" end
  """

/// What the properties found, each as the smallest program that showed it.
@Suite("What the properties found")
struct PropertyFindings {
  @Test("a group that fails while it still starts items lets its caller go on once")
  func failingLargeGroup() throws {
    let value = try simulate("""
      local ok = pcall(chain.map, list(100), function(i) error("no", 0) end)
      local begun = os.clock()
      chain.sleep(1)
      return { ok, os.clock() - begun >= 1 }
      """)
    #expect(value == [false, true])
  }

  @Test("a stream whose writer still waits for a slot can be closed")
  func closeQueuedWriter() throws {
    let value = try simulate("""
      local first = self.writer { n = 100 }
      first()
      local second = self.writer { n = 1 }
      second:close()
      return first()
      """, needs: "writer = Writer", before: serialWriter)
    #expect(value == 2)
  }

  @Test("closing a stream wakes the task that waits for its next item")
  func closeWhileRead() throws {
    let value = try simulate("""
      local s = chain.stream(function(emit) chain.sleep(100) end)
      local task = chain.async(function() return s() == nil end)
      chain.sleep(0.01)
      s:close()
      return task:await()
      """)
    #expect(value == true)
  }

  @Test("a stream that had ended is handed on without its result, and the reader's state stays whole")
  func handOnEnded() throws {
    let value = try simulate("""
      local sum = 0
      for i = 1, 20 do
        local s = self.writer { n = 5 }
        chain.sleep(0.01)
        sum = sum + self.sum { xs = s }
      end
      return sum
      """, needs: "writer = Writer, sum = Sum", before: serialWriter + """

        local Sum = chain.chainlet "Sum" { input = { xs = t.stream(t.integer) }, output = t.integer }
        function Sum:run(req)
          local sum = 0
          for x in req.xs do sum = sum + x end
          return sum
        end
        """)
    #expect(value == 300)
  }

  @Test("thousands of queued calls that fail as they start do so one after the other")
  func queuedBadInputs() throws {
    let value = try simulate("""
      local results = chain.settle(list(4000), function(i) return self.serial { i = i == 1 and 1 or "no" } end, { limit = 4000 })
      local bad = 0
      for _, r in ipairs(results) do if not r.ok and r.error.code == "bad_input" then bad = bad + 1 end end
      return bad
      """, needs: "serial = Serial", before: """
        local Serial = chain.chainlet "Serial" { input = { i = t.integer }, output = t.integer, scaling = { concurrency = 1 } }
        function Serial:run(req) chain.sleep(0.01) return 1 end
        """)
    #expect(value == 3999)
  }

  @Test("a task that was cancelled before it asked is answered")
  func cancelledBefore() async throws {
    try await withChain("""
      local chain = require "chain"
      local t = chain.types
      local Main = chain.chainlet "Main" { input = {} }
      function Main:run() while true do chain.sleep(1) end end
      local Words = chain.chainlet "Words" { input = {}, output = t.stream(t.integer) }
      function Words:run(req, emit) chain.sleep(1000) end
      return { main = Main, words = Words }
      """) { chain in
      let task = Task {
        while !Task.isCancelled { await Task.yield() }
        return try await chain.run([:], .init(entry: "main"))
      }
      let reader = Task {
        while !Task.isCancelled { await Task.yield() }
        for try await _ in try chain.stream([:], .init(entry: "words")) {}
      }
      task.cancel()
      reader.cancel()
      await #expect(throws: Failure.self) { try await task.value }
      await #expect(throws: Failure.self) { try await reader.value }
    }
  }

  @Test("whoever asks a host that has stopped is told")
  func afterShutdown() async throws {
    let host = ChainHost()
    let chain = try await host.load(files: ["graph.lua": hello])
    await host.shutdown()
    await #expect(throws: Failure.self) { try await chain.run(["names": ["Ada"]]) }
    await #expect(throws: Failure.self) { try await host.load(files: ["graph.lua": hello]) }
    await chain.close()
    await host.shutdown()
  }

  @Test("background work ends before its state is closed")
  func backgroundAtShutdown() async throws {
    let lines = Lines()
    try await withChain("""
      local chain = require "chain"
      local Main = chain.chainlet "Main" { input = {} }
      function Main:run() chain.background(function() chain.sleep(0.05) print("background") end) end
      function Main:close() print("close") end
      return Main
      """, log: { lines.add($0.message) }) { _ = try await $0.run([:]) }
    #expect(await lines.all == ["background", "close"])
  }

  @Test("what ends starts nothing new")
  func closerStartsTask() throws {
    let value = try simulate("""
      local ok, err = pcall(chain.timeout, 0.01, function()
        local c <close> = setmetatable({}, { __close = function()
          chain.async(function() while true do chain.sleep(0.001) end end)
        end })
        chain.sleep(10)
      end)
      return { ok, err.code }
      """)
    #expect(value == [false, "timeout"])
  }

  @Test("an init that fails, and one that is stopped, leave nothing behind")
  func failingInit() async throws {
    let host = ChainHost()
    let failing = "local chain = require 'chain' local M = chain.chainlet 'M' { input = {} } function M:init() error('no', 0) end function M:run() end return M"
    for _ in 0..<3 { await #expect(throws: Failure.self) { try await host.load(files: ["graph.lua": failing]) } }
    let slow = failing.replacing("error('no', 0)", with: "chain.sleep(50)")
    let loading = Task { try await host.load(files: ["graph.lua": slow]) }
    try await Task.sleep(for: .milliseconds(50))
    await host.shutdown()
    guard case .failure = await loading.result else { return #expect(Bool(false)) }
  }

  @Test("many rings at once all fail within two seconds")
  func manyRings() throws {
    let value = try simulate("""
      local begun = os.clock()
      local results = chain.settle(list(20), function(i)
        local m = chain.mutex()
        local h <close> = m:lock()
        local again <close> = m:lock()
      end)
      local dead = 0
      for _, r in ipairs(results) do if not r.ok and r.error.code == "deadlock" then dead = dead + 1 end end
      return { dead, os.clock() - begun < 2 }
      """)
    #expect(value == [20, true])
  }

  @Test("retries of a streaming call are not left to the next call")
  func retriesOfStream() throws {
    let value = try simulate("""
      local s = self.writer({ n = 1 }, { retries = 3 })
      s()
      local ok = pcall(self.flaky, {})
      return { ok, self.flaky {} }
      """, needs: "writer = Writer, flaky = Flaky", before: serialWriter + """

        local Flaky = chain.chainlet "Flaky" { input = {}, output = t.integer }
        function Flaky:run()
          self.n = (self.n or 0) + 1
          if self.n == 1 then error(chain.failure { code = "busy", retry = true }) end
          return self.n
        end
        """)
    #expect(value == [false, 2])
  }
}

/// Lines of a log, from any thread.
private final class Lines: Sendable {
  private let stream: AsyncStream<String>
  private let continuation: AsyncStream<String>.Continuation
  init() { (stream, continuation) = AsyncStream.makeStream() }
  func add(_ line: String) { continuation.yield(line) }
  var all: [String] {
    get async {
      continuation.finish()
      var all: [String] = []
      for await line in stream { all.append(line) }
      return all
    }
  }
}
