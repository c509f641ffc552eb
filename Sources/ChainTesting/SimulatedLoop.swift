import ChainLoop

/// A loop's twin in the simulation. It has no thread: its events run, one by one, in the thread that drives the
/// simulation.
final class SimulatedLoop: LaneLoop {
  /// The loop's identity, and the way in for Swift's jobs. Apart from the loop, so that an executor may outlive it.
  final class Door: JobQueue {
    private weak let environment: SimulatedEnvironment?
    let index: Int

    init(environment: SimulatedEnvironment, index: Int) {
      self.environment = environment
      self.index = index
    }

    /// A job that comes after the simulation's end is lost, and the task with it: nobody is left to run it.
    func enqueue(_ job: LoopJob) {
      environment?.withSchedule { $0.post(.job(job), to: index) }
    }
  }

  private let environment: SimulatedEnvironment
  private let door: Door
  private let loopExecutor: LoopExecutor
  private var index: Int { door.index }

  init(environment: SimulatedEnvironment, door: Door) {
    self.environment = environment
    self.door = door
    loopExecutor = LoopExecutor(queue: door)
  }

  var isCurrent: Bool { door.isCurrent }
  var executor: LoopExecutor { loopExecutor }

  func start() {
    environment.withSchedule { schedule in
      if schedule.loops[index].phase == .made { schedule.loops[index].phase = .running }
    }
  }

  func post(_ message: @escaping @Sendable () -> Void) {
    environment.withSchedule { $0.post(.message(message), to: index) }
  }

  func stop() {
    requestStop()
    if !isCurrent { environment.finish(index) }
  }

  func giveUp() {
    environment.withSchedule { $0.loops[index].isGivenUp = true }
    requestStop()
  }

  func requestStop() { environment.beginStop(index) }

  func requestTurns() {
    precondition(isCurrent, "turns are asked for on the loop's thread")
    environment.withSchedule { $0.loops[index].wantsTurns = true }
  }

  func setTimer(at deadline: UInt64?) {
    precondition(isCurrent, "the timer belongs to the loop's thread")
    environment.withSchedule { $0.loops[index].timer = deadline }
  }

  /// The loop's number. A test that gives another environment's loop is wrong, and ends.
  static func index(of loop: any LaneLoop, in environment: SimulatedEnvironment) -> Int {
    guard let loop = loop as? SimulatedLoop, loop.environment === environment else {
      preconditionFailure("the loop belongs to another environment")
    }
    return loop.index
  }
}
