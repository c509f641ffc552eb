/// Tasks on a loop that run one async function after the other: to begin one in a task that waits for work costs a
/// fraction of what a new task does.
///
/// The loop's thread only. Unchecked: its tasks prefer the loop's executor, so that they touch it on that thread too, or
/// one at a time where the loop has ended.
package final class LoopTasks: @unchecked Sendable {
  package typealias Work = @Sendable () async -> Void

  /// One function under way.
  package final class Running: @unchecked Sendable {
    // Unchecked as above.
    /// What its task is to run; taken, so that nothing but the function itself keeps what it holds.
    fileprivate var work: Work?
    fileprivate var continuation: UnsafeContinuation<Void, Never>?
    fileprivate var task: Task<Void, Never>?

    /// Cancels the function, while it is under way; its task is not used again.
    package func cancel() { task?.cancel() }
  }

  private let executor: LoopExecutor
  private var idle: [Running] = []
  private var hasEnded = false
  /// So many tasks wait for work at most; one more ends.
  private static let idleLimit = 64

  package init(executor: LoopExecutor) { self.executor = executor }

  /// Begins `work` at once, where the system can; it has ended already when it did not suspend.
  package func start(_ work: @escaping Work) -> Running {
    if let waiting = idle.popLast(), let continuation = waiting.continuation {
      waiting.continuation = nil
      waiting.work = work
      executor.runAtOnce { continuation.resume() }
      return waiting
    }
    let running = Running()
    running.work = work
    let body: Work = { [self] in await run(running) }
    if #available(macOS 26, *) {
      running.task = Task.immediate(executorPreference: executor, operation: body)
    } else {
      running.task = Task(executorPreference: executor, operation: body)
    }
    return running
  }

  /// Lets the tasks that wait for work end; none is kept from now on.
  package func end() {
    hasEnded = true
    let waiting = idle
    idle = []
    for running in waiting { running.continuation?.resume() }
  }

  private func run(_ running: Running) async {
    while await perform(running.work.take()), !Task.isCancelled, !hasEnded, idle.count < LoopTasks.idleLimit {
      await withUnsafeContinuation { continuation in
        running.continuation = continuation
        idle.append(running)
      }
    }
  }

  /// In a function of its own, so that what the work holds is let go before the wait for more. False when there is none.
  private func perform(_ work: consuming Work?) async -> Bool {
    guard let work else { return false }
    await work()
    return true
  }
}
