import ChainBase
import ChainHost
import Testing

/// `chain.const` tables are views; crossings read tables raw.
@Suite("Constant tables that cross")
struct ConstantTableTests {
  private let source = """
    local chain = require "chain"
    local json = require "json"
    local t = chain.types
    local Point = { x = t.integer, y = t.optional(t.integer) }
    local shapes = {
      point = Point, points = t.list(Point), names = t.map(t.integer), any = t.any,
      either = t.union({ kind = t.enum { "a" }, n = t.integer }, { kind = t.enum { "b" }, s = t.string }),
    }
    local value = chain.const {
      point = { x = 1 }, points = { { x = 1, y = 2 }, { x = 3 } }, names = { one = 1, two = 2 },
      any = { list = { 1, 2, { "deep" } }, empty = {} }, either = { kind = "b", s = "it" },
    }
    local Echo = chain.chainlet "Echo" { input = shapes, output = shapes }
    function Echo:run(req) return req end
    local Main = chain.chainlet "Main" { output = { whole = shapes, part = t.any, text = t.string }, needs = { echo = Echo } }
    function Main:run()
      local copy = self.echo(value)
      copy.point.x = 7
      assert(copy.points[2].x == 3 and value.point.x == 1)
      assert(not pcall(function() value.point.x = 2 end))
      return { whole = self.echo(value), part = value.points, text = json.encode(value.any) }
    end
    local Whole = chain.chainlet "Whole" { output = shapes }
    function Whole:run() return value end
    local Wrong = chain.chainlet "Wrong" { output = t.list { x = t.string, y = t.optional(t.integer) } }
    function Wrong:run() return value.points end
    local Library = chain.chainlet "Library" { output = t.any, secrets = { "key" } }
    function Library:run() return { string, self.secrets } end
    return { main = Main, whole = Whole, wrong = Wrong, library = Library }
    """

  private let whole =
    #"{"any":{"empty":{},"list":[1,2,["deep"]]},"either":{"kind":"b","s":"it"},"names":{"one":1,"two":2},"point":{"x":1},"points":[{"x":1,"y":2},{"x":3}]}"#

  private func withChain(_ body: (Chain) async throws -> Void) async throws {
    let host = ChainHost()
    var options = LoadOptions()
    options.secrets = ["key": "hidden"]
    let chain = try await host.load(files: ["graph.lua": source], options)
    try await body(chain)
    await host.shutdown()
  }

  private func text(_ chain: Chain, _ entry: String) async throws -> String {
    String(decoding: try await chain.run(json: Array("{}".utf8), .init(entry: entry)), as: UTF8.self)
  }

  @Test("they arrive as the tables that they show: as an input, an output, inside others, as JSON, and in Swift")
  func cross() async throws {
    try await withChain { (chain: Chain) async throws -> Void in
      #expect(try await text(chain, "whole") == whole)
      #expect(
        try await text(chain, "main")
          == #"{"part":[{"x":1,"y":2},{"x":3}],"text":"{\"empty\":{},\"list\":[1,2,[\"deep\"]]}","whole":\#(whole)}"#)
      let value = try await chain.run([:], .init(entry: "whole"))
      #expect(value["points"] == [["x": 1, "y": 2], ["x": 3]])
      #expect(value["either"] == ["kind": "b", "s": "it"])
    }
  }

  @Test("what is wrong inside one is said by its path")
  func wrong() async throws {
    try await withChain { (chain: Chain) async throws -> Void in
      do throws(Failure) {
        _ = try await chain.run([:], .init(entry: "wrong"))
        Issue.record("it fits")
      } catch { #expect(error.message == "Wrong.output[1].x: expected string, got integer (1)") }
    }
  }

  @Test("other read-only tables, such as secrets, do not show what is in them")
  func others() async throws {
    try await withChain { (chain: Chain) async throws -> Void in
      let shown = try await text(chain, "library")
      #expect(!shown.contains("hidden") && !shown.contains("key"), "\(shown)")
    }
  }
}
