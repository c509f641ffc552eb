import ChainBase
import ChainHost
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
      #expect(try await chain.run([:]) == 8_002_000)
      _ = await host.memoryWithoutPools()
      let (kept, reserved) = await host.memoryOfCalls()
      #expect(reserved > 1_000_000)
      #expect(kept < 500_000)
    }
    await host.shutdown()
  }
}
