import ChainBase
import ChainHost
import ChainLoop
import ChainTesting
import LuaBridge
import Testing

private struct CameraOptions: ChainRecord {
  var id: Int
  var size: [Int]?
}

private struct Picture: ChainRecord, Equatable {
  var width: Int
  var name: String
  var tags: [String]
}

/// What happened to the objects of a test. Any thread.
private final class Diary: Sendable {
  private let lines = Monitor<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func note(_ line: String) { lines.withLock { $0.append(line) } }
}

private final class Camera: Sendable {
  let id: Int
  let diary: Diary
  init(id: Int, diary: Diary) {
    self.id = id
    self.diary = diary
    diary.note("open \(id)")
  }
}

private func cameras(_ diary: Diary) -> PrimitiveModule {
  PrimitiveModule("camera") {
    Primitive("describe") { (picture: Picture) in "\(picture.name): \(picture.width), \(picture.tags.joined(separator: " "))" }
    Primitive("twice") { (picture: Picture) async throws -> [Picture] in [picture, picture] }
    Primitive("count", parameters: ["to"]) { (to: Int) -> AsyncStream<Int> in
      AsyncStream { feed in
        feed.onTermination = { end in if case .cancelled = end { diary.note("left") } }
        for number in 1...max(1, to) { feed.yield(number) }
        if to < 100 { feed.finish() }
      }
    }
    ResourceType("device", options: CameraOptions.self, open: { options in
      if options.id == 13 { throw Failure(code: "no_camera", message: "there is no camera 13") }
      return Camera(id: options.id, diary: diary)
    }, close: { camera in diary.note("close \(camera.id)") })
    .method("name") { (camera: Camera) in "camera \(camera.id)" }
    .method("add") { (camera: Camera, a: Int, b: Int?) async throws -> Int in camera.id + a + (b ?? 0) }
    .stream("frames") { (camera: Camera, count: Int) -> AsyncStream<String> in
      AsyncStream { feed in
        for number in 0..<count { feed.yield("\(camera.id).\(number)") }
        feed.finish()
      }
    }
  }
}

private func graph(_ uses: String, _ body: String, input: String = "{}", modules: String = "local camera = require 'camera'") -> String {
  """
  local chain = require "chain"
  local t = chain.types
  \(modules)
  local Main = chain.chainlet "Main" { input = \(input), output = t.any, uses = { \(uses) } }
  function Main:run(req)
    \(body)
  end
  return Main
  """
}

private func run(_ uses: String, _ body: String, lanes: Int = 1, _ diary: Diary = Diary()) async throws -> ChainValue {
  let host = ChainHost(lanes: lanes)
  host.add(cameras(diary))
  do {
    let chain = try await host.load(files: ["graph.lua": graph(uses, body)])
    let value = try await chain.run([:])
    await host.shutdown()
    return value
  } catch {
    await host.shutdown()
    throw error
  }
}

private func message(_ uses: String, _ body: String = "return 1") async -> String {
  do {
    return "\(try await run(uses, body))"
  } catch { return (error as? Failure)?.message ?? "\(error)" }
}

@Suite("Resources")
struct ResourceTests {
  @Test("an embedder's object is opened before init, used by methods, and closed by the host")
  func device() async throws {
    let diary = Diary()
    let value = try await run("cam = camera.device { id = 4 }", """
      local frames = {}
      for frame in self.cam:frames(2) do frames[#frames + 1] = frame end
      return { self.cam:name(), self.cam:add(1), self.cam:add(1, 5), frames }
      """, diary)
    #expect(value == ["camera 4", 5, 10, ["4.0", "4.1"]])
    #expect(diary.all == ["open 4", "close 4"])
  }

  @Test("one object serves every chainlet, lane and graph that asks for the same options")
  func shared() async throws {
    let diary = Diary()
    let host = ChainHost(lanes: 3)
    host.add(cameras(diary))
    let text = graph("cam = camera.device { id = 1 }", "return self.cam:name()")
    let first = try await host.load(files: ["graph.lua": text])
    let second = try await host.load(files: ["graph.lua": text])
    #expect(try await first.run([:]) == "camera 1")
    await first.close()
    #expect(try await second.run([:]) == "camera 1")
    await second.close()
    for _ in 0..<100 {
      let chain = try await host.load(files: ["graph.lua": text])
      await chain.close()
    }
    #expect((host.resourceTotals.loads, host.resourceTotals.unloads) == (1, 0))
    #expect(host.resources.map(\.phase) == [.idle])
    await host.shutdown()
    #expect(diary.all == ["open 1", "close 1"])
  }

  @Test("past the memory budget, or its grace period, an unused one is closed")
  func freed() async throws {
    let diary = Diary()
    let host = ChainHost()
    host.add(cameras(diary))
    host.resourceGrace = 0
    let chain = try await host.load(files: ["graph.lua": graph("cam = camera.device { id = 1 }", "return self.cam:name()")])
    await chain.close()
    let again = try await host.load(files: ["graph.lua": graph("cam = camera.device { id = 1 }", "return self.cam:name()")])
    #expect(try await again.run([:]) == "camera 1")
    await host.shutdown()
    #expect(diary.all == ["open 1", "close 1", "open 1", "close 1"])
  }

  @Test("what is wrong with a use is said at load, with its place and the nearest name")
  func wrongUses() async {
    #expect(await message("cam = camera.device { idd = 1 }").contains("Main.uses.cam.idd: camera.device has no option 'idd'; did you mean 'id'?"))
    #expect(await message("cam = camera.device { id = 'x' }").contains("Main.uses.cam.id: expected integer, got string (\"x\")"))
    #expect(await message("cam = camera.device {}").contains("camera.device needs the option 'id'"))
    #expect(await message("s = chain.store { max_item = 3 }").contains("chain.store has no option 'max_item'; did you mean 'max_items'?"))
    #expect(await message("s = chain.sqlite {}").contains("there are no resources of the kind chain.sqlite in this program"))
  }

  @Test("a load that fails is an error of the graph, at the place that asked for it")
  func failedLoad() async {
    #expect(await message("cam = camera.device { id = 13 }") == "graph.lua:4: Main.uses.cam: camera.device cannot be loaded: there is no camera 13")
  }

  @Test("a replaced chainlet opens nothing")
  func replaced() async throws {
    let diary = Diary()
    let host = ChainHost()
    host.add(cameras(diary))
    var options = LoadOptions()
    options.replacements["Main"] = { _ in "mock" }
    let chain = try await host.load(files: ["graph.lua": graph("cam = camera.device { id = 13 }", "return self.cam:name()")], options)
    #expect(try await chain.run([:]) == "mock")
    await host.shutdown()
    #expect(diary.all == [])
  }

  @Test("a wrong method, argument or handle is an error at the author's line")
  func wrongCalls() async {
    #expect(await message("cam = camera.device { id = 1 }", "return self.cam:nam()") == "graph.lua:6: camera.device has no 'nam'; did you mean 'name'?")
    #expect(await message("cam = camera.device { id = 1 }", "return self.cam:add('x')")
      == "graph.lua:6: bad argument #1 to 'add': integer expected, got string (\"x\")")
    #expect(await message("cam = camera.device { id = 1 }", "return self.cam.name()")
      .hasPrefix("graph.lua:6: calling 'name' on a bad self: camera.device expected, got no value (call it with a colon)"))
  }

  @Test("records go in and out by Codable, and say which field is wrong")
  func records() async throws {
    let value = try await run("", """
      local both = camera.twice { width = 3, name = "a", tags = { "x", "y" } }
      local _, missing = pcall(camera.describe, { width = 3, name = "a" })
      local _, wrong = pcall(camera.describe, { width = "3", name = "a", tags = {} })
      local _, unknown = pcall(camera.describe, { widht = 3, name = "a", tags = {} })
      return { camera.describe(both[2]), missing, wrong, unknown }
      """)
    #expect(value == [
      "a: 3, x y", "graph.lua:7: bad argument #1 to 'describe': tags: is missing",
      "graph.lua:8: bad argument #1 to 'describe': width: expected an integer from -9223372036854775808 to 9223372036854775807, got string (\"3\")",
      "graph.lua:9: bad argument #1 to 'describe': unknown field 'widht'; did you mean 'width'?",
    ])
  }

  @Test("annotations come from the declaration")
  func annotations() {
    let module = cameras(Diary())
    #expect(module.primitives.map(\.annotation) == [
      "fun(a1: { name: string, tags: string[], width: integer }): string",
      "fun(a1: { name: string, tags: string[], width: integer }): { name: string, tags: string[], width: integer }[]",
      "fun(to: integer): fun(): integer?",
    ])
    #expect(module.annotations.hasSuffix("""
      ---@class camera.device
      ---@field name fun(self: camera.device): string
      ---@field add fun(self: camera.device, a1: integer, a2?: integer): integer
      ---@field frames fun(self: camera.device, a1: integer): fun(): string?

      ---@param options { id: integer, size?: integer[] }
      ---@return camera.device
      function camera.device(options) end

      return camera

      """))
  }

  @Test("a primitive's stream is read by a loop, and let go when the loop is left")
  func streams() async throws {
    let diary = Diary()
    let value = try await run("", """
      local sum = 0
      for n in camera.count(4) do sum = sum + n end
      for n in camera.count(1000) do if n == 3 then break end end
      return sum
      """, diary)
    #expect(value == 10)
    #expect(diary.all == ["left"])
  }

  @Test("calls of primitives and methods are counted and timed by the host")
  func counts() async throws {
    let host = ChainHost()
    host.add(cameras(Diary()))
    let chain = try await host.load(files: ["graph.lua": graph("cam = camera.device { id = 1 }", "return self.cam:add(1) + self.cam:add(2)")])
    #expect(try await chain.run([:]) == 5)
    let count = host.nativeCounts.first { $0.name == "camera.device.add" }
    #expect(count?.calls == 2)
    #expect(count?.failures == 0)
    await host.shutdown()
  }
}

@Suite("Stores and limiters")
struct StoreTests {
  @Test("values are set, added, counted and deleted")
  func values() async throws {
    let value = try await run("s = chain.store {}", """
      local s = self.s
      s:set("a", { x = { 1, 2 }, s = "t" })
      s:set("raw", "\\255\\0")
      return { s:get("a"), s:get("none") == nil, s:add("a", 1), s:add("b", 1), s:incr("n"), s:incr("n", 4), s:incr("n", 0.5),
        s:delete("a"), s:delete("a"), s:get("a") == nil, #s:get("raw") }
      """)
    #expect(value == [["s": "t", "x": [1, 2]], true, false, true, 1, 5, 5.5, true, false, true, 2])
  }

  @Test("the least recently used values go first, and a value has its time")
  func bounds() async throws {
    let value = try await run("s = chain.store { max_items = 2 }", """
      local s = self.s
      s:set("t", 1, 0)
      local gone = s:get("t") == nil
      s:set("a", 1) s:set("b", 2) s:get("a") s:set("c", 3)
      return { s:get("a"), s:get("b") == nil, gone }
      """)
    #expect(value == [1, true, true])
    #expect(await message("s = chain.store { max_bytes = 200 }", "self.s:set('a', ('x'):rep(1000))").contains("max_bytes"))
    #expect(await message("s = chain.store {}", "self.s:set('a', print)").hasPrefix("graph.lua:6: bad argument #2 to 'set': value: expected plain data, got function"))
    #expect(await message("s = chain.store {}", "self.s:set(1, 2)").hasPrefix("graph.lua:6: bad argument #1 to 'set': a key is a string, got integer (1)"))
  }

  @Test("a key is its bytes: texts that look alike are different ones, and so are bytes that are no text")
  func keys() async throws {
    let value = try await run("s = chain.store {}", """
      local s, keys = self.s, { "\\u{E9}", "e\\u{301}", "\\255", "\\254", "", "\\0" }
      for i, key in ipairs(keys) do s:set(key, i) end
      local found = {}
      for i, key in ipairs(keys) do found[i] = s:get(key) end
      return found
      """)
    #expect(value == [1, 2, 3, 4, 5, 6])
  }

  @Test("a key of more than 4 KB is refused by every method")
  func longKeys() async throws {
    let value = try await run("s = chain.store {}", """
      local s, key, long = self.s, ("k"):rep(4096), ("k"):rep(4097)
      s:set(key, 1)
      local said = { s:get(key) }
      for _, method in ipairs { "get", "set", "add", "incr", "delete", "fetch" } do
        local _, why = pcall(s[method], s, long, method ~= "incr" and function() end or 1)
        said[#said + 1] = tostring(why):match("bad argument.*")
      end
      return said
      """)
    let refused = ["get", "set", "add", "incr", "delete", "fetch"].map {
      ChainValue.string("bad argument #1 to '\($0)': a key has at most 4096 bytes, got 4097")
    }
    #expect(value == .list([1] + refused))
  }

  @Test("what is used least goes first, whatever was deleted, set again or expired between")
  func order() async throws {
    let value = try await run("s = chain.store { max_items = 4 }", """
      local s = self.s
      for _, key in ipairs { "a", "b", "c", "d" } do s:set(key, key) end
      s:delete("b") s:set("a", 1) s:set("e", 1, 0) s:get("e") s:get("c") s:set("f", 1) s:set("g", 1)
      local left = {}
      for _, key in ipairs { "a", "b", "c", "d", "e", "f", "g" } do
        if s:get(key) ~= nil then left[#left + 1] = key end
      end
      return left
      """)
    #expect(value == ["a", "c", "f", "g"])
  }

  @Test("the place of what cannot be kept is named, and made only then")
  func places() async throws {
    func refusal(_ value: String) async -> String { await message("s = chain.store {}", "self.s:set('a', \(value))") }
    #expect(await refusal("{ { x = { 1, { y = print } } } }").contains("value[1].x[2].y: expected plain data, got function"))
    #expect(await refusal("{ [('k'):rep(100)] = print }").contains("value[\"\(String(repeating: "k", count: 40))…\"]: expected plain data"))
    #expect(await refusal("{ a = { 1, b = 2 } }").contains("value.a: a table is a list or has names for keys, not both"))
    #expect(await refusal("{ { [1.5] = 1 } }").contains("value[1]: the key number (1.5) belongs to no list without holes"))
    #expect(await refusal("{ [7] = 1 }").contains("value: the key integer (7) belongs to no list without holes"))
    let value = try await run("s = chain.store {}", """
      local list, backwards = {}, {}
      for i = 1, 190000 do list[i] = i end
      for i = 100, 1, -1 do backwards[i] = i end
      self.s:set("long", { [("x"):rep(8000000)] = list })
      self.s:set("backwards", backwards)
      local _, read = next(self.s:get("long"))
      return { #read, read[190000], #self.s:get("backwards"), self.s:get("backwards")[37] }
      """)
    #expect(value == [190000, 190000, 100, 37])
  }

  @Test("a tensor is kept by reference")
  func tensors() async throws {
    let value = try await run("s = chain.store {}", """
      local tensor = require "tensor"
      self.s:set("x", tensor.new { 1, 2, 3 })
      self.s:set("pair", { name = "p", x = tensor.new { { 4 } } })
      return { self.s:get("x"):table(), self.s:get("pair").x:table() }
      """)
    #expect(value == [[1, 2, 3], [[4]]])
  }

  @Test("a tensor larger than what may be copied is kept too, as far as max_bytes goes")
  func largeTensors() async throws {
    let keep = """
      local tensor = require "tensor"
      self.s:set("large", { name = "x", x = tensor.zeros { 5000, 1000 } })
      return #self.s:get("large").x
      """
    #expect(try await run("s = chain.store { max_bytes = 30000000 }", keep) == 5000)
    #expect(await message("s = chain.store { max_bytes = 10000000 }", keep).contains("(max_bytes)"))
  }

  @Test("fetch makes a value once for all who ask meanwhile, on all lanes")
  func fetchOnce() async throws {
    let host = ChainHost(lanes: 2)
    host.add(cameras(Diary()))
    let chain = try await host.load(files: ["graph.lua": graph("s = chain.store {}", """
      return self.s:fetch("key", function(key)
          chain.sleep(0.02)
          return key .. self.s:incr("made")
        end)
      """)])
    let values = try await withThrowingTaskGroup(of: ChainValue.self) { group in
      for _ in 0..<20 { group.addTask { try await chain.run([:]) } }
      return try await group.reduce(into: [ChainValue]()) { $0.append($1) }
    }
    #expect(values == Array(repeating: "key1", count: 20))
    await host.shutdown()
  }

  @Test("when the call that makes a value is ended, one that waits takes over; when it fails, those who wait fail", arguments: 1...20)
  func fetchTakeOver(seed: UInt64) throws {
    let environment = SimulatedEnvironment(seed: seed)
    let value = try environment.run { () -> ChainValue in
      let host = ChainHost(environment: environment)
      let chain = try await host.load(files: ["graph.lua": """
        local chain = require "chain"
        local t = chain.types
        local Maker = chain.chainlet "Maker" {
          input = { key = t.string, who = t.string, after = t.number, takes = t.number, fails = t.boolean { default = false } },
          output = t.string, uses = { s = chain.store {} },
        }
        function Maker:run(req)
          chain.sleep(req.after)
          return self.s:fetch(req.key, function()
            chain.sleep(req.takes)
            if req.fails then error(chain.failure { code = "broken", message = "no" }) end
            return req.who
          end)
        end
        local Main = chain.chainlet "Main" { output = t.any, needs = { make = Maker } }
        function Main:run()
          local calls = {
            function() return self.make({ key = "a", who = "first", after = 0, takes = 100 }, { timeout = 1 }) end,
            function() return self.make { key = "a", who = "second", after = 0.1, takes = 1 } end,
            function() return self.make { key = "b", who = "third", after = 0, takes = 1, fails = true } end,
            function() return self.make { key = "b", who = "fourth", after = 0.1, takes = 1 } end,
          }
          local settled = chain.settle(calls, function(call) return call() end)
          local said = {}
          for i, one in ipairs(settled) do said[i] = one.ok and one.value or one.error.code end
          return said
        end
        return Main
        """])
      let value = try await chain.run([:])
      await host.shutdown()
      return value
    }
    #expect(value == ["timeout", "second", "broken", "broken"])
  }

  @Test("a function that fetches the key whose value it makes fails at once, and the key is free", .timeLimit(.minutes(1)))
  func fetchesItself() async throws {
    let value = try await run("s = chain.store {}", """
      local s = self.s
      local function nested() return s:fetch("own", function() return 1 end) end
      local inside = coroutine.wrap(function() return s:fetch("held", coroutine.yield) end)
      local _, first = pcall(s.fetch, s, "own", nested)
      inside()
      local _, second = pcall(s.fetch, s, "held", nested)
      return { first.code, first.message, nested(), second.code, second.message }
      """)
    func message(_ key: String) -> ChainValue {
      .string("fetch: the function that makes the value of '\(key)' fetches it itself, and would wait for ever")
    }
    #expect(value == ["deadlock", message("own"), 1, "deadlock", message("held")])
  }

  @Test("a fetch that waits for itself through other runs of its lane fails", arguments: [
    "return self.s:fetch('a', function() return (chain.map({ 1 }, function() return self.s:fetch('a', tostring) end))[1] end)",
    "return self.s:fetch('a', function() return self.other { first = 'a' } end)",
    """
    local calls = {
      function() return self.other { first = 'a', second = 'b' } end, function() return self.other { first = 'b', second = 'a' } end,
    }
    local settled = chain.settle(calls, function(call) return call() end)
    for i, one in ipairs(settled) do settled[i] = one.ok and one.value or one.error.code end
    table.sort(settled)
    error(chain.failure { code = settled[1] .. ' ' .. settled[2] })
    """,
  ])
  func fetchRings(body: String) throws {
    let environment = SimulatedEnvironment(seed: 1)
    let code = try environment.run { () -> String? in
      let host = ChainHost(environment: environment)
      let chain = try await host.load(files: ["graph.lua": """
        local chain = require "chain"
        local t = chain.types
        local store = chain.store {}
        local Other = chain.chainlet "Other" {
          input = { first = t.string, second = t.optional(t.string) }, output = t.any, uses = { s = store },
        }
        function Other:run(req)
          return self.s:fetch(req.first, function(key)
            chain.sleep(0.1)
            return req.second and self.s:fetch(req.second, tostring) or key
          end)
        end
        local Main = chain.chainlet "Main" { output = t.any, uses = { s = store }, needs = { other = Other } }
        function Main:run()
          \(body)
        end
        return Main
        """])
      do throws(Failure) {
        _ = try await chain.run([:])
        await host.shutdown()
        return nil
      } catch {
        await host.shutdown()
        return error.code
      }
    }
    #expect(code?.contains("deadlock") == true, "\(code ?? "none")")
  }

  @Test("a call that ends with a value half made leaves it to others", .timeLimit(.minutes(1)))
  func fetchAbandoned() async throws {
    let host = ChainHost()
    let chain = try await host.load(files: ["graph.lua": """
      local chain = require "chain"
      local t = chain.types
      local store = chain.store {}
      local Keeper = chain.chainlet "Keeper" { output = t.any, uses = { s = store } }
      function Keeper:run()
        self.kept = coroutine.wrap(function() return self.s:fetch("k", coroutine.yield) end)
        return self.kept()
      end
      local Main = chain.chainlet "Main" { output = t.any, uses = { s = store }, needs = { keeper = Keeper } }
      function Main:run()
        return { self.keeper {}, self.s:fetch("k", function() return "made" end) }
      end
      return Main
      """])
    #expect(try await chain.run([:]) == ["k", "made"])
    await host.shutdown()
  }

  @Test("of those who wait for a value, the first that is left makes it when its maker goes", arguments: 1...5)
  func fetchLine(seed: UInt64) throws {
    let environment = SimulatedEnvironment(seed: seed)
    let value = try environment.run { () -> ChainValue in
      let host = ChainHost(environment: environment)
      let chain = try await host.load(files: ["graph.lua": graph("s = chain.store {}", """
        local tasks, made = {}, {}
        for i = 1, 300 do
          tasks[i] = chain.async(function()
            return self.s:fetch("k", function()
              made[#made + 1] = i
              chain.sleep(1)
              return i
            end)
          end)
          chain.sleep(0.001)
        end
        for i = 2, 250 do tasks[i]:cancel() end
        tasks[1]:cancel()
        return { made = made, values = { tasks[251]:await(), tasks[300]:await() } }
        """, modules: "")])
      let value = try await chain.run([:])
      await host.shutdown()
      return value
    }
    #expect(value["made"] == [1, 251] && value["values"] == [251, 251], "\(value)")
  }

  @Test("a limiter lets its burst through at once and holds the rest to its rate", arguments: 1...10)
  func limiter(seed: UInt64) throws {
    let environment = SimulatedEnvironment(seed: seed)
    let seconds = try environment.run { () -> Double in
      let host = ChainHost(lanes: 2, environment: environment)
      let chain = try await host.load(files: ["graph.lua": """
        local chain = require "chain"
        local t = chain.types
        local Main = chain.chainlet "Main" { output = t.boolean, uses = { l = chain.limiter { rate = 10, burst = 5 } } }
        function Main:run()
          for _ = 1, 15 do self.l:wait() end
          return self.l:try()
        end
        return Main
        """])
      let began = environment.now()
      #expect(try await chain.run([:]) == false)
      let seconds = Double(environment.now() - began) / 1e9
      await host.shutdown()
      return seconds
    }
    #expect(seconds >= 0.99)
  }

  @Test("who waits for tokens behind waits that are cancelled comes forward", arguments: 1...3)
  func limiterCancelled(seed: UInt64) throws {
    let seconds = try secondsOf(seed, "rate = 10, burst = 10", """
      self.l:wait(10)
      local greedy = {}
      for i = 1, 300 do greedy[i] = chain.async(function() self.l:wait(10) end) end
      chain.sleep(0.01)
      local honest = chain.async(function() self.l:wait(1) return true end)
      chain.sleep(0.01)
      for i = 1, 300 do greedy[i]:cancel() end
      return honest:await()
      """)
    #expect(seconds < 1)
  }

  @Test("tokens are given in the order of asking, and nobody passes who waits", arguments: 1...3)
  func limiterOrder(seed: UInt64) throws {
    let seconds = try secondsOf(seed, "rate = 10, burst = 10", """
      self.l:wait(9)
      local order = {}
      local function ask(n) return chain.async(function() self.l:wait(n) order[#order + 1] = n end) end
      local tasks = {}
      for i, n in ipairs { 8, 3, 5 } do
        tasks[i] = ask(n)
        chain.sleep(0.001)
      end
      local passes = self.l:try(1)
      for _, task in ipairs(tasks) do task:await() end
      return not passes and table.concat(order, " ") == "8 3 5"
      """)
    #expect((1.5...1.6).contains(seconds), "\(seconds)")
  }

  @Test("a limiter of extreme numbers goes on", arguments: 1...3)
  func limiterExtremes(seed: UInt64) throws {
    let seconds = try secondsOf(seed, "rate = 1e308, burst = 1e308", """
      local tasks = {}
      for i = 1, 5 do tasks[i] = chain.async(function() self.l:wait(1e308) end) end
      for i = 1, 5 do tasks[i]:await() end
      self.l:wait(1e308)
      return not self.l:try(1e308)
      """)
    #expect((5...5.1).contains(seconds), "\(seconds)")
  }

  /// How long a body takes that returns true, over a limiter with these options.
  private func secondsOf(_ seed: UInt64, _ options: String, _ body: String) throws -> Double {
    let environment = SimulatedEnvironment(seed: seed)
    return try environment.run { () -> Double in
      let host = ChainHost(environment: environment)
      let chain = try await host.load(files: ["graph.lua": graph("l = chain.limiter { \(options) }", body, modules: "")])
      let began = environment.now()
      #expect(try await chain.run([:]) == true)
      let seconds = Double(environment.now() - began) / 1e9
      await host.shutdown()
      return seconds
    }
  }
}
