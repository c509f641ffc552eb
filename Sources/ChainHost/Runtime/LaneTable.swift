import ChainBase
import ChainLoop

/// The lanes of a host by their places, and what each of them has to serve. A lane that is lost gives its place to a
/// fresh one. Any thread.
final class LaneTable: Sendable {
  private struct State {
    /// nil: too many were lost, and nobody has this place any more.
    var lanes: [Lane?] = []
    /// By number; fresh lanes build all of them, from what they hold and not from the disk.
    var generations: [UInt64: Generation] = [:]
    /// Lanes that were given up and whose threads have not come back.
    var away = 0
    var next = 0
    var isStopping = false
    var isTold = false
  }

  private let state = Monitor(State())
  private let environment: any Environment
  private let counters: NativeCounters
  private let log: @Sendable (LogLine) -> Void
  let mostLost: Int
  private let tooManyLost: @Sendable (Failure) -> Void

  init(
    _ count: Int, environment: any Environment, counters: NativeCounters, log: @escaping @Sendable (LogLine) -> Void, mostLost: Int,
    tooManyLost: @escaping @Sendable (Failure) -> Void
  ) {
    self.environment = environment
    self.counters = counters
    self.log = log
    self.mostLost = mostLost
    self.tooManyLost = tooManyLost
    let lanes = (0..<count).map(makeLane)
    state.withLock { $0.lanes = lanes }
    for lane in lanes { lane.start() }
  }

  private func makeLane(_ index: Int) -> Lane {
    let lane = Lane(index: index, environment: environment, counters: counters, log: log)
    lane.whenLost.withLock { $0 = { [weak self] in self?.lost($0, $1) ?? $0.giveUp($1) } }
    lane.whenReturned.withLock { $0 = { [weak self] in self?.returned($0) } }
    return lane
  }

  /// Those that serve.
  var all: [Lane] { state.withLock { $0.lanes.compactMap { $0 } } }
  /// Places, taken or not.
  var count: Int { state.withLock { $0.lanes.count } }
  /// Whether lost lanes are not replaced any more.
  var isStopping: Bool { state.withLock { $0.isStopping } }
  var lostCount: Int { state.withLock { $0.away } }

  func lane(at index: Int) -> Lane? { state.withLock { $0.lanes[index] } }

  /// The lane of the next request: one after the other.
  func next() -> Lane? {
    state.withLock { state in
      for _ in state.lanes {
        state.next = (state.next + 1) % state.lanes.count
        if let lane = state.lanes[state.next] { return lane }
      }
      return nil
    }
  }

  var generations: [Generation] { state.withLock { Array($0.generations.values) } }
  func register(_ generation: Generation) { state.withLock { $0.generations[generation.number] = generation } }
  func forget(_ number: UInt64) { state.withLock { _ = $0.generations.removeValue(forKey: number) } }

  /// From now on no lane is replaced. The lanes that are there.
  func stop() -> [Lane] {
    state.withLock { state in
      state.isStopping = true
      return state.lanes.compactMap { $0 }
    }
  }

  // MARK: Losing

  private enum Then { case replaced(Lane), ending, tooMany(Int) }

  private func lost(_ lane: Lane, _ loss: LaneLoss) {
    let then: Then = state.withLock { state in
      state.away += 1
      let isServing = state.lanes[lane.index] === lane
      guard !state.isStopping, isServing else { return .ending }
      guard state.away <= mostLost else {
        state.lanes[lane.index] = nil
        return .tooMany(state.away)
      }
      let fresh = makeLane(lane.index)
      // Before any request can be sent there.
      for generation in state.generations.values.sorted(by: { $0.number < $1.number }) {
        fresh.post { fresh.asLane { fresh.keep(generation) } }
      }
      state.lanes[lane.index] = fresh
      return .replaced(fresh)
    }
    let name = "lane \(lane.index)"
    switch then {
    case .replaced(let fresh):
      note("\(name) is lost: \(loss.reason); a fresh one takes its place", loss)
      fresh.start()
      if let problem = fresh.loop.problem { withdraw(fresh, Failure.cannotBegin(fresh, problem)) }
    case .ending: note("\(name) is lost while the host ends: \(loss.reason)", loss)
    case .tooMany(let count): tell(count, name, loss)
    }
    lane.giveUp(loss)
  }

  /// A fresh lane that nobody can use: whoever supervises the process is told, as of too many that are lost.
  private func withdraw(_ fresh: Lane, _ failure: Failure) {
    state.withLock { state in if state.lanes[fresh.index] === fresh { state.lanes[fresh.index] = nil } }
    log(LogLine(level: .error, chainlet: "host", request: nil, message: failure.message))
    tellOnce(failure)
  }

  private func tell(_ count: Int, _ name: String, _ loss: LaneLoss) {
    let failure = Failure.lanesLost(count, mostLost)
    note("\(name) is lost: \(loss.reason); \(failure.message)", loss)
    tellOnce(failure)
  }

  private func tellOnce(_ failure: Failure) {
    let isFirst = state.withLock { state in
      defer { state.isTold = true }
      return !state.isTold
    }
    if isFirst { tooManyLost(failure) }
  }

  private func returned(_ lane: Lane) {
    state.withLock { $0.away -= 1 }
    log(LogLine(level: .warning, chainlet: "host", request: nil, message: "the thread of a lost lane \(lane.index) has come back and ended"))
  }

  private func note(_ message: String, _ loss: LaneLoss) {
    log(LogLine(level: .error, chainlet: loss.chainlet ?? "host", request: nil, message: message))
  }
}

extension Failure {
  static func cannotBegin(_ lane: Lane, _ problem: String) -> Failure {
    Failure(code: Code.unavailable, message: "lane \(lane.index) cannot begin: \(problem); the process may have too few file descriptors or threads")
  }

  static func lanesLost(_ count: Int, _ most: Int) -> Failure {
    Failure(
      code: Code.unavailable,
      message: "\(count) lanes are lost, more than the \(most) that this host bears (mostLostLanes): restart the process",
      details: ["limit": "mostLostLanes", "value": .integer(Int64(most))])
  }
}
