import CLoopThread
import CUV

/// A few threads for work that blocks or is heavy: made when first needed, no more than there are cores, and at a
/// lower priority than the loops where the system has one for each thread.
package final class WorkerPool: Sendable {
  private struct Shared {
    var waiting = Queue()
    var threads = 0
    var idle = 0
    var isEnding = false
  }

  /// First in, first out. What is taken is let go at once: it may be what keeps the pool itself alive.
  private struct Queue {
    private var taken: [@Sendable () -> Void] = [] // the next one is last
    private var added: [@Sendable () -> Void] = []

    var count: Int { taken.count + added.count }

    mutating func append(_ work: @escaping @Sendable () -> Void) { added.append(work) }

    mutating func popFirst() -> (@Sendable () -> Void)? {
      if taken.isEmpty {
        taken = added.reversed()
        added = []
      }
      return taken.popLast()
    }
  }

  private let shared = Monitor(Shared())
  let limit: Int
  private let stackBytes: Int

  package init(limit: Int = Int(uv_available_parallelism()), stackBytes: Int = SystemThread.stackBytes) {
    self.limit = max(1, limit)
    self.stackBytes = stackBytes
  }

  /// The threads end when they have done what waits.
  deinit {
    shared.withLock { $0.isEnding = true }
    shared.broadcast()
  }

  /// Any thread. Runs `work` on one of the pool's threads, some time.
  package func run(_ work: @escaping @Sendable () -> Void) {
    let needsThread = shared.withLock { shared in
      shared.waiting.append(work)
      let needsThread = shared.waiting.count > shared.idle && shared.threads < limit
      if needsThread { shared.threads += 1 }
      return needsThread
    }
    if needsThread {
      startThread()
    } else {
      shared.signal()
    }
  }

  private func startThread() {
    // Not self: a pool that nobody uses any more must be able to end.
    let hasThread = SystemThread.start(named: "chain-worker", stackBytes: stackBytes) { [shared] in
      clt_thread_lower_priority()
      while let work = Self.next(of: shared) { work() }
    }
    if hasThread { return }
    let threads = shared.withLock { shared in
      shared.threads -= 1
      return shared.threads
    }
    precondition(threads > 0, "the system gave no thread for a worker")
  }

  private static func next(of shared: Monitor<Shared>) -> (@Sendable () -> Void)? {
    shared.withLock { $0.idle += 1 }
    return shared.wait { shared -> (@Sendable () -> Void)?? in
      if let work = shared.waiting.popFirst() {
        shared.idle -= 1
        return .some(work)
      }
      return shared.isEnding ? .some(nil) : nil
    }
  }
}
