import ChainBase
import ChainHost

/// Runs that reach their limits, and what becomes of those beside them.
extension Simulation {
  // MARK: 9

  static let kills = Property(
    name: "kills", number: 9, sentence: "A kill fails one request; at rest no retired state is left.", seeds: 600,
    draw: { chance, scale in
      var world = World()
      let count = Int(chance.within(2...14))
      let killers = (1...count).map { _ in chance.happens(perThousand: 250) }
      let kinds = killers.map { killer -> String in
        let some = killer ? ["spin", "fill", "deep"] : ["count", "count", "wait", "tasks", "nap"]
        return some[Int(chance.below(UInt64(some.count)))]
      }
      world.source = GraphWriter.prelude + """
        local kinds = { \(kinds.map { "\"\($0)\"" }.joined(separator: ", ")) }
        local Worker = chain.chainlet "Worker" {
          input = { id = t.integer, what = t.string }, output = t.integer,
          limits = { cpu = 0.002, memory = "400KB" }, scaling = { concurrency = \(chance.within(1...5)) },
        }
        function Worker:init() spin(\(chance.below(300))) self.n = 0 end
        function Worker:run(req)
          if req.what == "spin" then while true do pcall(spin, 50) end end
          if req.what == "deep" then
            for i in coroutine.wrap(function() local c <close> = closer(function() while true do end end) while true do end end) do end
          end
          if req.what == "fill" then pcall(string.rep, "x", 1000000) end
          update(self, \(chance.below(200)))
          if req.what == "wait" then chain.sleep(0.0\(chance.within(1...9))) update(self, 20) end
          if req.what == "nap" then for i = 1, 5 do sleep(0.001) end end
          if req.what == "tasks" then chain.each(list(5), function(i) sleep(0.001 * i) spin(20) end) end
          return req.id
        end
        local Main = chain.chainlet "Main" {
          input = { id = t.integer, k = t.integer }, output = t.integer, needs = { worker = Worker },
        }
        function Main:run(req) return self.worker { id = req.id, what = kinds[req.id] or "count" } end
        return { main = Main }
        """
      world.clients = killers.indices.prefix(scale.clients).map { index in
        var client = Client(id: index + 1, entry: "main", start: chance.below(30_000_000))
        client.isKiller = killers[index]
        return client
      }
      world.lanes = Int(chance.within(1...2))
      world.faults = Faults.drawn(seed: chance.next())
      world.instructionsPerSlice = Int32(chance.within(300...3_000))
      return world
    },
    body: { stage in
      let killers = stage.world.clients.count(where: \.isKiller)
      await stage.serve(stage.world.clients) { client, outcome in
        switch outcome {
        case .value(let value):
          stage.expect(!client.isKiller && value == .integer(Int64(client.id)), "client \(client.id) got \(value)")
        case .items: stage.violation("client \(client.id) got items")
        case .failure(let failure):
          // Two kills make a state go while others wait, or spin, in it.
          let isLost = failure.code == Failure.Code.stateLost && killers > 1
          let isKilled = client.isKiller && [Failure.Code.cpuLimit, Failure.Code.memoryLimit].contains(failure.code)
          stage.expect(isLost || isKilled, "client \(client.id) got \(failure)")
        }
      }
      let last = await stage.ask(Client(id: 99, entry: "main"))
      guard case .value(99) = last else { return stage.violation("after the kills a client got \(last)") }
    })

  // MARK: 10

  static let failingRebuilds = Property(
    name: "rebuilds", number: 10, sentence: "While a rebuild fails every call is answered; when it can succeed it does.", seeds: 200,
    draw: { chance, _ in
      var world = World()
      let until = 2 + chance.below(20)
      world.source = """
        local chain = require "chain"
        local t = chain.types
        local Worker = chain.chainlet "Worker" {
          input = { id = t.integer }, output = t.integer, limits = { cpu = 0.002 }, scaling = { concurrency = \(chance.within(1...3)) },
        }
        function Worker:init()
          local now = os.clock()
          if now > 1.5 and now < \(until) then
            \(["error('no disk')", "while true do end", "chain.sleep(0.01) error('no disk')"][Int(chance.below(3))])
          end
        end
        function Worker:run(req)
          if req.id == 1 then while true do end end
          chain.sleep(0.001)
          return req.id
        end
        local Main = chain.chainlet "Main" { input = { id = t.integer, k = t.integer }, output = t.integer, needs = { worker = Worker } }
        function Main:run(req)
          local begun = os.clock()
          local ok, result = pcall(self.worker, { id = req.id })
          if os.clock() - begun > 11 then print("VIOLATION an answer after " .. os.clock() - begun .. " s") end
          if ok then return result end
          error(result)
        end
        return { main = Main }
        """
      world.clients = [Client(id: 1, entry: "main", start: 600_000_000)]
      for id in 2...12 { world.clients.append(Client(id: id, entry: "main", start: chance.below(until * 1_000_000_000))) }
      // The longest pause between two attempts is 10 s.
      world.clients.append(Client(id: 13, entry: "main", start: (until + 11) * 1_000_000_000))
      world.faults = Faults.drawn(seed: chance.next())
      return world
    },
    body: { stage in
      await stage.serve(stage.world.clients) { client, outcome in
        switch outcome {
        case .value(let value): stage.expect(client.id != 1 && value == .integer(Int64(client.id)), "client \(client.id) got \(value)")
        case .items: stage.violation("client \(client.id) got items")
        case .failure(let failure):
          let expected = client.id == 1 ? Failure.Code.cpuLimit : Failure.Code.unavailable
          stage.expect(failure.code == expected && client.id != 13, "client \(client.id) got \(failure)")
        }
      }
    })

  // MARK: 12

  static let killerOnce = Property(
    name: "killer", number: 12,
    sentence: "A killer runs once, and what may be retried at most once and as often as the innermost call that asks says.", seeds: 200,
    draw: { chance, _ in
      var world = World()
      let depth = Int(chance.within(1...4))
      let retries = (0..<depth).map { _ in chance.below(4) }
      var source = """
        local chain = require "chain"
        local t = chain.types
        local input = { id = t.integer, k = t.integer }
        local L\(depth) = chain.chainlet "L\(depth)" { input = input, output = t.integer, limits = { cpu = 0.002 } }
        function L\(depth):run(req)
          print("NOTE run " .. req.id)
          if req.id == 1 then while true do end end
          error(chain.failure { code = "busy", message = "busy", retry = true })
        end

        """
      for layer in stride(from: depth - 1, through: 0, by: -1) {
        let options = retries[layer] > 0 ? ":with { retries = \(retries[layer]) }" : ""
        source += """
          local L\(layer) = chain.chainlet "L\(layer)" { input = input, output = t.integer, needs = { next = L\(layer + 1)\(options) } }
          function L\(layer):run(req) return self.next { id = req.id, k = req.k } end

          """
      }
      world.source = source + "return { main = L0 }\n"
      world.attempts = Int(retries.last { $0 > 0 } ?? 0) + 1
      world.clients = [1, 2].map { Client(id: $0, entry: "main", start: chance.below(10_000_000)) }
      world.faults = Faults.drawn(seed: chance.next())
      return world
    },
    body: { stage in
      await stage.serve(stage.world.clients) { client, outcome in
        guard case .failure(let failure) = outcome, failure.code == (client.id == 1 ? Failure.Code.cpuLimit : "busy") else {
          return stage.violation("client \(client.id) got \(outcome)")
        }
      }
      func runs(_ id: Int) -> Int { stage.notes.count { $0.hasSuffix(" run \(id)") } }
      stage.expect(runs(1) == 1, "the killer ran \(runs(1)) times")
      stage.expect(runs(2) == stage.world.attempts, "\(runs(2)) attempts and not \(stage.world.attempts)")
    })
}
