import ChainLoop
import ChainTesting
import Testing

/// What every environment promises; the same cases on the real and the simulated one.
@Suite("Loops", .timeLimit(.minutes(2)))
struct LoopContractTests {
  @Test("messages run in the order of posting, those from before the start too", arguments: World.allCases)
  func order(world: World) {
    let environment = world.make()
    let record = Record<Int>()
    let loop = ScriptedClient().makeLoop(in: environment)
    for number in 0..<500 { loop.post { record.add(number) } }
    #expect(record.count == 0)
    loop.start()
    for number in 500..<1_000 { loop.post { record.add(number) } }
    #expect(environment.wait { record.count == 1_000 })
    #expect(record.entries == Array(0..<1_000))
    loop.stop()
  }

  @Test("a message that is posted by a message comes after those that wait", arguments: World.allCases)
  func postFromInside(world: World) {
    let environment = world.make()
    let record = Record<String>()
    let loop = ScriptedClient().makeLoop(in: environment)
    loop.post {
      record.add("first")
      loop.post { record.add("third") }
    }
    loop.post { record.add("second") }
    loop.start()
    #expect(environment.wait { record.count == 3 })
    #expect(record.entries == ["first", "second", "third"])
    loop.stop()
  }

  @Test("all of a client's calls come on its loop, and no other loop takes them for its own", arguments: World.allCases)
  func currency(world: World) {
    let environment = world.make()
    let record = Record<[Bool]>()
    let other = ScriptedClient().makeLoop(in: environment, name: "other")
    let client = ScriptedClient()
    let note = { @Sendable (loop: any LaneLoop) in record.add([loop.isCurrent, other.isCurrent]) }
    client.started = {
      note($0)
      $0.requestTurns()
      $0.setTimer(at: environment.now() + 1_000_000)
    }
    client.turned = {
      note($0)
      return false
    }
    client.fired = note
    client.stopped = note
    let loop = client.makeLoop(in: environment)
    #expect(!loop.isCurrent)
    other.start()
    loop.start()
    loop.post { note(loop) }
    #expect(environment.wait { record.count == 4 })
    loop.stop()
    other.stop()
    #expect(record.entries == Array(repeating: [true, false], count: 5))
    #expect(!loop.isCurrent)
  }

  @Test("a flood of messages lets turns and the timer in between", arguments: World.allCases)
  func bound(world: World) {
    let environment = world.make()
    let record = Record<String>()
    let client = ScriptedClient()
    client.started = {
      $0.setTimer(at: environment.now())
      $0.requestTurns()
    }
    client.fired = { _ in record.add("timer") }
    client.turned = { _ in
      record.add("turn")
      return record.count < 2_000
    }
    let loop = client.makeLoop(in: environment)
    for _ in 0..<1_000 { loop.post { record.add("message") } }
    loop.start()
    #expect(environment.wait { record.entries.count(where: { $0 == "message" }) == 1_000 })
    loop.stop()
    let entries = record.entries
    let last = entries.lastIndex(of: "message")!
    #expect(entries[..<last].contains("timer"))
    #expect(entries[..<last].count(where: { $0 == "turn" }) >= 1_000 / 64 - 1)
    if case .real = world {
      // Never more than a batch in one event, and an event of the wake-up may follow one of the idle handle.
      #expect(entries.split(separator: "turn").allSatisfy { $0.count <= 2 * 64 + 1 })
    }
  }

  @Test("endless turns let messages and the timer in", arguments: World.allCases)
  func endlessTurns(world: World) {
    let environment = world.make()
    let record = Record<String>()
    let client = ScriptedClient()
    client.started = {
      $0.requestTurns()
      $0.setTimer(at: environment.now() + 2_000_000)
    }
    client.turned = { _ in true }
    client.fired = { _ in record.add("timer") }
    let loop = client.makeLoop(in: environment)
    loop.start()
    #expect(environment.wait { record.count == 1 })
    loop.post { record.add("message") }
    #expect(environment.wait { record.count == 2 })
    loop.stop()
  }

  @Test("turns go on until one says no, and one that is asked for in a turn comes", arguments: World.allCases)
  func turns(world: World) {
    let environment = world.make()
    let record = Record<String>()
    let client = ScriptedClient()
    client.turned = { loop in
      record.add("turn")
      if record.count == 3 { loop.requestTurns() }
      return record.count < 3
    }
    let loop = client.makeLoop(in: environment)
    loop.start()
    loop.post { loop.requestTurns() }
    #expect(environment.wait { record.count == 4 })
    let later = Record<Int>()
    for number in 0..<200 { loop.post { later.add(number) } }
    #expect(environment.wait { later.count == 200 })
    #expect(record.count == 4)
    loop.stop()
  }

  @Test("the timer never fires early, once, and at the last moment that was set", arguments: World.allCases)
  func timer(world: World) {
    let environment = world.make()
    let record = Record<UInt64>()
    let deadline = Monitor<UInt64>(0)
    let client = ScriptedClient()
    client.fired = { _ in record.add(environment.now()) }
    client.started = { loop in
      let now = environment.now()
      loop.setTimer(at: now + 1_000_000)
      loop.setTimer(at: now + 60_000_000_000)
      loop.setTimer(at: now + 7_300_000)
      deadline.withLock { $0 = now + 7_300_000 }
    }
    let loop = client.makeLoop(in: environment)
    loop.start()
    #expect(environment.wait { record.count == 1 })
    #expect(record.entries[0] >= deadline.withLock { $0 })
    loop.stop()
    #expect(record.count == 1)
  }

  @Test("a cleared timer does not fire, even if its moment has come", arguments: World.allCases)
  func clearedTimer(world: World) {
    let environment = world.make()
    let record = Record<String>()
    let client = ScriptedClient()
    client.fired = { _ in record.add("timer") }
    client.started = { loop in
      loop.setTimer(at: environment.now())
      loop.setTimer(at: nil)
      loop.setTimer(at: environment.now() + 1_000)
      loop.setTimer(at: nil)
    }
    let loop = client.makeLoop(in: environment)
    loop.start()
    let other = ScriptedClient()
    other.started = { $0.setTimer(at: environment.now() + 5_000_000) }
    other.fired = { _ in record.add("other timer") }
    let clock = other.makeLoop(in: environment)
    clock.start()
    #expect(environment.wait { record.count == 1 })
    #expect(record.entries == ["other timer"])
    loop.stop()
    clock.stop()
  }

  @Test("a timer that is due and set again and again starves nobody", arguments: World.allCases)
  func restartedTimer(world: World) {
    let environment = world.make()
    let record = Record<String>()
    let client = ScriptedClient()
    client.started = { $0.setTimer(at: 0) }
    client.fired = { $0.setTimer(at: environment.now()) }
    let loop = client.makeLoop(in: environment)
    loop.start()
    loop.post { record.add("from outside") }
    loop.post { loop.post { record.add("from inside") } }
    #expect(environment.wait { record.count == 2 })
    loop.stop()
  }

  @Test("a thousand timers in a row all come", arguments: World.allCases)
  func timersInARow(world: World) {
    let environment = world.make()
    let record = Record<UInt64>()
    let client = ScriptedClient()
    client.started = { $0.setTimer(at: environment.now() + 1) }
    client.fired = { loop in
      record.add(environment.now())
      // Some are there already when they are set, and some are not.
      if record.count < 1_000 { loop.setTimer(at: environment.now() + UInt64(record.count % 7) * 10_000) }
    }
    let loop = client.makeLoop(in: environment)
    loop.start()
    #expect(environment.wait { record.count == 1_000 })
    #expect(record.entries == record.entries.sorted())
    loop.stop()
  }

  @Test("a worker's job runs off every loop and answers by a message", arguments: World.allCases)
  func workers(world: World) {
    let environment = world.make()
    let record = Record<String>()
    let loop = ScriptedClient().makeLoop(in: environment)
    loop.start()
    for _ in 0..<100 {
      environment.runOnWorker {
        let place = loop.isCurrent ? "on the loop" : "off the loop"
        loop.post { record.add("\(place), then \(loop.isCurrent ? "on it" : "off it")") }
      }
    }
    #expect(environment.wait { record.count == 100 })
    #expect(record.entries.allSatisfy { $0 == "off the loop, then on it" })
    loop.stop()
  }

  @Test("many loops pass a message round", arguments: World.allCases)
  func ring(world: World) {
    let environment = world.make()
    let laps = Record<Int>()
    let loops = (0..<5).map { ScriptedClient().makeLoop(in: environment, name: "loop-\($0)") }
    @Sendable func pass(_ step: Int) {
      if !loops[step % 5].isCurrent { return }
      laps.add(step)
      if step < 499 { loops[(step + 1) % 5].post { pass(step + 1) } }
    }
    for loop in loops { loop.start() }
    loops[0].post { pass(0) }
    #expect(environment.wait { laps.count == 500 })
    #expect(laps.entries == Array(0..<500))
    for loop in loops { loop.stop() }
  }
}
