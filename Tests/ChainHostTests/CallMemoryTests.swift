import ChainBase
import ChainHost
import ChainLoop
import Testing

@Suite("Memory of calls")
struct CallMemoryTests {
  @Test("a crowd of calls that has left keeps no memory, and the next crowd finds right memory again")
  func crowds() async throws {
    let host = ChainHost(lanes: 1)
    let chain = try await host.load(files: ["graph.lua": """
      local chain = require "chain"
      local t = chain.types
      local Main = chain.chainlet "Main" { input = {}, output = t.integer, limits = { tasks = 5000 } }
      function Main:run()
        local tasks, sum = {}, 0
        for i = 1, 4000 do tasks[i] = chain.async(function() chain.sleep(0.1) return i end) end
        for _, task in ipairs(tasks) do sum = sum + task:await() end
        return sum
      end
      return Main
      """])
    for _ in 0..<2 {
      let ended = Monitor(false)
      let asked = Task {
        defer { ended.withLock { $0 = true } }
        return try await chain.run([:])
      }
      var most = 0
      while !ended.withLock({ $0 }) {
        most = max(most, await host.memoryOfCalls().kept)
        try await Task.sleep(for: .milliseconds(1))
      }
      #expect(try await asked.value == 8_002_000)
      #expect(most > 1_000_000)
      _ = await host.memoryWithoutPools()
      #expect(await host.memoryOfCalls().kept < 500_000)
    }
    await host.shutdown()
  }
}
