import ChainLoop

/// Runs the asynchronous part of a command on the thread that waits for it: no pool of threads is made.
enum CommandTask {
  /// Runs `body` to its end on the calling thread. `started` gets what cancels it before it begins.
  static func run<Value: Sendable>(
    _ body: @escaping @Sendable () async -> Value, started: (_ cancel: @escaping @Sendable () -> Void) -> Void
  ) -> Value {
    let executor = CallerExecutor()
    let result = Monitor<Value?>(nil)
    let task = Task(executorPreference: executor) {
      let value = await body()
      result.withLock { $0 = value }
      executor.end()
    }
    started { task.cancel() }
    executor.runUntilEnd()
    return result.wait { $0 }
  }
}

/// Jobs in the order in which they came, run by the thread that calls `runUntilEnd`.
private final class CallerExecutor: TaskExecutor {
  private struct Queue {
    var jobs: ArraySlice<UnownedJob> = []
    var isOver = false
  }

  private let queue = Monitor(Queue())

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.withLock { $0.jobs.append(job) }
    queue.signal()
  }

  func end() {
    queue.withLock { $0.isOver = true }
    queue.signal()
  }

  func runUntilEnd() {
    let executor = asUnownedTaskExecutor()
    while let job = queue.wait(for: { queue -> UnownedJob?? in
      if let job = queue.jobs.popFirst() { return .some(job) }
      return queue.isOver ? .some(nil) : nil
    }) {
      job.runSynchronously(on: executor)
    }
  }
}
