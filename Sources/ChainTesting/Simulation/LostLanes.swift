import ChainBase
import ChainHost

extension Simulation {
  /// Lanes stop for ever, or for a while, between any two of their events.
  static let lostLanes = Property(
    name: "lost", number: 21, sentence: "With lanes lost at any step, loads, requests and the exit finish, and the rest is served.", seeds: 300,
    draw: { chance, scale in
      var shape = Shape()
      (shape.wraps, shape.endless) = (true, chance.happens(perThousand: 300))
      var world = chaos(&chance, scale, shape, ticks: true, clients: 2...10)
      world.lanes = Int(chance.within(1...3))
      world.faults.losesNamed = "lane"
      world.faults.losesPerThousand = chance.within(1...30)
      world.faults.mostLost = Int(chance.within(1...4))
      world.faults.returnsPerThousand = [0, 500, 1_000][Int(chance.below(3))]
      if chance.happens(perThousand: 300) { world.shutdownAfter = chance.below(20_000_000_000) }
      return world
    },
    body: { stage in
      await withTaskGroup(of: Void.self) { group in
        if let time = stage.world.shutdownAfter {
          group.addTask {
            await stage.clock.sleep(nanoseconds: time)
            await stage.shutdown()
          }
        }
        group.addTask {
          do { if stage.world.shutdownAfter != nil { try await stage.load() } } catch {
            stage.expect(stage.isShutDown, "the graph did not load: \(error)")
          }
          await stage.serve(stage.world.clients) { stage.judge($0, $1, allowed: ordinaryWithLosses) }
          guard stage.world.shutdownAfter == nil else { return }
          await stage.serveAfterLosses()
        }
      }
    })

  static let ordinaryWithLosses = ordinary.union([Failure.Code.stateLost])
}

extension Stage {
  /// When no lane is lost any more, everybody is served: none of them was left with a request that waits for ever.
  fileprivate func serveAfterLosses() async {
    for attempt in 1...20 {
      var client = Client(id: 1_000 + attempt, entry: world.clients[0].entry, streams: world.clients[0].streams)
      client.timeout = 1_000_000_000
      let outcome = await ask(client)
      guard case .failure(let failure) = outcome, failure.code == Failure.Code.stateLost else {
        return judge(client, outcome, allowed: Simulation.ordinary)
      }
    }
    violation("the lanes are lost one after the other, more often than the seed allows")
  }
}
