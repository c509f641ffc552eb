import ChainBase
import ChainHost
import Testing

private let source = """
  local chain = require "chain"
  local t = chain.types
  local Worker = chain.chainlet "Worker" {
    input = { what = t.string }, output = t.integer, limits = { cpu = 0.25, memory = "1MB", time = 20, output = 1000 },
  }
  function Worker:run(req)
    if req.what == "spin" then while true do end end
    if req.what == "fill" then local list = {} while true do list[#list + 1] = {} end end
    if req.what == "wait" then chain.sleep(30) end
    return 1
  end
  local Main = chain.chainlet "Main" { input = { what = t.string }, output = t.any, needs = { worker = Worker } }
  function Main:run(req)
    local ok, failure = pcall(self.worker, { what = req.what })
    if ok then return true end
    local trace = failure.trace[1]
    return {
      code = failure.code, chainlet = failure.chainlet, limit = failure.details.limit, value = failure.details.value,
      place = trace.file .. ":" .. trace.line, retry = failure.retry, named = failure.message:find("graph.lua:%d+") ~= nil,
    }
  end
  return { main = Main, worker = Worker }
  """

@Suite("Errors of limits")
struct LimitErrorTests {
  @Test("tell a program the code, the chainlet, the limit's name and value, and the Lua line", arguments: [
    ("spin", "cpu_limit", "limits.cpu", 0.25, 7), ("fill", "memory_limit", "limits.memory", 1_048_576, 8),
  ])
  func told(what: String, code: String, limit: String, value: Double, line: Int) async throws {
    try await withChain(source) { (chain: Chain) async throws -> Void in
      let told = try await chain.run(["what": .string(what)], .init(entry: "main"))
      #expect(told["code"] == .string(code))
      #expect(told["chainlet"] == "Worker")
      #expect(told["limit"] == .string(limit))
      #expect(told["value"] == .number(value) || told["value"] == .integer(Int64(value)))
      #expect(told["place"] == .string("graph.lua:\(line)"))
      #expect(told["named"] == true)
      #expect(told["retry"] == false)
    }
  }

  /// What a chainlet does with `spin`, a function that loops on the graph's line 4.
  private static let spinners = [
    "chain.map({ 1, 2 }, spin)", "chain.each({ 1, 2 }, spin)", "chain.settle({ 1, 2 }, spin)", "chain.all { a = spin, b = function() chain.sleep(600) end }",
    "chain.race { a = spin, b = function() chain.sleep(600) end }", "chain.timeout(600, spin)", "chain.async(spin):await()",
    "chain.async(spin) chain.sleep(600)", "pcall(chain.map, { 1 }, spin) chain.sleep(600)", "for _ in chain.stream(spin) do end",
    "for _ in chain.map(chain.stream(function(emit) for i = 1, 9 do emit(i) end end), spin) do end",
    "chain.map({ 1 }, function() chain.map({ 1 }, function() chain.map({ 1 }, spin) end) end)",
  ]

  @Test("CPU time that a task has used up ends its call at once, and is told with the task's line", arguments: spinners)
  func cpuOfTask(body: String) async throws {
    let graph = """
      local chain = require "chain"
      local t = chain.types
      local function spin()
        while true do end
      end
      local Main = chain.chainlet "Main" { output = t.any, limits = { cpu = 0.2 } }
      function Main:run() \(body) end
      return Main
      """
    try await withChain(graph) { (chain: Chain) async throws -> Void in
      for _ in 0..<2 { // and the rebuilt state serves
        let told = await failure { _ = try await chain.run([:]) as ChainValue }
        #expect(told?.message == "Main ran for more than its limit of 0.2 s (limits.cpu) at graph.lua:4")
        #expect(told?.trace.first?.place == SourcePlace(file: "graph.lua", line: 4))
      }
    }
  }

  private static func withStrings(_ code: String) -> String {
    """
    local chain = require "chain"
    local json = require "json"
    local Main = chain.chainlet "Main" { output = chain.types.integer, limits = { memory = "200MB" } }
    function Main:run()
      local s = ("a"):rep(10 << 20)
      return #\(code)
    end
    return Main
    """
  }

  @Test("a string that the VM made too long ends the run, and the end is no word about the state's memory", arguments: [
    "(s .. s)", "select(2, pcall(function() return s .. s end))", "coroutine.wrap(function() return s .. s end)()",
    "string.format(('x'):rep(1 << 19) .. '%s', ('a'):rep(16 << 20))",
  ])
  func longString(code: String) async throws {
    let failure = await failure(of: Self.withStrings(code))
    #expect(failure?.code == "memory_limit")
    #expect(failure?.message == "Main made a string longer than the limit of 16 MB for one string at graph.lua:6")
    #expect(failure?.details == ["limit": "string", "value": 16_777_216])
    #expect(failure?.chainlet == "Main")
    #expect(failure?.trace.first?.place == SourcePlace(file: "graph.lua", line: 6))
  }

  @Test("a string that the library would make too long is an error that says how long one may be", arguments: [
    "s:rep(2)", "s:gsub('a', 'aa')", "table.concat { s, s }", "string.pack('zz', s, s)", "string.format('%s%20s', s, s)",
    "string.format('%s%s', s, setmetatable({}, { __tostring = function() return s end }))",
    "json.encode(('\\1'):rep(6 << 20))",
  ])
  func longResult(code: String) async throws {
    let failure = await failure(of: Self.withStrings(code))
    #expect(failure?.code == "failed")
    #expect(failure?.message.hasPrefix("graph.lua:6: resulting string too large: a string may have 16 MB") == true)
  }

  @Test("an item or an output that is too large tells the limit, its value and the chainlet, to the writer and to the reader")
  func largeItem() async throws {
    let graph = """
      local chain = require "chain"
      local t = chain.types
      local Writer = chain.chainlet "Writer" { output = t.stream(t.any), limits = { output = 1000, nodes = 50 } }
      function Writer:run(_, emit)
        local _, failure = pcall(emit, table.pack(("x"):rep(60):byte(1, -1)))
        emit { failure.details.limit, failure.details.value, failure.chainlet }
        emit(("x"):rep(2000))
      end
      local Large = chain.chainlet "Large" { output = t.string, limits = { output = 1000 } }
      function Large:run() return ("x"):rep(2000) end
      local Main = chain.chainlet "Main" { output = t.any, needs = { writer = Writer, large = Large } }
      function Main:run()
        local told = {}
        local _, failure = pcall(function() for item in self.writer {} do told[#told + 1] = item end end)
        local _, large = pcall(self.large, {})
        return { told, failure.code, failure.chainlet, failure.details, failure.trace[1].line, large.chainlet, large.details }
      end
      return { main = Main, writer = Writer }
      """
    let details: ChainValue = ["limit": "limits.output", "value": 1000]
    try await withChain(graph) { (chain: Chain) async throws -> Void in
      let value = try await chain.run([:], .init(entry: "main"))
      #expect(value == [[["limits.nodes", 50, "Writer"]], "output_limit", "Writer", details, 7, "Large", details])
      do {
        for try await _ in try chain.stream([:], .init(entry: "writer")) {}
        Issue.record("it did not end")
      } catch let failure as Failure { #expect(failure.details == details) }
    }
  }

  @Test("a request's own timeout is named as such, with the line that waited")
  func requestTimeout() async throws {
    try await withChain(source) { (chain: Chain) async throws -> Void in
      do {
        _ = try await chain.run(["what": "wait"], .init(entry: "worker", timeout: 500_000_000))
        Issue.record("it did not end")
      } catch let failure as Failure {
        #expect(failure.code == "timeout")
        #expect(failure.message == "Worker did not end within 0.5 s (the timeout of the request) at graph.lua:9")
        #expect(failure.details == ["limit": "the timeout of the request", "value": 0.5])
        #expect(failure.trace.first?.place == SourcePlace(file: "graph.lua", line: 9))
      }
    }
  }

  @Test("a call that waits for a slot when its time is over says so")
  func queuedTimeout() async throws {
    let graph = """
      local chain = require "chain"
      local One = chain.chainlet "One" { scaling = { concurrency = 1 } }
      function One:run() chain.sleep(30) end
      return One
      """
    try await withChain(graph) { (chain: Chain) async throws -> Void in
      let first = Task { try await chain.run([:]) }
      var told: String?
      for _ in 0..<100 where told?.hasSuffix("slot") != true { // the first one may come late
        do {
          _ = try await chain.run([:], .init(timeout: 20_000_000))
        } catch let failure as Failure { told = failure.message }
      }
      #expect(told == "One did not end within 0.02 s (the timeout of the request); it waited for a slot")
      first.cancel()
      _ = try? await first.value
    }
  }

  private static func loading(memory: Int, _ top: String = "") -> String {
    """
    local chain = require "chain"
    local Main = chain.chainlet "Main" { limits = { memory = \(memory) } }
    \(top)
    function Main:run() end
    return Main
    """
  }

  @Test("a memory limit below what a state takes is told as that, wherever it strikes while the chainlet is loaded")
  func smallMemory() async throws {
    var loaded = false
    for memory in stride(from: 1, to: 200_000, by: 1_999) {
      guard let failure = await failure(of: Self.loading(memory: memory)) else {
        loaded = true
        continue
      }
      #expect(failure.code == "memory_limit")
      #expect(failure.message.hasPrefix("Main"))
      #expect(failure.message.contains("limits.memory"))
      #expect(failure.chainlet == "Main")
      #expect(failure.details == ["limit": "limits.memory", "value": .integer(Int64(memory))])
    }
    #expect(loaded)
    let least = await failure(of: Self.loading(memory: 1000))
    #expect(least?.message == "Main: limits.memory (1000 bytes) is too small: a state takes about 30 KB before it does anything")
  }

  @Test("what a file does while it is loaded is ended with the limit and the line", arguments: [
    (
      "local all = {} for i = 1, 1e5 do all[i] = {} end",
      "Main: evaluating graph.lua takes more memory than limits.memory (1 MB) allows at graph.lua:3"
    ),
    (
      "local s = ('a'):rep(10 << 20) s = s .. s",
      "graph.lua:3: loading the files makes a string longer than 16 MB\n  3 | local s = ('a'):rep(10 << 20) s = s .. s\n      ^"
    ),
  ])
  func loading(top: String, told: String) async {
    let failure = await failure(of: Self.loading(memory: 1 << 20, top))
    #expect(failure?.message.hasSuffix(told) == true)
  }

  @Test("overloaded names both bounds and their values")
  func overloaded() async throws {
    let graph = """
      local chain = require "chain"
      local Door = chain.chainlet "Door" { scaling = { concurrency = 2, queue = 3 } }
      function Door:run() chain.sleep(30) end
      return Door
      """
    try await withChain(graph) { (chain: Chain) async throws -> Void in
      let refused = await withTaskGroup(of: Failure?.self) { group in
        for _ in 0..<6 {
          group.addTask {
            do throws(Failure) { _ = try await chain.run([:]) } catch { return error }
            return nil
          }
        }
        let first = await group.next() ?? nil
        group.cancelAll()
        return first
      }
      #expect(refused?.message == "Door is overloaded: 2 requests run (scaling.concurrency) and 3 wait (scaling.queue)")
      #expect(refused?.chainlet == "Door")
      #expect(refused?.details == ["limit": "scaling.queue", "value": 3])
      #expect(refused?.retry == true)
    }
  }

  @Test("state_lost and deadlock name what was kept and how long was waited, with the line that waited")
  func lostAndDeadlocked() async throws {
    let graph = """
      local chain = require "chain"
      local t = chain.types
      local Worker = chain.chainlet "Worker" { input = { what = t.string }, limits = { cpu = 0.5 } }
      function Worker:run(req)
        if req.what == "spin" then while true do end end
        if req.what == "self" then
          local mutex = chain.mutex()
          local one <close> = mutex:lock()
          local two <close> = mutex:lock()
        end
        chain.sleep(30)
      end
      return Worker
      """
    try await withChain(graph) { (chain: Chain) async throws -> Void in
      @Sendable func failure(_ what: String) async -> Failure? {
        do throws(Failure) { _ = try await chain.run(["what": .string(what)]) } catch { return error }
        return nil
      }
      let waiting = Task { await failure("wait") }
      let locked = await failure("self") // takes a second: the other waits by now
      _ = await failure("spin")
      _ = await failure("spin")
      let lost = await waiting.value
      #expect(lost?.code == "state_lost")
      #expect(lost?.message.hasSuffix("one retired state is kept at graph.lua:11") == true)
      #expect(lost?.retry == true)
      #expect(locked?.code == "deadlock")
      #expect(locked?.message == "Worker waits for itself, for more than 1 s: Worker → Worker at graph.lua:9")
      #expect(locked?.trace.first?.place?.line == 9)
    }
  }
}
