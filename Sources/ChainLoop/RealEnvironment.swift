import CUV

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The system's clock and chance, libuv's loops, and real threads.
public final class RealEnvironment: Environment {
  private let workers = WorkerPool()
  /// Apart from the workers: a graph is planned while an engine has all of its threads busy.
  private let engines = WorkerPool(stackBytes: SystemThread.largeStackBytes)

  /// Any thread. Costs nothing: threads are made when they are needed.
  public init() {}

  public func now() -> UInt64 { uv_hrtime() }

  public func wallClock() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  public func random() -> UInt64 { .random(in: .min ... .max) }

  public func makeLoop(name: String, client: any LoopClient) -> any LaneLoop {
    EventLoop(name: name, client: client, workers: workers)
  }

  public func runOnWorker(_ work: @escaping @Sendable () -> Void) { workers.run(work) }

  public func runOnThread(_ work: @escaping @Sendable () -> Void) {
    // Where the system has no thread left a worker does it.
    if !SystemThread.start(named: "chain-load", stackBytes: SystemThread.largeStackBytes, work) { workers.run(work) }
  }

  public func runJob(_ work: @escaping @Sendable () -> Void) { engines.run(work) }

  public var jobsAtOnce: Int { engines.limit }

  public func runAtOnce(_ work: @escaping @Sendable () -> Void) {
    if !SystemThread.start(named: "chain-urgent", work) { workers.run(work) }
  }

  /// Slices are timed, by the watchdog.
  public var instructionsPerSlice: Int32 { 0 }

  /// Any thread. Calls `action` with the number of each of these signals that comes, instead of what the system would
  /// do, until the result's `stop`. The calls come one at a time, on a thread of their own that must not be blocked for
  /// long.
  public func watchSignals(_ numbers: [Int32], action: @escaping @Sendable (Int32) -> Void) -> SignalWatch {
    SignalWatch(numbers, workers: workers, action: action)
  }
}
