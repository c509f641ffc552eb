import ChainLoop

/// The seam's twin for tests: any number of loops in the calling thread, under a schedule that the seed alone decides
/// and a clock that moves only when something happens. Whatever it finds happens again with the same seed.
///
/// One thread makes it, drives it and lets it go. Posts from other threads are safe, but not in the seed's hands: keep
/// a test's async code on an executor of the simulation, as `run(_:)` does. A loop keeps its client until it has
/// stopped, so a simulation that is dropped midway calls `abandon` first.
public final class SimulatedEnvironment: Environment {
  public let seed: UInt64
  public let instructionsPerSlice: Int32

  private struct State {
    var schedule: Schedule
    var chance: SeededGenerator
    var keepsLog = false
    var log: [SimulatedEvent] = []
    var digest: UInt64
    /// The loops whose events are on the stack, the innermost last: more than one where an event stops a loop.
    var active: [Int] = []

    mutating func note(_ choice: Schedule.Choice) {
      let event: SimulatedEvent
      var number: UInt64 = 0
      switch choice {
      case .work: event = SimulatedEvent(time: schedule.now, loop: nil, kind: .work)
      case .loop(let index, let kind):
        number = UInt64(index) + 1
        event = SimulatedEvent(time: schedule.now, loop: schedule.loops[index].name, kind: kind)
      }
      digest = SeededGenerator.mix(digest ^ event.time ^ number << 48 ^ UInt64(event.kind.rawValue) << 40) &+ 1
      if keepsLog { log.append(event) }
    }
  }

  private let state: Monitor<State>

  /// Any thread.
  public init(seed: UInt64, faults: Faults = .none, instructionsPerSlice: Int32 = 1_000) {
    self.seed = seed
    self.instructionsPerSlice = instructionsPerSlice
    var root = SeededGenerator(seed: seed)
    let schedule = Schedule(chance: root.split(), faults: faults)
    state = Monitor(State(schedule: schedule, chance: root.split(), digest: seed))
  }

  // MARK: The seam

  /// Any thread. Virtual time.
  public func now() -> UInt64 { withSchedule { $0.now } }

  /// Any thread. Virtual time since the beginning of 2026.
  public func wallClock() -> Int64 { 1_767_225_600_000_000_000 + Int64(now()) }

  /// Any thread.
  public func random() -> UInt64 { state.withLock { $0.chance.next() } }

  /// The driving thread. Moves the clock, as work that takes time does: a lane calls it with the instructions that a
  /// slice took.
  public func spend(nanoseconds: UInt64) { withSchedule { $0.now += nanoseconds } }

  public func makeLoop(name: String, client: any LoopClient) -> any LaneLoop {
    let door = withSchedule { schedule in
      let door = SimulatedLoop.Door(environment: self, index: schedule.loops.count)
      schedule.loops.append(Schedule.Loop(name: name, door: door, client: client))
      return door
    }
    return SimulatedLoop(environment: self, door: door)
  }

  /// Any thread. The work runs at a moment of the seed's choice, in no loop.
  public func runOnWorker(_ work: @escaping @Sendable () -> Void) { withSchedule { $0.submit(work) } }

  /// Any thread. The work runs next, in no loop, unless something else is chosen before.
  public func runAtOnce(_ work: @escaping @Sendable () -> Void) { withSchedule { $0.submitAtOnce(work) } }

  // MARK: Driving, by one thread and not from inside an event

  /// Lets one event happen, after a jump of the clock if nothing is to be done now; false if nothing will ever be.
  @discardableResult
  public func step() -> Bool { step(horizon: .max) }

  /// Lets events happen until the condition holds: true; or until nothing is left to do or `limit` have happened.
  @discardableResult
  public func run(until condition: () -> Bool, limit: Int = 1_000_000) -> Bool {
    for _ in 0..<limit {
      if condition() { return true }
      if !step() { break }
    }
    return condition()
  }

  /// Lets events happen until no message, turn, timer or work is left: true; or until `limit` have happened: false.
  @discardableResult
  public func runUntilIdle(limit: Int = 1_000_000) -> Bool {
    for _ in 0..<limit where !step() { return true }
    return false
  }

  /// Lets time pass, and happen what comes in it. An event that begins in time may end a little later.
  public func advance(nanoseconds: UInt64) {
    let end = now() + nanoseconds
    while now() < end && step(horizon: end) {}
    withSchedule { $0.now = max($0.now, end) }
  }

  /// Runs async code inside the simulation, on a loop of its own that stands for the world outside, and lets events
  /// happen until it has ended. Throws what it throws, or cancels it and throws `SimulationStuck`.
  public func run<Value: Sendable>(
    limit: Int = 1_000_000, _ body: @escaping @Sendable () async throws -> Value
  ) throws -> Value {
    let outside = makeLoop(name: "outside", client: Bystander())
    outside.start()
    let outcome = Monitor<Result<Value, any Error>?>(nil)
    let task = Task(executorPreference: outside.executor) {
      do {
        let value = try await body()
        outcome.withLock { $0 = .success(value) }
      } catch {
        outcome.withLock { $0 = .failure(error) }
      }
    }
    let isDone = run(until: { outcome.withLock { $0 != nil } }, limit: limit)
    let isIdle = !isDone && !step()
    outside.stop()
    guard let result = outcome.withLock({ $0 }) else {
      task.cancel()
      throw SimulationStuck(seed: seed, time: now(), isIdle: isIdle)
    }
    return try result.get()
  }

  // MARK: Faults on demand

  /// Lets the loop stand still for a time. The driving thread, as the next two.
  public func stall(_ loop: any LaneLoop, nanoseconds: UInt64) {
    let index = SimulatedLoop.index(of: loop, in: self)
    withSchedule { $0.loops[index].standsUntil = max($0.loops[index].standsUntil, $0.now + nanoseconds) }
  }

  /// Loses the loop: it stands, as if stuck in C, until `recover`.
  public func lose(_ loop: any LaneLoop) {
    let index = SimulatedLoop.index(of: loop, in: self)
    withSchedule { $0.lose(index) }
  }

  /// Lets a lost loop go on where it stood.
  public func recover(_ loop: any LaneLoop) {
    let index = SimulatedLoop.index(of: loop, in: self)
    withSchedule { $0.loops[index].standsUntil = 0 }
  }

  // MARK: What happened

  /// Any thread. Whether `log` grows.
  public var keepsLog: Bool {
    get { state.withLock { $0.keepsLog } }
    set { state.withLock { $0.keepsLog = newValue } }
  }

  /// Any thread. The events since `keepsLog` was set.
  public var log: [SimulatedEvent] { state.withLock { $0.log } }

  /// Any thread. A number that two simulations share only if the same events happened to them at the same times.
  public var digest: UInt64 { state.withLock { $0.digest } }

  /// Drops every loop as it stands, without a word to its client. The driving thread; nothing happens afterwards.
  public func abandon() {
    // Let go outside the lock: what a client or a message holds may post as it ends.
    let dropped = withSchedule { schedule in
      let dropped = (schedule.loops.map(\.client), schedule.dropAllWork(), schedule.dropAllItems())
      for index in schedule.loops.indices {
        schedule.loops[index].client = nil
        schedule.loops[index].phase = .stopped
      }
      return dropped
    }
    _ = dropped
  }
}

// MARK: - Running events

extension SimulatedEnvironment {
  func withSchedule<Result: Sendable>(_ body: (inout Schedule) -> Result) -> Result {
    state.withLock { body(&$0.schedule) }
  }

  private func step(horizon: UInt64) -> Bool {
    let choice = state.withLock { state -> Schedule.Choice? in
      precondition(state.active.isEmpty, "the simulation is driven from inside one of its events")
      let choice = state.schedule.next(horizon: horizon)
      if let choice { state.note(choice) }
      return choice
    }
    switch choice {
    case nil: return false
    case .work(let index):
      let work = withSchedule { $0.takeWork(index) }
      work()
      withSchedule { $0.settle(nil) }
    case .loop(let index, let kind):
      asLoop(index) { run(kind, of: index) }
      withSchedule { $0.settle(index) }
    }
    return true
  }

  private func run(_ kind: SimulatedEvent.Kind, of index: Int) {
    switch kind {
    case .work: break
    case .start: begin(index)
    case .stop: leave(index)
    case .item:
      let item = withSchedule { $0.loops[index].mailbox.removeFirst() }
      item.run()
    case .turn:
      let client = withSchedule { schedule in
        schedule.loops[index].wantsTurns = false
        return schedule.loops[index].client
      }
      if client?.turn() == true { withSchedule { $0.loops[index].wantsTurns = true } }
    case .timer:
      let client = withSchedule { schedule in
        schedule.loops[index].timer = nil
        return schedule.loops[index].client
      }
      client?.timerFired()
    }
  }

  private func asLoop(_ index: Int, _ body: () -> Void) {
    let door = state.withLock { state in
      precondition(!state.active.contains(index), "a loop waits for the end of one that waits for its own")
      state.active.append(index)
      return state.schedule.loops[index].door
    }
    door.asCurrent(body)
    state.withLock { _ = $0.active.removeLast() }
  }

  private func begin(_ index: Int) {
    let client = withSchedule { schedule in
      schedule.loops[index].hasBegun = true
      return schedule.loops[index].client
    }
    client?.loopStarted()
  }

  /// `requestStop`: the loop takes no message any more, and leaves in an event of its own.
  func beginStop(_ index: Int) {
    let dropped = withSchedule { schedule -> (client: (any LoopClient)?, items: [MailboxItem]) in
      switch schedule.loops[index].phase {
      case .stopping, .stopped: return (nil, [])
      case .running:
        schedule.loops[index].phase = .stopping
        return (nil, [])
      case .made:
        schedule.loops[index].phase = .stopped
        defer { schedule.loops[index].client = nil }
        return (schedule.loops[index].client, schedule.dropMessages(of: index))
      }
    }
    _ = dropped
  }

  /// The rest of `stop`, called outside the loop: what would be waited for happens at once.
  func finish(_ index: Int) {
    let (isStopping, lost) = withSchedule { schedule -> (Bool, (any LoopClient)?) in
      guard schedule.loops[index].phase == .stopping, !schedule.loops[index].isGivenUp else { return (false, nil) }
      let stands = schedule.loops[index].standsUntil
      guard stands != .max else { return (false, schedule.loops[index].client) }
      schedule.now = max(schedule.now, stands)
      return (true, nil)
    }
    if let lost { precondition(lost.loopIsLost(), "stop would wait for ever, since the loop is lost: use requestStop") }
    guard isStopping else { return }
    state.withLock { $0.note(.loop(index, .stop)) }
    asLoop(index) { leave(index) }
  }

  /// The last event of a loop.
  private func leave(_ index: Int) {
    if !withSchedule({ $0.loops[index].hasBegun }) { begin(index) }
    let items = withSchedule { $0.loops[index].mailbox.removeAll() }
    for item in items where item.isJob { item.run() }
    let client = withSchedule { schedule in
      schedule.loops[index].phase = .stopped
      defer { schedule.loops[index].client = nil }
      return schedule.loops[index].client
    }
    client?.loopStopped()
  }
}

/// The client of a loop that only runs async code.
private final class Bystander: LoopClient {
  func loopStarted() {}
  func turn() -> Bool { false }
  func timerFired() {}
  func loopStopped() {}
}
