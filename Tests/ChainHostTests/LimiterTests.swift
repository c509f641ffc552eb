import ChainBase
import ChainHost
import ChainTesting
import Testing

@Suite("Limiters")
struct LimiterTests {
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
      let chain = try await host.load(files: ["graph.lua": graph(using: "l = chain.limiter { \(options) }", body)])
      let began = environment.now()
      #expect(try await chain.run([:]) == true)
      let seconds = Double(environment.now() - began) / 1e9
      await host.shutdown()
      return seconds
    }
  }
}
