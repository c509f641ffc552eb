import ChainBase
import ChainHost
import LuaBridge
import Testing

@Suite("The cost of a chainlet's state")
struct GraphCostTests {
  @Test("is at most 28 KB of Lua more than that of a state that has opened no library")
  func memory() throws {
    let graph = try GraphLoader.load(GraphSource(texts: ["graph.lua": helloText]))
    let bare = try LuaState()
    let state = try LuaState()
    _ = try LiveChainlet.evaluate(graph.chainlets[1], in: graph, state: state, native: nil)
    #expect(state.memoryUsed - bare.memoryUsed < 28 << 10)
  }

  @Test("t.enum takes 10,000 values, and refuses more instead of losing some", arguments: [10_000, 10_001])
  func valuesOfEnum(count: Int) async throws {
    let told = await failure(of: """
      local chain = require "chain"
      local t = chain.types
      local values = {}
      for i = 1, \(count) do values[i] = "v" .. i end
      local Main = chain.chainlet "Main" { output = t.enum(values) }
      function Main:run() return "none" end
      return Main
      """)
    #expect(told?.code == (count == 10_000 ? "bad_output" : "invalid_graph"))
    if count > 10_000 { #expect(told?.message.contains("t.enum takes at most 10000 values, got 10001") == true) }
  }
}
