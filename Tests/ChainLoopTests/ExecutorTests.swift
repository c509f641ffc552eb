import ChainLoop
import ChainTesting
import Synchronization
import Testing

/// An actor that lives on a loop, as an embedder may write one.
private actor Resident {
  private let loop: any LaneLoop
  private let executor: any TaskExecutor & SerialExecutor
  private(set) var wrong = 0
  private var count = 0

  init(on loop: any LaneLoop) {
    self.loop = loop
    executor = loop.executor
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  func look() {
    if !loop.isCurrent { wrong += 1 }
    count += 1
  }

  func visit(_ other: Resident, times: Int) async {
    for _ in 0..<times {
      look()
      await other.look()
      look()
    }
  }
}

/// Numbers that async code may count up anywhere.
private final class Counter: Sendable {
  let value = Atomic<Int>(0)
  func add() { value.add(1, ordering: .relaxed) }
  var total: Int { value.load(ordering: .relaxed) }
}

@concurrent private func elsewhere() async { await Task.yield() }

@Suite("Async code on a loop", .timeLimit(.minutes(2)))
struct ExecutorTests {
  @Test("code of two actors on two loops is never on a wrong one", arguments: World.allCases)
  func actors(world: World) async {
    let environment = world.make()
    let loops = (0..<2).map { ScriptedClient().makeLoop(in: environment, name: "loop-\($0)") }
    for loop in loops { loop.start() }
    let residents = loops.map { Resident(on: $0) }
    let done = Counter()
    for index in 0..<2 {
      for _ in 0..<4 {
        Task(executorPreference: loops[index].executor) {
          await residents[index].visit(residents[1 - index], times: 250)
          if await residents[index].wrong + residents[1 - index].wrong == 0 { done.add() }
        }
      }
    }
    #expect(environment.wait { done.total == 8 })
    for loop in loops { loop.stop() }
  }

  @available(macOS 26.0, *)
  @Test("an async function that does not suspend ends inside the message that starts it", arguments: World.allCases)
  func immediate(world: World) {
    let environment = world.make()
    let record = Record<String>()
    let loop = ScriptedClient().makeLoop(in: environment)
    loop.start()
    loop.post {
      Task.immediate(executorPreference: loop.executor) { record.add("task") }
      record.add("message")
    }
    #expect(environment.wait { record.count == 2 })
    #expect(record.entries == ["task", "message"])
    loop.stop()
  }

  @available(macOS 26.0, *)
  @Test("after yields, other executors and workers it comes back to its loop", arguments: World.allCases)
  func comesBack(world: World) {
    let environment = world.make()
    let right = Counter()
    let wrong = Counter()
    let loop = ScriptedClient().makeLoop(in: environment)
    let other = ScriptedClient().makeLoop(in: environment, name: "other")
    loop.start()
    other.start()
    let resident = Resident(on: other)
    for _ in 0..<50 {
      loop.post {
        Task.immediate(executorPreference: loop.executor) {
          func look() { if loop.isCurrent { right.add() } else { wrong.add() } }
          look()
          await Task.yield()
          look()
          await elsewhere()
          look()
          await resident.look()
          look()
          await withUnsafeContinuation { continuation in environment.runOnWorker { continuation.resume() } }
          look()
        }
      }
    }
    #expect(environment.wait { right.total + wrong.total == 250 })
    #expect(wrong.total == 0)
    loop.stop()
    other.stop()
  }

  @Test("messages and jobs keep one order", arguments: World.allCases)
  func oneOrder(world: World) {
    let environment = world.make()
    let record = Record<Int>()
    let loop = ScriptedClient().makeLoop(in: environment)
    for number in 0..<100 {
      if number % 2 == 0 {
        loop.post { record.add(number) }
      } else {
        Task(executorPreference: loop.executor) { record.add(number) }
      }
    }
    loop.start()
    #expect(environment.wait { record.count == 100 })
    #expect(record.entries == Array(0..<100))
    loop.stop()
  }

  @Test("a task that waits when its loop ends is not forgotten", arguments: World.allCases)
  func lateJobs(world: World) {
    let environment = world.make()
    let record = Record<Bool>()
    let loop = ScriptedClient().makeLoop(in: environment)
    let executor = loop.executor
    loop.start()
    for _ in 0..<10 {
      Task(executorPreference: executor) {
        for _ in 0..<20 { await Task.yield() }
        record.add(loop.isCurrent)
      }
    }
    loop.stop()
    Task(executorPreference: executor) { record.add(loop.isCurrent) }
    #expect(environment.wait { record.count == 11 })
    #expect(record.entries.allSatisfy { $0 })
  }

  @Test("an actor may say where it is", arguments: World.allCases)
  func isolation(world: World) {
    let environment = world.make()
    let record = Record<Bool>()
    let loop = ScriptedClient().makeLoop(in: environment)
    loop.start()
    let resident = Resident(on: loop)
    loop.post {
      // A plain message is on the actor's executor, though Swift did not bring it there.
      resident.assumeIsolated { _ in record.add(true) }
    }
    #expect(environment.wait { record.count == 1 })
    loop.stop()
  }

  @Test("an actor's code on a wrong thread ends the process at once")
  func wrongThread() async {
    await #expect(processExitsWith: .failure) {
      let loop = ScriptedClient().makeLoop(in: RealEnvironment())
      let resident = Resident(on: loop)
      func trespass() { resident.assumeIsolated { _ in } }
      trespass()
    }
  }
}
