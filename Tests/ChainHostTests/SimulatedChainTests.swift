import ChainBase
import ChainHost
import ChainTesting
import Testing

@Suite("On the simulated environment")
struct SimulatedChainTests {
  @Test("hello runs the same, from many seeds", arguments: 1...20)
  func hello(seed: UInt64) throws {
    let environment = SimulatedEnvironment(seed: seed)
    let reply = try environment.run {
      let host = ChainHost(environment: environment)
      let chain = try await host.load(files: ["graph.lua": ChainHostTests.hello])
      let reply = try await chain.run(["names": ["Ada", "Grace"]])
      await host.shutdown()
      return reply
    }
    #expect(reply == "Hello, Ada\nHello, Grace")
  }
}
