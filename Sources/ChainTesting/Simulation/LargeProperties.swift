import ChainBase
import ChainHost

/// The properties with a graph of their own.
extension Simulation {
  // MARK: 5

  static let fanOut = Property(
    name: "fan-out", number: 5,
    sentence: "A fan-out of 1,000 over a serial callee succeeds; a single call beside it waits at most two turns.", seeds: 50,
    draw: { chance, _ in
      var world = World()
      world.source = """
        local chain = require "chain"
        local t = chain.types
        local Serial = chain.chainlet "Serial" {
          input = { single = t.boolean, id = t.integer }, output = t.integer, scaling = { concurrency = 1 },
        }
        function Serial:run(req)
          if self.busy then print("VIOLATION two runs of a serial chainlet") end
          self.busy = true
          print("NOTE " .. (req.single and "single " .. req.id or "run"))
          if req.id % 7 == 0 then chain.sleep(0.0001) end
          for i = 1, req.id % 50 do end
          self.busy = false
          return req.id
        end
        local Fan = chain.chainlet "Fan" {
          input = { id = t.integer, k = t.integer }, output = t.integer,
          needs = { serial = Serial }, limits = { tasks = 2000 },
        }
        function Fan:run(req)
          local items = {}
          for i = 1, 1000 do items[i] = i end
          local out = chain.map(items, function(i) return self.serial { id = i, single = false } end, { limit = 1000 })
          for i = 1, 1000 do if out[i] ~= i then print("VIOLATION an answer of another call") end end
          return #out
        end
        local One = chain.chainlet "One" { input = { id = t.integer, k = t.integer }, output = t.integer, needs = { serial = Serial } }
        function One:run(req)
          print("NOTE asks " .. req.id)
          return self.serial { id = req.id, single = true }
        end
        return { fan = Fan, one = One }
        """
      world.clients = [Client(id: 1, entry: "fan")]
      for id in 2...6 { world.clients.append(Client(id: id, entry: "one", start: chance.below(40_000_000))) }
      world.instructionsPerSlice = Int32(chance.within(100...2_000))
      world.faults = Faults.drawn(seed: chance.next())
      world.eventLimit = 1_000_000
      return world
    },
    body: { stage in
      await stage.serve(stage.world.clients) { client, outcome in
        let expected: ChainValue = .integer(client.entry == "fan" ? 1_000 : Int64(client.id))
        guard case .value(expected) = outcome else { return stage.violation("client \(client.id) got \(outcome)") }
      }
      stage.judgeTurns()
    })

  // MARK: 15

  static let slotOfABreak = Property(
    name: "break", number: 15, sentence: "A reader that stops frees its writer's slot within 100 ms.", seeds: 1_000,
    draw: { chance, _ in
      var world = World()
      let work = ["", "spin(\(chance.below(3_000)))", "pcall(chain.sleep, 0.002)", "pcall(chain.sleep, 30)"][Int(chance.below(4))]
      let stop = ["break", "s:close() break", "return", "error('stop', 0)"][Int(chance.below(4))]
      world.source = GraphWriter.prelude + """
        local Writer = chain.chainlet "Writer" {
          input = { id = t.integer, k = t.integer }, output = t.stream(t.integer), scaling = { concurrency = 1 },
        }
        function Writer:run(req, emit)
          local i = 0
          local c <close> = closer(function() pcall(chain.sleep, 30) end)
          while true do
            i = i + 1
            pcall(emit, req.k * 1000 + i)
            if i > \(chance.within(3...12)) then \(work) end
          end
        end
        local Main = chain.chainlet "Main" { input = { id = t.integer, k = t.integer }, output = t.integer, needs = { writer = Writer } }
        function Main:run(req)
          local function read()
            local s <close> = self.writer { id = req.id, k = req.k }
            local n = 0
            for x in s do
              n = n + 1
              if n == 3 then \(stop) end
            end
          end
          pcall(read)
          local freed = os.clock()
          for x in self.writer { id = req.id, k = req.k } do break end
          if os.clock() - freed > 0.1 then bad("the slot was free after " .. (os.clock() - freed) .. " s") end
          return req.id
        end
        return { main = Main, writer = Writer }
        """
      world.instructionsPerSlice = Int32(chance.within(100...2_000))
      let first = chance.happens(perThousand: 500)
      world.clients = [
        Client(id: 1, entry: first ? "main" : "writer", streams: !first, reads: 3),
        Client(id: 2, entry: "main", start: first ? 300_000_000 : 50_000_000),
      ]
      return world
    },
    body: { stage in
      await stage.serve(stage.world.clients) { client, outcome in
        if case .failure(let failure) = outcome { stage.violation("client \(client.id) got \(failure)") }
        if client.id == 2 { stage.expect(stage.environment.now() < 3_000_000_000, "the slot was not free at once") }
      }
    })

  // MARK: 17

  static let burst = Property(
    name: "burst", number: 17, sentence: "10,000 answers in one burst all arrive.", seeds: 50,
    draw: { chance, _ in
      var world = World()
      world.source = """
        local chain = require "chain"
        local t = chain.types
        local Main = chain.chainlet "Main" {
          input = { id = t.integer, k = t.integer }, output = { id = t.integer, k = t.integer, v = t.integer },
          scaling = { concurrency = 20000, queue = 20000 },
        }
        function Main:run(req)
          self.at = self.at or os.clock() + 1
          chain.sleep(math.max(0, self.at - os.clock()))
          return { id = req.id, k = req.k, v = chain.context().version }
        end
        return { main = Main }
        """
      world.clients = (1...10_000).map { Client(id: $0, entry: "main") }
      world.lanes = Int(chance.within(1...4))
      world.faults = Faults.drawn(seed: chance.next())
      world.eventLimit = 5_000_000
      return world
    },
    body: { stage in
      await stage.serve(stage.world.clients) { client, outcome in
        guard case .value = outcome else { return stage.violation("client \(client.id) got \(outcome)") }
        stage.judge(client, outcome, allowed: [])
      }
    })

  // MARK: 24

  static let stopping = Property(
    name: "shutdown", number: 24, sentence: "When the host stops at any step, every request is answered.", seeds: 1_500,
    draw: { chance, scale in
      var shape = Shape()
      (shape.wraps, shape.endless) = (true, chance.happens(perThousand: 500))
      var world = chaos(&chance, scale, shape, ticks: true, clients: 2...10)
      world.shutdownAfter = chance.below(40_000_000)
      return world
    },
    body: { stage in
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          await stage.clock.sleep(nanoseconds: stage.world.shutdownAfter ?? 0)
          await stage.shutdown()
        }
        group.addTask {
          do { try await stage.load() } catch {
            stage.expect(stage.isShutDown, "the graph did not load: \(error)")
          }
          await stage.serve(stage.world.clients) { stage.judge($0, $1, allowed: ordinary) }
          // And one who comes too late.
          let wasDown = stage.isDown
          let late = await stage.ask(Client(id: 99, entry: stage.world.clients[0].entry))
          if wasDown, case .value = late { stage.violation("a request was served after the end") }
        }
      }
    })
}

extension Stage {
  /// Between a single call's asking and its run a serial callee had at most two other runs.
  fileprivate func judgeTurns() {
    var waiting: [String: Int] = [:]
    for note in notes {
      let words = note.split(separator: " ").map(String.init)
      switch words.dropFirst().first {
      case "asks": waiting[words[2]] = 0
      case "single":
        let turns = waiting.removeValue(forKey: words[2]) ?? 0
        for other in waiting.keys { waiting[other, default: 0] += 0 }
        expect(turns <= 2, "client \(words[2]) waited for \(turns) runs")
      default: for id in waiting.keys { waiting[id, default: 0] += 1 }
      }
    }
  }
}
