import ChainBase
import ChainHost
import Testing

@Suite("Streams of a large type", .serialized)
struct LargeTypeStreamTests {
  private static let source = """
    local chain = require "chain"
    local t = chain.types
    local fields = {}
    for i = 1, 3000 do fields["field_" .. i] = t.optional(t.integer) end
    local scaling, limits = { concurrency = 1000 }, { memory = "8MB" }

    local Writer = chain.chainlet "Writer" { output = t.stream(t.record(fields)), scaling = scaling, limits = limits }
    function Writer:run() chain.sleep(0.05) end

    local Reader = chain.chainlet "Reader" {
      input = { items = t.stream(t.record(fields)) }, scaling = scaling, limits = limits,
    }
    function Reader:run(req)
      for item in req.items do end
    end

    local Main = chain.chainlet "Main" {
      output = t.integer, needs = { writer = Writer, reader = Reader }, limits = { cpu = 120 },
    }
    function Main:run(req)
      local turns, count = {}, 0
      for i = 1, 300 do turns[i] = i end
      chain.each(turns, function()
        self.reader { items = self.writer {} }
        count = count + 1
      end, { limit = 300 })
      return count
    end
    return Main
    """

  /// Each would take as much memory as the names of its fields.
  @Test("however many are handed on, their readers and writers know the type once")
  func handedOn() async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      #expect(try await chain.run([:]) == (300 as ChainValue))
    }
  }
}
