import CLoopThread

/// Where a loop's jobs wait, and the loop's identity for the threads.
package protocol JobQueue: AnyObject, Sendable {
  /// Any thread. Every job must be run, once.
  func enqueue(_ job: UnownedJob, for executor: LoopExecutor)
}

extension JobQueue {
  /// Whether the calling thread works for this queue's loop. Any thread.
  package var isCurrent: Bool { clt_loop_current() == UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque()) }

  /// Runs `body` as this queue's loop, and gives the thread back to the one before. Any thread.
  package func asCurrent(_ body: () -> Void) {
    let former = clt_loop_enter(Unmanaged.passUnretained(self).toOpaque())
    defer { clt_loop_enter(former) }
    body()
  }
}

/// Swift's door to a loop. As a task executor it serves `Task.immediate(executorPreference:)`, by which a lane starts
/// an async primitive; as a serial executor it may be that of an embedder's actor. It holds the queue and not the
/// loop, so it may outlive the loop.
package final class LoopExecutor: TaskExecutor, SerialExecutor {
  private let queue: any JobQueue

  package init(queue: any JobQueue) { self.queue = queue }

  /// Any thread.
  package func enqueue(_ job: consuming ExecutorJob) { queue.enqueue(UnownedJob(job), for: self) }

  /// The loop's thread only.
  package func run(_ job: UnownedJob) {
    job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
  }

  package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  /// Any thread. Stops the process where actor code runs on a wrong thread.
  package func checkIsolated() { precondition(queue.isCurrent, "this code belongs to a loop and runs outside it") }

  /// Any thread.
  package func isIsolatingCurrentContext() -> Bool? { queue.isCurrent }
}
