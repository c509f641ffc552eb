import ChainBase
import ChainHost
import Testing

@Suite("Calls that wait to start", .serialized)
struct StartingTests {
  private static let source = """
    local chain = require "chain"
    local t = chain.types
    local input = { list = t.list(t.integer), wait = t.optional(t.number) }
    local One = chain.chainlet "One" { input = input, scaling = { concurrency = 1 } }
    function One:run(req) chain.sleep(req.wait or 0) end
    local Many = chain.chainlet "Many" { input = input }
    function Many:run(req) chain.sleep(req.wait or 0) end
    local Main = chain.chainlet "Main" {
      input = { way = t.string }, output = t.integer, limits = { cpu = 120 },
      needs = { slot = One, bound = Many:with { concurrency = 1 } },
    }
    function Main:run(req)
      local call, turns, list, refused = self[req.way], {}, {}, 0
      for i = 1, 600 do turns[i] = i end
      for i = 1, 3000 do list[i] = i end
      list[3000] = "wrong"
      local task = chain.async(function() call { list = {}, wait = 2 } end) -- until all of them stand in the queue
      chain.sleep(0)
      chain.each(turns, function()
        if not pcall(call, { list = list }) then
          refused = refused + 1
          list[3000] = 3000
        end
      end, { limit = 600 })
      task:await()
      return refused
    end
    return Main
    """

  /// The first caller that is refused mends the value for those behind it.
  @Test("hundreds whose input does not fit are not refused in one event", arguments: ["slot", "bound"])
  func refused(way: String) async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      let refused: ChainValue = try await chain.run(["way": .string(way)])
      guard case .integer(let count) = refused else { return #expect(Bool(false), "\(refused)") }
      #expect(count > 0 && count < 400)
    }
  }
}
