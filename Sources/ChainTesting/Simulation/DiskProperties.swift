import ChainBase
import ChainHost

/// Files that change on the disk while what was loaded from them serves.
extension Simulation {
  // MARK: 11

  static let edits = Property(
    name: "edits", number: 11, sentence: "Edits on disk without a patch change nothing, whatever dies.", seeds: 300,
    draw: { chance, scale in
      var world = World()
      let killers = (1...20).map { _ in chance.happens(perThousand: 300) }
      world.source = """
        local Worker = require "worker"
        local chain = require "chain"
        local t = chain.types
        local words = require "words"
        local Main = chain.chainlet "Main" {
          input = { id = t.integer, k = t.integer }, output = t.string, needs = { worker = Worker },
        }
        function Main:run(req) return self.worker(req) .. " " .. words.top .. " loaded" end
        return { main = Main }
        """
      world.files = [
        "worker.lua": """
          local chain = require "chain"
          local t = chain.types
          local words = require "words"
          require "parts.inner"
          local killers = { \(killers.map(String.init).joined(separator: ", ")) }
          local Worker = chain.chainlet "Worker" {
            input = { id = t.integer, k = t.integer }, output = t.string,
            limits = { cpu = 0.002 }, scaling = { concurrency = \(chance.within(1...4)) },
          }
          function Worker:init() self.begun = require("parts.inner").text end
          function Worker:run(req)
            if killers[req.id] then while true do end end
            chain.sleep(0.00\(chance.below(10)))
            return req.id .. " " .. words.top .. " " .. self.begun .. " " .. require("parts.inner").text .. " loaded"
          end
          return Worker
          """,
        "words.lua": "return { top = 'loaded' }",
        "parts/inner.lua": "return { text = 'loaded' }",
      ]
      let all = world.files.merging(["graph.lua": world.source]) { $1 }
      let paths = all.keys.sorted()
      world.edits = (0..<chance.within(1...12)).map { _ in
        let path = paths[Int(chance.below(UInt64(paths.count)))]
        let texts = [nil, all[path]?.replacing("loaded", with: "edited"), "return {", "error('edited')", ""]
        return Edit(time: chance.below(40_000_000), path: path, text: texts[Int(chance.below(UInt64(texts.count)))])
      }
      let clients = (1...Int(chance.within(4...20))).map { id in
        var client = Client(id: id, entry: "main", start: chance.below(80_000_000))
        client.isKiller = killers[id - 1]
        return client
      }
      world.clients = Array(clients.prefix(scale.clients))
      world.lanes = Int(chance.within(1...3))
      world.faults = Faults.drawn(seed: chance.next())
      world.faults.losesNamed = "lane"
      world.faults.losesPerThousand = chance.below(20)
      world.faults.mostLost = Int(chance.below(4))
      world.instructionsPerSlice = Int32(chance.within(300...3_000))
      return world
    },
    body: { stage in
      await withTaskGroup(of: Void.self) { group in
        for edit in stage.world.edits {
          group.addTask {
            await stage.clock.sleep(nanoseconds: edit.time)
            stage.folder?.apply(edit)
          }
        }
        group.addTask { await stage.serve(stage.world.clients) { stage.expectLoaded($0, $1) } }
      }
      // When all edits are made, once more with whatever has been built since.
      let last = (1...6).map { Client(id: 100 + $0, entry: "main", start: UInt64($0) * 5_000_000) }
      await stage.serve(last) { stage.expectLoaded($0, $1) }
    })
}

extension Stage {
  /// The code that was loaded answered, or nothing did.
  fileprivate func expectLoaded(_ client: Client, _ outcome: Outcome) {
    switch outcome {
    case .value(let value):
      let wanted = "\(client.id)" + String(repeating: " loaded", count: 6)
      expect(!client.isKiller && value == .string(wanted), "client \(client.id) got \(value)")
    case .items: violation("client \(client.id) got items")
    case .failure(let failure):
      let isKilled = client.isKiller && failure.code == Failure.Code.cpuLimit
      expect(isKilled || failure.code == Failure.Code.stateLost, "client \(client.id) got \(failure)")
    }
  }
}
