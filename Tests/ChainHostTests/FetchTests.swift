import ChainBase
import ChainHost
import ChainTesting
import Testing

@Suite("Values of a store that are made once")
struct FetchTests {
  @Test("fetch makes a value once for all who ask meanwhile, on all lanes")
  func fetchOnce() async throws {
    let host = ChainHost(lanes: 2)
    let chain = try await host.load(files: ["graph.lua": graph(using: "s = chain.store {}", """
      return self.s:fetch("key", function(key)
          chain.sleep(0.02)
          return key .. self.s:incr("made")
        end)
      """)])
    let values = try await withThrowingTaskGroup(of: ChainValue.self) { group in
      for _ in 0..<20 { group.addTask { try await chain.run([:]) } }
      return try await group.reduce(into: [ChainValue]()) { $0.append($1) }
    }
    #expect(values == Array(repeating: "key1", count: 20))
    await host.shutdown()
  }

  @Test("when the call that makes a value is ended, one that waits takes over; when it fails, those who wait fail", arguments: 1...20)
  func fetchTakeOver(seed: UInt64) throws {
    let environment = SimulatedEnvironment(seed: seed)
    let value = try environment.run { () -> ChainValue in
      let host = ChainHost(environment: environment)
      let chain = try await host.load(files: ["graph.lua": """
        local chain = require "chain"
        local t = chain.types
        local Maker = chain.chainlet "Maker" {
          input = { key = t.string, who = t.string, after = t.number, takes = t.number, fails = t.boolean { default = false } },
          output = t.string, uses = { s = chain.store {} },
        }
        function Maker:run(req)
          chain.sleep(req.after)
          return self.s:fetch(req.key, function()
            chain.sleep(req.takes)
            if req.fails then error(chain.failure { code = "broken", message = "no" }) end
            return req.who
          end)
        end
        local Main = chain.chainlet "Main" { output = t.any, needs = { make = Maker } }
        function Main:run()
          local calls = {
            function() return self.make({ key = "a", who = "first", after = 0, takes = 100 }, { timeout = 1 }) end,
            function() return self.make { key = "a", who = "second", after = 0.1, takes = 1 } end,
            function() return self.make { key = "b", who = "third", after = 0, takes = 1, fails = true } end,
            function() return self.make { key = "b", who = "fourth", after = 0.1, takes = 1 } end,
          }
          local settled = chain.settle(calls, function(call) return call() end)
          local said = {}
          for i, one in ipairs(settled) do said[i] = one.ok and one.value or one.error.code end
          return said
        end
        return Main
        """])
      let value = try await chain.run([:])
      await host.shutdown()
      return value
    }
    #expect(value == ["timeout", "second", "broken", "broken"])
  }

  @Test("a function that fetches the key whose value it makes fails at once, and the key is free", .timeLimit(.minutes(1)))
  func fetchesItself() async throws {
    let value = try await run(using: "s = chain.store {}", """
      local s = self.s
      local function nested() return s:fetch("own", function() return 1 end) end
      local inside = coroutine.wrap(function() return s:fetch("held", coroutine.yield) end)
      local _, first = pcall(s.fetch, s, "own", nested)
      inside()
      local _, second = pcall(s.fetch, s, "held", nested)
      return { first.code, first.message, nested(), second.code, second.message }
      """)
    func message(_ key: String) -> ChainValue {
      .string("fetch: the function that makes the value of '\(key)' fetches it itself, and would wait for ever")
    }
    #expect(value == ["deadlock", message("own"), 1, "deadlock", message("held")])
  }

  @Test("a fetch that waits for itself through other runs of its lane fails", arguments: [
    "return self.s:fetch('a', function() return (chain.map({ 1 }, function() return self.s:fetch('a', tostring) end))[1] end)",
    "return self.s:fetch('a', function() return self.other { first = 'a' } end)",
    """
    local calls = {
      function() return self.other { first = 'a', second = 'b' } end, function() return self.other { first = 'b', second = 'a' } end,
    }
    local settled = chain.settle(calls, function(call) return call() end)
    for i, one in ipairs(settled) do settled[i] = one.ok and one.value or one.error.code end
    table.sort(settled)
    error(chain.failure { code = settled[1] .. ' ' .. settled[2] })
    """,
  ])
  func fetchRings(body: String) throws {
    let environment = SimulatedEnvironment(seed: 1)
    let code = try environment.run { () -> String? in
      let host = ChainHost(environment: environment)
      let chain = try await host.load(files: ["graph.lua": """
        local chain = require "chain"
        local t = chain.types
        local store = chain.store {}
        local Other = chain.chainlet "Other" {
          input = { first = t.string, second = t.optional(t.string) }, output = t.any, uses = { s = store },
        }
        function Other:run(req)
          return self.s:fetch(req.first, function(key)
            chain.sleep(0.1)
            return req.second and self.s:fetch(req.second, tostring) or key
          end)
        end
        local Main = chain.chainlet "Main" { output = t.any, uses = { s = store }, needs = { other = Other } }
        function Main:run()
          \(body)
        end
        return Main
        """])
      do throws(Failure) {
        _ = try await chain.run([:])
        await host.shutdown()
        return nil
      } catch {
        await host.shutdown()
        return error.code
      }
    }
    #expect(code?.contains("deadlock") == true, "\(code ?? "none")")
  }

  @Test("a call that ends with a value half made leaves it to others", .timeLimit(.minutes(1)))
  func fetchAbandoned() async throws {
    let host = ChainHost()
    let chain = try await host.load(files: ["graph.lua": """
      local chain = require "chain"
      local t = chain.types
      local store = chain.store {}
      local Keeper = chain.chainlet "Keeper" { output = t.any, uses = { s = store } }
      function Keeper:run()
        self.kept = coroutine.wrap(function() return self.s:fetch("k", coroutine.yield) end)
        return self.kept()
      end
      local Main = chain.chainlet "Main" { output = t.any, uses = { s = store }, needs = { keeper = Keeper } }
      function Main:run()
        return { self.keeper {}, self.s:fetch("k", function() return "made" end) }
      end
      return Main
      """])
    #expect(try await chain.run([:]) == ["k", "made"])
    await host.shutdown()
  }

  @Test("of those who wait for a value, the first that is left makes it when its maker goes", arguments: 1...5)
  func fetchLine(seed: UInt64) throws {
    let environment = SimulatedEnvironment(seed: seed)
    let value = try environment.run { () -> ChainValue in
      let host = ChainHost(environment: environment)
      let chain = try await host.load(files: ["graph.lua": graph(using: "s = chain.store {}", """
        local tasks, made = {}, {}
        for i = 1, 300 do
          tasks[i] = chain.async(function()
            return self.s:fetch("k", function()
              made[#made + 1] = i
              chain.sleep(1)
              return i
            end)
          end)
          chain.sleep(0.001)
        end
        for i = 2, 250 do tasks[i]:cancel() end
        tasks[1]:cancel()
        return { made = made, values = { tasks[251]:await(), tasks[300]:await() } }
        """)])
      let value = try await chain.run([:])
      await host.shutdown()
      return value
    }
    #expect(value["made"] == [1, 251] && value["values"] == [251, 251], "\(value)")
  }
}
