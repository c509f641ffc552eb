import ChainBase
import ChainHost
import Testing

/// Runs one chainlet `Main` whose `run` has this body; `deps` are declared before it.
func runMain(
  _ body: String, spec: String = "input = {}, output = t.any", before: String = "", _ input: ChainValue = [:],
  _ options: LoadOptions = LoadOptions()
) async throws -> ChainValue {
  let source = """
    local chain = require "chain"
    local t = chain.types
    \(before)
    local Main = chain.chainlet "Main" { \(spec) }
    function Main:run(req)
    \(body)
    end
    return Main
    """
  return try await withChain(source, options) { try await $0.run(input) }
}

func failureOfMain(_ body: String, spec: String = "input = {}, output = t.any", before: String = "") async -> Failure? {
  do {
    let value = try await runMain(body, spec: spec, before: before)
    Issue.record("it returned \(value)")
    return nil
  } catch { return error as? Failure }
}

@Suite("At once")
struct TaskTests {
  @Test("map keeps order and runs at most `limit` at once")
  func mapKeepsOrder() async throws {
    let value = try await runMain("""
      local running, most = 0, 0
      local list = {}
      for i = 1, 20 do list[i] = i end
      local out = chain.map(list, function(i)
        running = running + 1
        most = math.max(most, running)
        chain.sleep(0.001 * (i % 3))
        running = running - 1
        return i * 2
      end, { limit = 5 })
      return { most = most, first = out[1], last = out[20], n = #out }
      """)
    #expect(value["most"] == 5)
    #expect(value["first"] == 2)
    #expect(value["last"] == 40)
    #expect(value["n"] == 20)
  }

  @Test("a nil result in map is an error that points to each")
  func mapNil() async {
    let failure = await failureOfMain("return chain.map({ 1 }, function() end)")
    #expect(failure?.message.contains("chain.map: the function returned nothing for item 1; return a value, or use chain.each") == true)
  }

  @Test("the first failure of map cancels the siblings, waits for them, then raises, inside pcall too")
  func mapFailure() async throws {
    let value = try await runMain("""
      local log = {}
      local ok, err = pcall(chain.map, { 1, 2, 3 }, function(i)
        local x <close> = setmetatable({}, { __close = function() log[#log + 1] = "closed " .. i end })
        if i == 2 then error("no", 0) end
        chain.sleep(10)
      end)
      return { ok = ok, message = err.message, log = log }
      """)
    #expect(value["ok"] == false)
    #expect(value["message"] == "no")
    #expect(value["log"] == ["closed 2", "closed 1"]) // the third had not begun
  }

  @Test("settle never raises, all returns the keys, race the first success")
  func groups() async throws {
    let settled = try await runMain("""
      local r = chain.settle({ 1, 2 }, function(i) if i == 2 then error("bad", 0) end return i end)
      return { a = r[1].ok, v = r[1].value, b = r[2].ok, e = r[2].error.message }
      """)
    #expect(settled == ["a": true, "v": 1, "b": false, "e": "bad"] || settled["e"] == "bad")
    let all = try await runMain("return chain.all { x = function() chain.sleep(0.01) return 1 end, y = function() return 2 end }")
    #expect(all["x"] == 1 && all["y"] == 2)
    let race = try await runMain("""
      local k, v = chain.race { slow = function() chain.sleep(5) return 1 end, bad = function() error("x") end, quick = function() chain.sleep(0.005) return 2 end }
      return { k, v }
      """)
    #expect(race == ["quick", 2])
    let lost = await failureOfMain("return chain.race { a = function() error('one', 0) end }")
    #expect(lost?.message == "one")
  }

  @Test("async gives a task that is awaited; it ends with its call")
  func asyncTasks() async throws {
    let value = try await runMain("""
      local a = chain.async(function() chain.sleep(0.01) return 1, 2 end)
      local b = chain.async(function() chain.sleep(100) end)
      local x, y = a:await()
      b:cancel()
      return { x, y }
      """)
    #expect(value == [1, 2])
    let unawaited = await failureOfMain("chain.async(function() error('lost', 0) end) chain.sleep(0.01) return 1")
    #expect(unawaited?.message == "lost")
    _ = try await runMain("chain.async(function() chain.sleep(100) end) return 1")
  }

  @Test("timeout raises an ordinary failure outside of its boundary")
  func timeout() async throws {
    let value = try await runMain("""
      local ok, err = pcall(chain.timeout, 0.01, function() pcall(chain.sleep, 10) return "swallowed" end)
      local fine = chain.timeout(5, function() return 7 end)
      return { ok, err.code, fine }
      """)
    #expect(value == [false, "timeout", 7])
  }

  @Test("a call's timeout ends the callee and is a failure for the caller")
  func callTimeout() async throws {
    let value = try await runMain("""
      local ok, err = pcall(self.slow, {}, { timeout = 0.02 })
      return { ok, err.code }
      """, spec: "input = {}, output = t.any, needs = { slow = Slow }", before: """
      local Slow = chain.chainlet "Slow" { input = {} }
      function Slow:run() while true do pcall(chain.sleep, 1) end end
      """)
    #expect(value == [false, "timeout"])
  }

  @Test("retries repeat a failure that may be retried, and no other")
  func retries() async throws {
    let before = """
      local Flaky = chain.chainlet "Flaky" { input = { left = t.integer, retry = t.boolean }, output = t.integer }
      function Flaky:run(req)
        self.n = (self.n or 0) + 1
        if self.n <= req.left then error(chain.failure { code = "busy", message = "not yet", retry = req.retry }) end
        return self.n
      end
      """
    let spec = "input = {}, output = t.any, needs = { flaky = Flaky:with { retries = 3 } }"
    #expect(try await runMain("return self.flaky { left = 2, retry = true }", spec: spec, before: before) == 3)
    let failure = await failureOfMain("return self.flaky { left = 2, retry = false }", spec: spec, before: before)
    #expect(failure?.code == "busy")
  }

  @Test("try gives the value, or nil and a failure for plain errors too")
  func tryFunction() async throws {
    let value = try await runMain("""
      local a = chain.try(function(x) return x + 1 end, 1)
      local b, err = chain.try(function() error("plain", 0) end)
      local c, e2 = chain.try(function() chain.sleep(0.001) local x = nil; return x.y end)
      return { a, b == nil, err.code, err.message, e2.code }
      """)
    #expect(value == [2, true, "failed", "plain", "failed"])
  }

  @Test("a mutex guards self across waits")
  func mutex() async throws {
    let value = try await runMain("""
      local m, inside, most = chain.mutex(), 0, 0
      chain.each({ 1, 2, 3, 4 }, function()
        local held <close> = m:lock()
        inside = inside + 1
        most = math.max(most, inside)
        chain.sleep(0.002)
        inside = inside - 1
      end)
      return most
      """)
    #expect(value == 1)
  }

  @Test("waits work at any depth: coroutines, pcall, metamethods, iterators, comparators, callbacks; not below a C function")
  func depth() async throws {
    let value = try await runMain("""
      local function w(x) chain.sleep(0) return x end
      local gen = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(w(i)) end end)
      local sum = 0
      for i in gen do sum = sum + i end
      local mt = setmetatable({}, { __add = function() return w(10) end, __index = function(_, k) return w(k) end })
      local sorted = { 3, 1, 2 }
      table.sort(sorted, function(a, b) w(1) return a < b end)
      local text = ("a b"):gsub("%a", function(c) return w(c:upper()) end) .. tostring(setmetatable({}, { __tostring = function() return w("!") end }))
      text = text .. ("%s %3s"):format(setmetatable({}, { __tostring = function() return w("?") end }), 7)
      local slow = { __lt = function() return w(true) end }
      local ok, err = pcall(math.max, setmetatable({}, slow), setmetatable({}, slow))
      local ok2, v = pcall(function() return w(5) end)
      return { sum, mt + 1, mt.hey, table.concat(sorted), text, ok, tostring(err):match("cannot wait here") , v }
      """)
    #expect(value == [6, 10, "hey", "123", "A B!?   7", false, "cannot wait here", 5])
  }

  @Test("two calls that wait for each other's lock fail with deadlock within two seconds, a bystander succeeds")
  func deadlock() async throws {
    let value = try await runMain("""
      local a, b = chain.mutex(), chain.mutex()
      local r = chain.settle({ 1, 2, 3 }, function(i)
        if i == 3 then chain.sleep(0.1) return "fine" end
        local first <close> = (i == 1 and a or b):lock()
        chain.sleep(0.01)
        local second <close> = (i == 1 and b or a):lock()
        return "through " .. i
      end)
      local codes = {}
      for i, e in ipairs(r) do codes[i] = e.ok and e.value or e.error.code end
      return codes
      """)
    #expect(value == ["through 1", "deadlock", "fine"] || value == ["deadlock", "through 2", "fine"])
  }

  @Test("a serial callee that calls back into itself through a ring is refused at load or fails with deadlock")
  func fanOutOverSerial() async throws {
    let value = try await runMain("""
      local list = {}
      for i = 1, 1000 do list[i] = i end
      return #chain.map(list, function(i) return self.serial { i = i } end, { limit = 1000 })
      """, spec: "input = {}, output = t.any, needs = { serial = Serial }", before: """
      local Serial = chain.chainlet "Serial" { input = { i = t.integer }, output = t.integer, scaling = { concurrency = 1 } }
      function Serial:run(req)
        assert(not self.busy)
        self.busy = true
        if req.i % 100 == 0 then chain.sleep(0.001) end
        self.busy = false
        return req.i
      end
      """)
    #expect(value == 1000)
  }

  @Test("context tells of the request; background work outlives it")
  func contextAndBackground() async throws {
    let value = try await runMain("""
      local c = chain.context()
      chain.background(function() chain.sleep(0.001) end)
      return { c.entry, c.version, #c.trace_id, type(c.id), c.remaining() == nil }
      """)
    #expect(value == ["Main", 1, 32, "string", true])
  }

  @Test("the names of all and race are short: they are sorted")
  func longNames() async {
    let failure = await failureOfMain("return chain.all { [('n'):rep(256)] = function() end, [('m'):rep(257)] = function() end }")
    #expect(failure?.message.contains("chain.all: a function's name has at most 256 bytes, got one of 257") == true)
  }

  @Test("describe gives name, doc and schema of each need of a group")
  func describe() async throws {
    let value = try await runMain("""
      local d = chain.describe(self.tools)
      table.sort(d, function(a, b) return a.name < b.name end)
      return { #d, d[1].name, d[1].doc, d[1].schema.properties.q.type }
      """, spec: "input = {}, output = t.any, needs = { tools = { search = Search, sum = Sum } }", before: """
      local Search = chain.chainlet "Search" { input = { q = t.string }, doc = "Finds." }
      function Search:run() end
      local Sum = chain.chainlet "Sum" { input = {} }
      function Sum:run() end
      """)
    #expect(value == [2, "search", "Finds.", "string"])
  }

  @Test("cancelling the Swift task cancels the request, whatever pcall it has")
  func cancellation() async throws {
    let source = """
      local chain = require "chain"
      local Main = chain.chainlet "Main" { input = {} }
      function Main:run() while true do pcall(chain.sleep, 0.01) end end
      return Main
      """
    try await withChain(source) { chain in
      let task = Task { try await chain.run([:]) }
      try await Task.sleep(for: .milliseconds(30))
      task.cancel()
      let result = await task.result
      guard case .failure(let error) = result else { return #expect(Bool(false)) }
      #expect((error as? Failure)?.code == "cancelled")
    }
  }
}
