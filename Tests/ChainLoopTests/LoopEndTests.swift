import ChainLoop
import ChainTesting
import Testing

@Suite("The end of a loop", .timeLimit(.minutes(2)))
struct LoopEndTests {
  private func makeClient(_ record: Record<String>) -> ScriptedClient {
    let client = ScriptedClient()
    client.started = { _ in record.add("started") }
    client.turned = { _ in
      record.add("turn")
      return true
    }
    client.fired = { _ in record.add("timer") }
    client.stopped = { _ in record.add("stopped") }
    return client
  }

  @Test("stop waits for the loop's last call, and later messages are dropped", arguments: World.allCases)
  func stop(world: World) {
    let environment = world.make()
    let record = Record<String>()
    let loop = makeClient(record).makeLoop(in: environment)
    loop.start()
    loop.post { record.add("message") }
    #expect(environment.wait { record.count == 2 })
    loop.stop()
    #expect(record.entries == ["started", "message", "stopped"])
    loop.post { record.add("late") }
    loop.stop()
    loop.requestStop()
    _ = (environment as? SimulatedEnvironment)?.runUntilIdle()
    #expect(record.entries == ["started", "message", "stopped"])
  }

  @Test("a loop that stops itself ends after the message at hand", arguments: World.allCases)
  func stopFromInside(world: World) {
    let environment = world.make()
    let record = Record<String>()
    let loop = makeClient(record).makeLoop(in: environment)
    loop.post {
      loop.requestTurns()
      loop.setTimer(at: environment.now())
      loop.post { record.add("behind") }
      loop.stop()
      loop.post { record.add("after") }
      record.add("message")
    }
    loop.post { record.add("waiting") }
    loop.start()
    #expect(environment.wait { record.count == 3 })
    loop.stop()
    #expect(record.entries == ["started", "message", "stopped"])
  }

  @Test("a turn and a timer may stop their loop", arguments: World.allCases)
  func stopFromTurnAndTimer(world: World) {
    let environment = world.make()
    let record = Record<String>()
    let turner = makeClient(record)
    turner.started = { $0.requestTurns() }
    turner.turned = {
      $0.stop()
      return true
    }
    let sleeper = makeClient(record)
    sleeper.started = { $0.setTimer(at: environment.now() + 3_000_000) }
    sleeper.fired = { $0.stop() }
    for client in [turner, sleeper] { client.makeLoop(in: environment).start() }
    #expect(environment.wait { record.count == 2 })
    #expect(record.entries == ["stopped", "stopped"])
  }

  @Test("a loop that was never started ends without a call", arguments: World.allCases)
  func stopBeforeStart(world: World) {
    let environment = world.make()
    let record = Record<String>()
    let loop = makeClient(record).makeLoop(in: environment)
    loop.post { record.add("message") }
    loop.stop()
    loop.start()
    _ = (environment as? SimulatedEnvironment)?.runUntilIdle()
    #expect(record.entries == [])
  }

  @Test("several may stop one loop", arguments: World.allCases)
  func stopByMany(world: World) {
    let environment = world.make()
    let record = Record<String>()
    let loop = makeClient(record).makeLoop(in: environment)
    loop.start()
    let done = Record<Bool>()
    for _ in 0..<4 {
      environment.runOnWorker {
        loop.stop()
        done.add(record.entries.last == "stopped")
      }
    }
    #expect(environment.wait { done.count == 4 })
    #expect(done.entries.allSatisfy { $0 })
  }

  @Test("requestStop does not wait; the loop ends by itself", arguments: World.allCases)
  func requestStop(world: World) {
    let environment = world.make()
    let record = Record<String>()
    let loop = makeClient(record).makeLoop(in: environment)
    loop.start()
    loop.requestStop()
    loop.post { record.add("late") }
    #expect(environment.wait { record.count == 2 })
    #expect(record.entries == ["started", "stopped"])
  }

  @Test("what a dropped message holds may post as it ends", arguments: World.allCases)
  func postFromDeinit(world: World) {
    final class Poster: Sendable {
      let loop: any LaneLoop
      init(loop: any LaneLoop) { self.loop = loop }
      deinit { loop.post {} }
    }
    let environment = world.make()
    let loop = ScriptedClient().makeLoop(in: environment)
    loop.start()
    loop.post { loop.stop() }
    for _ in 0..<200 {
      let poster = Poster(loop: loop)
      loop.post { _ = poster }
    }
    loop.stop()
  }

  @Test("loop, client and messages are let go", arguments: World.allCases)
  func noLeak(world: World) {
    final class Weak: @unchecked Sendable {
      // Written before the loop starts, read after it has ended.
      weak var client: ScriptedClient?
      weak var loop: (any LaneLoop)?
    }
    let environment = world.make()
    let rounds = (0..<20).map { round in
      let held = Weak()
      let client = ScriptedClient()
      client.started = { $0.requestTurns() }
      let loop = client.makeLoop(in: environment)
      held.client = client
      held.loop = loop
      if round > 0 { loop.start() }
      for _ in 0..<100 { loop.post { [client] in _ = client } }
      loop.stop()
      return held
    }
    // A thread lets go a moment after it has said that it has ended.
    #expect(environment.wait { rounds.allSatisfy { $0.client == nil && $0.loop == nil } })
  }
}
