import ChainBase
import ChainHost
import ChainTesting
import Testing

/// What one call can pile up or keep busy with tasks, streams, locks and background work.
@Suite("Bounds of tasks", .serialized)
struct BoundedTasksTests {
  private static let slow = """
    local Slow = chain.chainlet "Slow" { input = {}, output = t.any, scaling = { concurrency = 1 } }
    function Slow:run() chain.sleep(8) return 1 end
    local Free = chain.chainlet "Free" { input = {}, output = t.any }
    function Free:run() chain.sleep(8) return 1 end
    local Writer = chain.chainlet "Writer" { input = { n = t.integer }, output = t.stream(t.integer, t.integer) }
    function Writer:run(req, emit)
      for i = 1, req.n do emit(i) end
      return req.n
    end
    """

  private static func run(_ body: String, limits: String = "") async throws -> ChainValue {
    let needs = "needs = { slow = Slow, bounded = Free:with { concurrency = 1 }, writer = Writer }"
    return try await runMain(body, spec: "input = {}, output = t.any, limits = { \(limits) }, \(needs)", before: slow)
  }

  @Test("a timeout gives 250 results and no more, and so does a task")
  func results() async throws {
    let value = try await Self.run("""
      local function give(n) return function() return table.unpack({}, 1, n) end end
      local ok, failure = pcall(chain.timeout, 1, give(251))
      local task = chain.async(give(251))
      local ok, other = pcall(task.await, task)
      return { select("#", chain.timeout(1, give(250))), select("#", chain.async(give(250)):await()), failure.message, other.message }
      """)
    #expect(value == [
      250, 250, "chain.timeout: expected at most 250 results, got 251; return them in a table",
      "chain.async: expected at most 250 results, got 251; return them in a table",
    ])
  }

  @Test("every waiter of a task gets its values, in order of asking; one that gave up gets none")
  func waiters() async throws {
    let value = try await Self.run("""
      local task = chain.async(function() chain.sleep(0.02) return "a", nil, "c" end)
      local order = {}
      local results = chain.map({ 1, 2, 3, 4 }, function(i)
        if i == 2 then return pcall(chain.timeout, 0.001, function() task:await() end) end
        local a, b, c = task:await()
        order[#order + 1] = i
        return a .. tostring(b) .. c
      end)
      return { results, order }
      """)
    #expect(value == [["anilc", false, "anilc", "anilc"], [1, 3, 4]])
  }

  @Test("the first failure that nobody awaited fails the call, also when its task was collected long before")
  func unobserved() async {
    let failure = await failureOfMain("""
      for i = 1, 3 do chain.async(function() error("number " .. i, 0) end) end
      chain.sleep(0)
      for i = 1, 200 do local garbage = ("x"):rep(100000) .. i end
      chain.sleep(0)
      return 1
      """)
    #expect(failure?.message == "number 1")
  }

  @Test("a stream that nothing refers to is closed: its writer unwinds")
  func forgotten() async throws {
    let value = try await Self.run("""
      local begun, closed = 0, 0
      local function note() closed = closed + 1 end
      for i = 1, 20 do
        chain.stream(function(emit)
          begun = begun + 1
          local x <close> = setmetatable({}, { __close = note })
          while true do emit(1) end
        end)
        chain.sleep(0)
      end
      for i = 1, 100000 do
        if closed == begun then return begun == 20 end
        local garbage = { ("x"):rep(1000) .. i }
        if i % 100 == 0 then chain.sleep(0) end
      end
      return closed
      """)
    #expect(value == true)
  }

  @Test("a stream that is being read is not forgotten, whoever refers to it")
  func readWithoutHandle() async throws {
    let value = try await Self.run("""
      local function slow(emit)
        for i = 1, 100 do
          local garbage = ("x"):rep(200000) .. i
          chain.sleep(0)
        end
        emit(5)
        return 7
      end
      local item = chain.stream(slow)()
      return { item, (chain.stream(slow)):result(), self.writer { n = 3 }:result() }
      """)
    #expect(value == [5, 7, 3])
  }

  @Test("a writer counts as a task until it ends")
  func writers() async throws {
    let value = try await Self.run("""
      local open = {}
      local ok, failure
      for i = 1, 11 do
        ok, failure = pcall(function() open[i] = self.writer { n = 100 } end)
        assert(ok == (i < 11), i)
      end
      for i = 1, 10 do open[i]:close() end
      chain.sleep(0.001)
      for i = 1, 100 do assert(self.writer { n = 1 }:result() == 1) end
      local _, task = pcall(function() for i = 1, 11 do open[i] = chain.async(function() chain.sleep(1) end) end end)
      return { failure.message, task.message, failure.details, task.details, task.chainlet }
      """, limits: "tasks = 10")
    let told = "the request has as many tasks as limits.tasks of Main allows (10); wait for some of them first"
    let details: ChainValue = ["limit": "limits.tasks", "value": 10]
    #expect(value == [
      .string("graph.lua:17: self.writer: \(told)"), .string("graph.lua:23: chain.async: \(told)"), details, details, "Main",
    ])
  }

  @Test("thousands that wait are cancelled: for a slot, behind a bound, for a lock",
    arguments: ["self.slow {}", "self.bounded {}", "mutex:lock()"])
  func cancelled(wait: String) async throws {
    let value = try await Self.run("""
      local mutex = chain.mutex()
      local held = mutex:lock()
      local list = {}
      for i = 1, 4000 do list[i] = i end
      local ok, failure = pcall(chain.timeout, 0.5, function() chain.each(list, function() \(wait) end, { limit = 4000 }) end)
      held:release()
      local again <close> = mutex:lock()
      return failure.code
      """)
    #expect(value == "timeout")
  }

  @Test("a released lock goes to the next that asked; the end of an earlier holder says nothing")
  func locks() async throws {
    let value = try await Self.run("""
      local mutex, order = chain.mutex(), {}
      local first = mutex:lock()
      local tasks = {}
      for i = 1, 3 do
        tasks[i] = chain.async(function()
          local held <close> = mutex:lock()
          order[#order + 1] = i
          first:release()
          chain.sleep(0.001)
          order[#order + 1] = -i
        end)
      end
      chain.sleep(0.001)
      tasks[2]:cancel()
      first:release()
      first:release()
      for i = 1, 3 do pcall(tasks[i].await, tasks[i]) end
      local many = {}
      for i = 1, 100 do many[i] = chain.mutex() end
      local held = {}
      for i = 1, 100 do held[i] = many[i]:lock() end
      for i = 1, 100, 2 do held[i]:release() end
      for i = 1, 100, 2 do local again <close> = many[i]:lock() end
      return order
      """)
    #expect(value == [1, -1, 3, -3])
  }

  @Test("a group whose item is refused memory ends with its call, and not for ever")
  func groupOutOfMemory() async {
    let failure = await failureOfMain("""
      local text = ("x"):rep(1000000)
      local list = {}
      for i = 1, 100 do list[i] = i end
      return #chain.settle(list, function() error(chain.failure { details = { text } }) end)
      """, spec: #"input = {}, output = t.any, limits = { memory = "8MB" }"#)
    #expect(failure?.code == "memory_limit")
  }

  @Test("a ring with thousands behind it is found, and told by its first names")
  func deadlock() async throws {
    let value = try await Self.run("""
      local locks, list, behind = {}, {}, {}
      for i = 1, 100 do locks[i], list[i] = chain.mutex(), i end
      for i = 1, 2000 do behind[i] = i end
      local ok, failure = pcall(chain.all, {
        ring = function()
          chain.each(list, function(i)
            local held <close> = locks[i]:lock()
            chain.sleep(0.01)
            local next <close> = locks[i % 100 + 1]:lock()
          end, { limit = 100 })
        end,
        behind = function()
          chain.sleep(0.02)
          chain.each(behind, function() local held <close> = locks[1]:lock() end, { limit = 2000 })
        end,
      })
      return { failure.code, failure.message }
      """)
    #expect(value[0] == "deadlock")
    #expect(value[1]?.text?.contains("Main → Main → … (100 calls) → Main") == true)
  }

  @Test("a timeout without end is none", arguments: ["math.huge", "1e9", "1e300"])
  func endlessTimeouts(time: String) async throws {
    let value = try await runMain("""
      local one, two = self.writer({ n = 1 }, { timeout = \(time) }):result(), self.patient { n = 2 }:result()
      return { one, two, chain.timeout(\(time), function() return 3 end) }
      """, spec: "input = {}, output = t.any, needs = { writer = Writer, patient = Writer:with { timeout = 1e9 } }", before: Self.slow)
    #expect(value == [1, 2, 3])
  }

  @Test("emit belongs to the call that got it, and to its tasks")
  func foreignEmit() async throws {
    let value = try await runMain("""
      local first = self.keeper { n = 1 }
      local items = { first() }
      for item in self.keeper { n = 2 } do items[#items + 1] = item end
      items[#items + 1] = first()
      return { items, first() == nil }
      """, spec: "input = {}, output = t.any, needs = { keeper = Keeper }", before: """
      local kept
      local Keeper = chain.chainlet "Keeper" { input = { n = t.integer }, output = t.stream(t.any) }
      function Keeper:run(req, emit)
        if req.n == 2 then
          local ok, failure = pcall(kept, "foreign")
          return emit(failure.message)
        end
        kept = emit
        emit("own")
        chain.sleep(0.02)
        chain.async(function() emit("of a task") end):await()
      end
      """)
    #expect(value == [
      ["own", "emit: this stream belongs to another call; only the call that got emit, and its tasks, may use it", "of a task"], true,
    ])
  }

  @Test("background work that starts itself again has an end",
    arguments: ["chain.sleep(1)", "local n = 0 for i = 1, 1000000 do n = n + i end"])
  func background(work: String) throws {
    let source = """
      local chain = require "chain"
      local t = chain.types
      local Main = chain.chainlet "Main" { input = {}, output = t.any, limits = { cpu = 1 } }
      local function again()
        \(work)
        chain.background(again)
      end
      function Main:run() chain.background(again) return 1 end
      return Main
      """
    let environment = SimulatedEnvironment(seed: 1)
    let took = try environment.run {
      let host = ChainHost(environment: environment)
      let chain = try await host.load(files: ["graph.lua": source])
      #expect(try await chain.run([:]) as ChainValue == 1)
      await host.shutdown()
      return environment.now()
    }
    #expect(took <= 32_000_000_000)
  }
}

extension ChainValue {
  fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
  fileprivate subscript(position: Int) -> ChainValue? {
    if case .list(let items) = self, items.indices.contains(position) { items[position] } else { nil }
  }
}
