import CLoopThread

/// Where a loop's jobs wait, and the loop's identity for the threads.
package protocol JobQueue: AnyObject, Sendable {
  /// Any thread. Every job must be run, once.
  func enqueue(_ job: LoopJob)
}

extension JobQueue {
  /// Any thread. Whether the calling thread works for this queue's loop.
  package var isCurrent: Bool { clt_loop_current() == UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque()) }

  /// Any thread. Runs `body` as this queue's loop, and gives the thread back to the one before.
  package func asCurrent(_ body: () -> Void) {
    let former = clt_loop_enter(Unmanaged.passUnretained(self).toOpaque())
    defer { clt_loop_enter(former) }
    body()
  }
}

/// A job for a loop, and as what it came.
package enum LoopJob: Sendable {
  /// Of a task that prefers the loop.
  case task(UnownedJob, LoopExecutor)
  /// Of an actor that lives on the loop.
  case actor(UnownedJob, LoopExecutor)

  /// The loop's thread only.
  package func run() {
    switch self {
    case .task(let job, let executor): job.runSynchronously(on: executor.asUnownedTaskExecutor())
    case .actor(let job, let executor):
      job.runSynchronously(
        isolatedTo: executor.asUnownedSerialExecutor(), taskExecutor: executor.asUnownedTaskExecutor())
    }
  }
}

/// Swift's door to a loop. As a task executor it serves `LoopTasks`, by which a lane starts an async
/// primitive; its serial executor may be that of an embedder's actor. It holds the queue and not the loop,
/// so it may outlive the loop.
///
/// They are two objects, since a job does not tell whether it is an actor's: run as an actor's, code of no actor
/// would go through the queue once more at each of its hops.
public final class LoopExecutor: TaskExecutor, SerialExecutor {
  private let queue: any JobQueue
  private let actorExecutor: ActorExecutor

  package init(queue: any JobQueue) {
    self.queue = queue
    actorExecutor = ActorExecutor(queue: queue)
    actorExecutor.loopExecutor = self
  }

  /// Any thread.
  public func enqueue(_ job: consuming ExecutorJob) {
    if queue.isCurrent, case .expected = caught {
      caught = .job(UnownedJob(job))
    } else {
      queue.enqueue(.task(UnownedJob(job), self))
    }
  }

  private enum Caught {
    case nothing, expected
    case job(UnownedJob)
  }
  // Unchecked: touched on the loop's thread alone, and where the loop has ended by one thread at a time.
  private nonisolated(unsafe) var caught = Caught.nothing

  /// The loop's thread only. Runs the first job that `body` gives to this executor at once, not in an event of its own.
  package func runAtOnce(_ body: () -> Void) {
    caught = .expected
    body()
    let job = caught
    caught = .nothing
    if case .job(let job) = job { job.runSynchronously(on: asUnownedTaskExecutor()) }
  }

  /// Any thread. For an actor's `unownedExecutor`; the actor keeps this object.
  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { actorExecutor.asUnownedSerialExecutor() }

  /// Any thread. Stops the process where actor code runs on a wrong thread.
  public func checkIsolated() { actorExecutor.checkIsolated() }

  /// Any thread.
  public func isIsolatingCurrentContext() -> Bool? { queue.isCurrent }
}

/// The serial executor of the actors on a loop.
private final class ActorExecutor: SerialExecutor, @unchecked Sendable {
  private let queue: any JobQueue
  // Unchecked: set once, before anyone else sees the object. Unowned: it is this object's only owner.
  unowned var loopExecutor: LoopExecutor!

  init(queue: any JobQueue) { self.queue = queue }

  func enqueue(_ job: consuming ExecutorJob) { queue.enqueue(.actor(UnownedJob(job), loopExecutor)) }
  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
  func checkIsolated() { precondition(queue.isCurrent, "this code belongs to a loop and runs outside it") }
  func isIsolatingCurrentContext() -> Bool? { queue.isCurrent }
}
