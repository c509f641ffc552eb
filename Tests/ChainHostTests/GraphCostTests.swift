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
}
