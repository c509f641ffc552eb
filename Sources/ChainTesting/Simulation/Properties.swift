import ChainBase
import ChainHost

extension Simulation {
  /// All properties, in the order of the design.
  public static let properties: [Property] = [
    Property(
      name: "updates", number: 1, sentence: "Updates without a wait survive short slices.", seeds: 400,
      draw: { chance, scale in
        var world = chaos(&chance, scale, Shape(wraps: true, spin: 2_000))
        world.instructionsPerSlice = Int32(chance.within(50...300))
        world.eventLimit = 2_000_000
        return world
      }, body: served),
    Property(
      name: "versions", number: 2, sentence: "Every version in an answer is the request's.", seeds: 900,
      draw: { chance, scale in
        var world = chaos(&chance, scale, Shape())
        world.other = world.source.replacing(", c = 0 }", with: ", c = 1 }")
        for index in world.clients.indices { world.clients[index].asksOther = chance.happens(perThousand: 500) }
        return world
      }, body: served),
    Property(
      name: "serial", number: 3, sentence: "With limits of 1 and no streams nothing deadlocks; every request succeeds.", seeds: 1_000,
      draw: { chance, scale in
        var shape = Shape(concurrency: 1...1, streams: false, errors: false, timeouts: false, locks: false)
        shape.closers = false
        // A task that waits for another's slot while it is not awaited itself cannot stand on a ring.
        shape.taskLimits = false
        var world = chaos(&chance, scale, shape)
        world.clients = world.clients.map(\.patient)
        return world
      },
      body: { stage in
        await stage.serve(stage.world.clients) { client, outcome in
          if case .failure(let failure) = outcome { stage.violation("client \(client.id) got \(failure)") }
          stage.judge(client, outcome, allowed: [])
        }
      }),
    Rings.property, fanOut,
    Property(
      name: "cancelled", number: 13, sentence: "No cancelled request runs on, whatever pcall it has.", seeds: 1_400,
      draw: { chance, scale in
        var shape = Shape()
        (shape.endless, shape.wraps, shape.background) = (true, true, false)
        var world = chaos(&chance, scale, shape, ticks: true)
        for index in world.clients.indices { world.clients[index].cancelAfter = chance.below(60_000_000) }
        return world
      }, body: served),
    Property(
      name: "outcomes", number: 14, sentence: "Answers racing cancel, timeout and break: one outcome, nothing is left behind.", seeds: 3_000,
      draw: { chance, scale in chaos(&chance, scale, Shape(wraps: true)) }, body: served),
    slotOfABreak, burst, lostLanes, stopping, kills, failingRebuilds, edits, killerOnce,
    Property(
      name: "rest", number: 25, sentence: "At rest nothing is held, and memory does not grow from one round to the next.", seeds: 200,
      draw: { chance, scale in
        var world = chaos(&chance, scale, Shape(wraps: true), clients: 2...10)
        world.rounds = 12
        world.eventLimit = 3_000_000
        return world
      }, body: inRounds),
  ]

  /// What a request may end with in a world where everything may happen.
  static let ordinary: Set<String> = [
    Failure.Code.failed, "busy", Failure.Code.cancelled, Failure.Code.timeout, Failure.Code.deadlock,
  ]

  /// A random graph and random clients.
  static func chaos(
    _ chance: inout SeededGenerator, _ scale: Scale, _ shape: Shape, ticks: Bool = false, clients count: ClosedRange<UInt64> = 1...8
  ) -> World {
    var world = World()
    let plans = Plan.graph(&chance, shape)
    var entries = Plan.entries(plans, &chance)
    if entries.isEmpty { entries = [plans[0]] }
    let writer = GraphWriter(plans: plans, entries: entries, shape: shape, ticks: ticks, maxSteps: scale.steps)
    world.source = writer.source(&chance)
    world.lanes = Int(chance.within(1...2))
    world.faults = Faults.drawn(seed: chance.next())
    world.instructionsPerSlice = Int32(chance.within(600...3_000))
    let clients = (0..<Int(chance.within(count))).map { Client.drawn($0 + 1, &chance, entries: entries) }
    world.clients = Array(clients.prefix(scale.clients))
    return world
  }

  private static let served: @Sendable (Stage) async throws -> Void = { stage in
    await stage.serve(stage.world.clients) { stage.judge($0, $1, allowed: ordinary) }
  }

  /// Memory may grow while pools and tables find their size, but not for ever.
  private static let inRounds: @Sendable (Stage) async throws -> Void = { stage in
    var before = 0
    for _ in 0..<stage.world.rounds {
      await stage.serve(stage.world.clients) { stage.judge($0, $1, allowed: ordinary) }
      await stage.rest()
      guard let host = stage.host, stage.violations.isEmpty else { return }
      let memory = await host.memoryWithoutPools()
      if before > 0, memory <= before + 300 { return }
      before = memory
    }
    stage.violation("memory grows in every one of \(stage.world.rounds) rounds, to \(before) bytes")
  }
}

extension Client {
  /// As it is, but waiting for the end.
  var patient: Client {
    var client = self
    client.timeout = nil
    client.cancelAfter = nil
    client.reads = nil
    return client
  }
}
