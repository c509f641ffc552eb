import ChainLoop
import Synchronization

/// How often a native function was called, and how long it was waited for. Any thread.
public struct NativeCount: Sendable, Equatable {
  /// `weather.degrees`, `store.get`.
  public var name: String
  public var calls = 0
  public var failures = 0
  public var cancelled = 0
  /// Nanoseconds from the beginning of a wait to its end, of functions that wait.
  public var waited: UInt64 = 0
}

/// One function's counter; counted by the runtime, so that no primitive does.
final class NativeCounter: Sendable {
  let name: String
  private let calls = Atomic<Int>(0)
  private let failures = Atomic<Int>(0)
  private let cancellations = Atomic<Int>(0)
  private let waited = Atomic<UInt64>(0)

  init(_ name: String) { self.name = name }

  @inline(__always) func began() { calls.wrappingAdd(1, ordering: .relaxed) }
  func ended(after nanoseconds: UInt64, failed: Bool) {
    waited.wrappingAdd(nanoseconds, ordering: .relaxed)
    if failed { failures.wrappingAdd(1, ordering: .relaxed) }
  }
  func cancelled() { cancellations.wrappingAdd(1, ordering: .relaxed) }

  var count: NativeCount {
    NativeCount(
      name: name, calls: calls.load(ordering: .relaxed), failures: failures.load(ordering: .relaxed),
      cancelled: cancellations.load(ordering: .relaxed), waited: waited.load(ordering: .relaxed))
  }
}

/// The counters of a host, by function.
final class NativeCounters: Sendable {
  private let counters = Monitor<[String: NativeCounter]>([:])

  func counter(_ name: String) -> NativeCounter {
    counters.withLock { counters in
      if let known = counters[name] { return known }
      let counter = NativeCounter(name)
      counters[name] = counter
      return counter
    }
  }

  var counts: [NativeCount] { counters.withLock { Array($0.values) }.map(\.count).sorted { $0.name < $1.name } }
}
