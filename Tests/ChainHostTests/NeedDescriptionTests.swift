import ChainBase
import ChainHost
import Testing

@Suite("Descriptions of many needs", .serialized)
struct NeedDescriptionTests {
  private static let source = """
    local chain = require "chain"
    local t = chain.types
    local fields = {}
    for i = 1, 200 do fields["field_" .. i] = t.optional(t.integer { min = i }) end
    local One = chain.chainlet "One" { input = fields, doc = "One of many." }
    function One:run() end
    local function group(n)
      local group = {}
      for i = 1, n do group["one_" .. i] = One end
      return group
    end
    local Other = chain.chainlet "Other" { output = t.integer }
    function Other:run() return 1 end
    local Main = chain.chainlet "Main" {
      input = { many = t.optional(t.boolean) }, output = t.any, needs = { few = group(60), many = group(400) },
      limits = { memory = "128MB", cpu = 120 },
    }
    function Main:run(req)
      local list = chain.describe(req.many and self.many or self.few)
      local need = list[#list]
      return { #list, need.doc, need.name:sub(1, 4), need.schema.properties.field_7.minimum }
    end
    return { main = Main, other = Other }
    """

  @Test("they let others go on, and are as large at most as what crosses")
  func descriptions() async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      let (list, others) = try await answer(of: chain, [:])
      #expect(list == [60, "One of many.", "one_", 7])
      #expect(others > 1)
      let many = await failure { _ = try await chain.run(["many": true], .init(entry: "main")) as ChainValue }
      #expect(many?.message.contains(
        "chain.describe: too large: at most 200000 values and 16777216 bytes of text in all; describe fewer needs at once") == true)
    }
  }
}
