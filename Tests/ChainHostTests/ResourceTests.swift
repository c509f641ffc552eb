import ChainBase
import ChainHost
import ChainLoop
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

private func graph(_ uses: String, _ body: String, input: String = "{}") -> String {
  """
  local chain = require "chain"
  local t = chain.types
  local camera = require "camera"
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
