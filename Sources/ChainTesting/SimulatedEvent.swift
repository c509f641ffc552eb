/// One event of a simulation, as its log tells it.
public struct SimulatedEvent: Sendable, Equatable, CustomStringConvertible {
  public enum Kind: UInt8, Sendable {
    case start, item, turn, timer, stop
    /// A worker has finished a job.
    case work
  }

  /// Virtual nanoseconds when it began.
  public let time: UInt64
  /// The loop's name; nil for a worker.
  public let loop: String?
  public let kind: Kind

  public var description: String { "\(time) \(loop ?? "worker") \(kind)" }
}

/// A simulation that cannot or would not come to the awaited end. Its seed replays it.
public struct SimulationStuck: Error, CustomStringConvertible {
  public let seed: UInt64
  public let time: UInt64
  /// True if nothing was left to do; false if the limit of events was reached.
  public let isIdle: Bool

  public var description: String {
    let reason = isIdle ? "nothing is left to do, and the end has not come" : "the limit of events was reached"
    return "simulation with seed \(seed) is stuck at \(time) ns: \(reason)"
  }
}
