import ChainLoop
import ChainTesting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The environments that keep the same contract. A skipped one needs a written reason.
enum World: CustomStringConvertible, CaseIterable {
  case real
  case simulated(seed: UInt64)

  static let allCases: [World] = [.real] + (1...12).map { .simulated(seed: $0) }

  var description: String {
    switch self {
    case .real: "real"
    case .simulated(let seed): "simulated, seed \(seed)"
    }
  }

  /// Odd seeds have faults.
  func make() -> any Environment {
    switch self {
    case .real: RealEnvironment()
    case .simulated(let seed): SimulatedEnvironment(seed: seed, faults: seed % 2 == 1 ? .drawn(seed: seed) : .none)
    }
  }
}

extension Environment {
  /// Waits for a condition: by driving the simulation, or in real time, ten seconds at most.
  func wait(until condition: () -> Bool) -> Bool {
    if let simulation = self as? SimulatedEnvironment { return simulation.run(until: condition) }
    for _ in 0..<20_000 {
      if condition() { return true }
      usleep(500)
    }
    return condition()
  }
}

/// What happened, in order. Any thread.
final class Record<Entry: Sendable & Equatable>: Sendable {
  private let list = Monitor<[Entry]>([])

  var entries: [Entry] { list.withLock { $0 } }
  var count: Int { list.withLock { $0.count } }

  func add(_ entry: Entry) { list.withLock { $0.append(entry) } }
}

/// A client whose answers the test writes. It knows its loop from `attach` to the loop's end.
final class ScriptedClient: LoopClient, @unchecked Sendable {
  // Unchecked: set before the loop starts, used on its thread.
  private var loop: (any LaneLoop)?
  var started: @Sendable (any LaneLoop) -> Void = { _ in }
  var turned: @Sendable (any LaneLoop) -> Bool = { _ in false }
  var fired: @Sendable (any LaneLoop) -> Void = { _ in }
  var stopped: @Sendable (any LaneLoop) -> Void = { _ in }

  func loopStarted() { started(loop!) }
  func turn() -> Bool { turned(loop!) }
  func timerFired() { fired(loop!) }
  func loopStopped() {
    stopped(loop!)
    loop = nil
  }

  func makeLoop(in environment: any Environment, name: String = "loop") -> any LaneLoop {
    let loop = environment.makeLoop(name: name, client: self)
    self.loop = loop
    return loop
  }
}
