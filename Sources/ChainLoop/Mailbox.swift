import Synchronization

/// What waits in a loop's mailbox: messages and Swift's jobs, in one order.
package enum MailboxItem: Sendable {
  case message(@Sendable () -> Void)
  case job(LoopJob)

  package var isJob: Bool {
    if case .job = self { return true }
    return false
  }

  /// The loop's thread only.
  package func run() {
    switch self {
    case .message(let message): message()
    case .job(let job): job.run()
    }
  }
}

/// The way into a loop from other threads. Posting takes a mutex for the length of an append and wakes the loop only
/// where it may sleep; the loop swaps the whole queue out and takes it in bounded batches, so that I/O, timers and
/// turns come in between.
final class Mailbox: JobQueue, @unchecked Sendable {
  // Unchecked: all but `shared` and `isClosed` belongs to the loop's thread.

  /// Items that one event may take.
  static let batchSize = 64

  private enum Phase { case open, closed, ended }

  private struct Shared {
    /// Optional only to be swapped with `taken`.
    var items: [MailboxItem?] = []
    var phase = Phase.open
    /// True while a `drain` is certain to come, so that nobody needs to wake the loop. It begins true: a loop drains
    /// when it starts.
    var isAwake = true
    var wakeUp: WakeUp?
    var isServedLate = false
  }

  private let shared = Monitor(Shared())
  private let closed = Atomic<Bool>(false)
  private let workers: WorkerPool
  private var taken: [MailboxItem?] = []
  private var next = 0

  /// Called on the loop's thread when its own code posts while no drain is certain.
  var whenPostedFromInside: () -> Void = {}

  init(workers: WorkerPool) { self.workers = workers }

  /// Any thread. Whether the loop has been told to end.
  var isClosed: Bool { closed.load(ordering: .acquiring) }

  /// Any thread.
  func post(_ message: @escaping @Sendable () -> Void) { append(.message(message)) }

  /// Any thread.
  func enqueue(_ job: LoopJob) { append(.job(job)) }

  private func append(_ item: MailboxItem) {
    enum Then { case nothing, drainSoon, serveLate }
    let then = shared.withLock { shared -> Then in
      if shared.phase != .open && !item.isJob { return .nothing }
      shared.items.append(item)
      if shared.phase == .ended { return startsLateService(&shared) ? .serveLate : .nothing }
      if shared.isAwake { return .nothing }
      shared.isAwake = true
      if isCurrent { return .drainSoon }
      // Under the lock, so that the handle cannot be closed meanwhile.
      shared.wakeUp?.send()
      return .nothing
    }
    switch then {
    case .nothing: break
    case .drainSoon: whenPostedFromInside()
    case .serveLate: serveLate()
    }
  }

  // MARK: The loop's side

  /// The loop's thread only. Gives the mailbox the handle that wakes the loop.
  func open(wakeUp: WakeUp) { shared.withLock { $0.wakeUp = wakeUp } }

  /// The loop's thread only. Runs a batch; true if more may be left, and then the caller drains again soon. With
  /// `staysAwake` the caller promises to drain again in any case, and nobody wakes it meanwhile.
  func drain(staysAwake: Bool) -> Bool {
    for _ in 0..<Self.batchSize {
      guard let item = take(staysAwake: staysAwake) else { return false }
      item.run()
      if isClosed { return false }
    }
    return true
  }

  /// The loop's thread only.
  private func take(staysAwake: Bool) -> MailboxItem? {
    if next == taken.count {
      taken.removeAll(keepingCapacity: true)
      next = 0
      shared.withLock { shared in
        swap(&shared.items, &taken)
        if taken.isEmpty { shared.isAwake = staysAwake }
      }
      if taken.isEmpty { return nil }
    }
    defer { next += 1 }
    return taken[next].take()
  }

  // MARK: The end

  /// Any thread. Drops messages from now on and lets the loop see `isClosed`.
  func close() {
    let isInside = isCurrent
    shared.withLock { shared in
      guard shared.phase == .open else { return }
      shared.phase = .closed
      closed.store(true, ordering: .releasing)
      if !isInside { shared.wakeUp?.send() }
    }
    if isInside { whenPostedFromInside() }
  }

  /// The loop's thread only, after `close`. Runs the jobs that wait, and drops the messages.
  func runJobsLeft() {
    let left = taken[next...] + takeAll()
    taken = []
    next = 0
    for case .job(let job)? in left { job.run() }
  }

  /// The loop's thread has done its last event, and closes the handle afterwards. Called once, after `close`.
  func end() {
    whenPostedFromInside = {}
    // Messages are let go outside the lock: what they hold may post as it ends.
    let jobs = takeAll().filter { $0?.isJob == true }
    let isLate = shared.withLock { shared -> Bool in
      shared.phase = .ended
      shared.wakeUp = nil
      shared.items.insert(contentsOf: jobs, at: 0)
      return !shared.items.isEmpty && startsLateService(&shared)
    }
    if isLate { serveLate() }
  }

  private func takeAll() -> [MailboxItem?] {
    shared.withLock { shared in
      defer { shared.items = [] }
      return shared.items
    }
  }

  private func startsLateService(_ shared: inout Shared) -> Bool {
    if shared.isServedLate { return false }
    shared.isServedLate = true
    return true
  }

  /// Any thread. Runs the jobs of a loop that has ended on a worker, one at a time and in order.
  private func serveLate() {
    workers.run { [self] in
      let jobs = takeAll()
      asCurrent { for job in jobs { job?.run() } }
      let hasMore = shared.withLock { shared in
        if shared.items.isEmpty { shared.isServedLate = false }
        return shared.isServedLate
      }
      if hasMore { serveLate() }
    }
  }
}
