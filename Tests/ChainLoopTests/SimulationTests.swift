import ChainLoop
import ChainTesting
import Testing

@Suite("The simulation", .timeLimit(.minutes(2)))
struct SimulationTests {
  /// Three loops that post to each other, wait, work and answer, all by the environment's chance.
  private func play(seed: UInt64, faults: Faults) -> (log: [SimulatedEvent], digest: UInt64, order: [String]) {
    let simulation = SimulatedEnvironment(seed: seed, faults: faults)
    simulation.keepsLog = true
    let record = Record<String>()
    let loops = (0..<3).map { number in
      let client = ScriptedClient()
      client.started = { $0.requestTurns() }
      client.fired = { _ in record.add("\(number) timer") }
      client.turned = { loop in
        record.add("\(number) turn")
        loop.setTimer(at: simulation.now() + simulation.random() % 10_000_000)
        return record.count < 40
      }
      return client.makeLoop(in: simulation, name: "loop-\(number)")
    }
    for (number, loop) in loops.enumerated() {
      loop.start()
      for round in 0..<5 {
        let next = loops[(number + 1) % 3]
        loop.post {
          simulation.runOnWorker { next.post { record.add("\(number) worked \(round)") } }
          Task(executorPreference: next.executor) {
            await Task.yield()
            record.add("\(number) async \(round)")
          }
        }
      }
    }
    #expect(simulation.runUntilIdle(limit: 100_000))
    for loop in loops { loop.stop() }
    return (simulation.log, simulation.digest, record.entries)
  }

  @Test("one seed, one log; another seed, another schedule")
  func replay() {
    var digests = Set<UInt64>()
    var orders = Set<[String]>()
    for seed in UInt64(0)..<100 {
      let faults = seed % 2 == 0 ? Faults.none : .drawn(seed: seed)
      let first = play(seed: seed, faults: faults)
      let second = play(seed: seed, faults: faults)
      #expect(first.log == second.log)
      #expect(first.digest == second.digest)
      #expect(first.order == second.order)
      digests.insert(first.digest)
      orders.insert(first.order)
    }
    #expect(digests.count == 100)
    #expect(orders.count == 100)
  }

  @Test("the numbers of a seed are the same for ever")
  func generator() {
    var generator = SeededGenerator(seed: 42)
    let numbers = (0..<3).map { _ in generator.next() }
    #expect(numbers == [1_546_998_764_402_558_742, 6_990_951_692_964_543_102, 12_544_586_762_248_559_009])
  }

  @Test("the order of two loops' messages in a third depends on the seed, each one's own order never")
  func interleaving() {
    var orders = Set<[String]>()
    for seed in UInt64(0)..<50 {
      let simulation = SimulatedEnvironment(seed: seed)
      let record = Record<String>()
      let target = ScriptedClient().makeLoop(in: simulation, name: "target")
      target.start()
      for sender in ["a", "b"] {
        let loop = ScriptedClient().makeLoop(in: simulation, name: sender)
        loop.start()
        for number in 0..<3 { loop.post { target.post { record.add("\(sender)\(number)") } } }
      }
      simulation.runUntilIdle()
      #expect(record.entries.filter { $0.hasPrefix("a") } == ["a0", "a1", "a2"])
      #expect(record.entries.filter { $0.hasPrefix("b") } == ["b0", "b1", "b2"])
      orders.insert(record.entries)
      simulation.abandon()
    }
    #expect(orders.count > 10)
  }

  @Test("the clock jumps to the next timer, and a year costs nothing")
  func clock() {
    let simulation = SimulatedEnvironment(seed: 1)
    let year: UInt64 = 365 * 24 * 3_600 * 1_000_000_000
    let record = Record<UInt64>()
    let client = ScriptedClient()
    client.started = { $0.setTimer(at: simulation.now() + year) }
    client.fired = { _ in record.add(simulation.now()) }
    let loop = client.makeLoop(in: simulation)
    loop.start()
    let begin = simulation.now()
    simulation.advance(nanoseconds: year / 2)
    #expect(record.count == 0)
    #expect(simulation.now() == begin + year / 2)
    #expect(simulation.runUntilIdle())
    #expect(record.count == 1 && record.entries[0] - begin < year + 1_000_000)
    loop.stop()
  }

  @Test("work that takes time moves the clock")
  func spend() {
    let simulation = SimulatedEnvironment(seed: 1, instructionsPerSlice: 77)
    #expect(simulation.instructionsPerSlice == 77)
    let before = simulation.now()
    (simulation as any Environment).spend(nanoseconds: 5_000_000)
    #expect(simulation.now() == before + 5_000_000)
  }

  @Test("async code runs to its end inside the simulation")
  func runBody() throws {
    struct Refusal: Error {}
    let simulation = SimulatedEnvironment(seed: 3)
    let answer = try simulation.run {
      await withUnsafeContinuation { continuation in simulation.runOnWorker { continuation.resume(returning: 42) } }
    }
    #expect(answer == 42)
    #expect(throws: Refusal.self) { try simulation.run { throw Refusal() } }
  }

  @Test("what never ends is said, with the seed")
  func stuck() {
    let simulation = SimulatedEnvironment(seed: 9)
    let waiting = Monitor<UnsafeContinuation<Void, Never>?>(nil)
    let wasCancelled = Record<Bool>()
    let error = #expect(throws: SimulationStuck.self) {
      try simulation.run {
        await withUnsafeContinuation { continuation in waiting.withLock { $0 = continuation } }
        wasCancelled.add(Task.isCancelled)
      }
    }
    #expect(error?.isIdle == true)
    #expect(error.map { "\($0)".contains("seed 9") } == true)
    // It is cancelled, and still ends if it can.
    waiting.withLock { $0 }?.resume()
    simulation.runUntilIdle()
    #expect(wasCancelled.entries == [true])
  }

  @Test("a lost loop stands still and goes on when it comes back")
  func lost() {
    let simulation = SimulatedEnvironment(seed: 5)
    let record = Record<String>()
    let client = ScriptedClient()
    client.stopped = { _ in record.add("stopped") }
    let loop = client.makeLoop(in: simulation)
    loop.start()
    loop.post { record.add("before") }
    simulation.runUntilIdle()
    simulation.lose(loop)
    loop.post { record.add("after") }
    #expect(simulation.runUntilIdle())
    #expect(record.entries == ["before"])
    loop.requestStop()
    #expect(simulation.runUntilIdle())
    #expect(record.entries == ["before"])
    simulation.recover(loop)
    #expect(simulation.runUntilIdle())
    #expect(record.entries == ["before", "stopped"])
  }

  @Test("faults lose loops when they are told to, and no more than told")
  func losing() {
    var faults = Faults()
    faults.losesPerThousand = 100
    faults.mostLost = 2
    let simulation = SimulatedEnvironment(seed: 4, faults: faults)
    let record = Record<Int>()
    for number in 0..<4 {
      let client = ScriptedClient()
      client.started = { $0.requestTurns() }
      let turns = Record<Int>()
      client.turned = { _ in
        turns.add(number)
        if turns.count == 500 { record.add(number) }
        return turns.count < 500
      }
      client.makeLoop(in: simulation, name: "loop-\(number)").start()
    }
    #expect(simulation.runUntilIdle())
    #expect(record.count == 2)
    simulation.abandon()
  }

  @Test("a stop that would wait for ever ends the test at once")
  func stopOfLostLoop() async {
    await #expect(processExitsWith: .failure) {
      let simulation = SimulatedEnvironment(seed: 1)
      let loop = ScriptedClient().makeLoop(in: simulation)
      loop.start()
      simulation.lose(loop)
      loop.stop()
    }
  }
}
