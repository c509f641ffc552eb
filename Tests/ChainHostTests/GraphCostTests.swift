import ChainBase
import ChainHost
import LuaBridge
import Testing

@Suite("The cost of a chainlet's state")
struct GraphCostTests {
  @Test("is at most 24 KB of Lua more than a bare state's")
  func memory() throws {
    let graph = try GraphLoader.load(GraphSource(texts: ["graph.lua": helloText]))
    let bare = try LuaState()
    let state = try LuaState()
    _ = try LiveChainlet.evaluate(graph.chainlets[1], in: graph, state: state, native: nil)
    #expect(state.memoryUsed - bare.memoryUsed < 24 << 10)
  }
}
