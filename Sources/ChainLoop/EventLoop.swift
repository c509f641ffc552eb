import CUV

/// libuv's words for a status.
func uvMessage(_ status: Int32) -> String { String(cString: uv_strerror(status)) }

/// A uv loop on a thread of its own.
///
/// One round: the timer, then a turn and a batch of the mailbox while there is work of the loop's own, then I/O and
/// what other threads posted. So neither turns nor messages keep each other, a timer or a socket waiting.
package final class EventLoop: LaneLoop, @unchecked Sendable {
  // Unchecked: the variables below `lifecycle` belong to the loop's thread, from its first line to its last.

  private enum Phase { case made, running, ended, givenUp }

  package let name: String
  private let mailbox: Mailbox
  private let loopExecutor: LoopExecutor
  private let lifecycle: Monitor<Phase>

  private var client: (any LoopClient)?
  private var loop: UnsafeMutablePointer<uv_loop_t>!
  private var idle: Idle!
  private var timer: Timer!
  private var wantsTurns = false
  private var timerIsDue = false

  package init(name: String, client: any LoopClient, workers: WorkerPool) {
    self.name = name
    self.client = client
    mailbox = Mailbox(workers: workers)
    loopExecutor = LoopExecutor(queue: mailbox)
    lifecycle = Monitor(.made)
  }

  // MARK: Any thread

  package var isCurrent: Bool { mailbox.isCurrent }
  package var executor: LoopExecutor { loopExecutor }

  package func start() {
    let begins = lifecycle.withLock { phase in
      if phase == .running { return false }
      let isNew = phase == .made
      if isNew { phase = .running }
      return isNew
    }
    guard begins else { return }
    let hasThread = SystemThread.start(named: name) { [self] in
      mailbox.asCurrent { run() }
      lifecycle.withLock { $0 = .ended }
      lifecycle.broadcast()
    }
    precondition(hasThread, "the system gave no thread for the loop '\(name)'")
  }

  package func post(_ message: @escaping @Sendable () -> Void) { mailbox.post(message) }

  package func requestStop() {
    mailbox.close()
    let neverBegan = lifecycle.withLock { phase in
      let neverBegan = phase == .made
      if neverBegan { phase = .ended }
      return neverBegan
    }
    if neverBegan {
      client = nil
      mailbox.end()
    }
  }

  package func giveUp() {
    requestStop()
    lifecycle.withLock { if $0 == .running { $0 = .givenUp } }
    lifecycle.broadcast()
  }

  package func stop() {
    requestStop()
    if isCurrent { return }
    lifecycle.wait { $0 == .ended || $0 == .givenUp ? () : nil }
  }

  // MARK: The loop's thread only

  /// For handles that belong to this loop, such as a listener's. Whoever opens one closes it, at the latest in
  /// `LoopClient.loopStopped`: the thread ends when all are closed.
  package var uvLoop: UnsafeMutablePointer<uv_loop_t> {
    precondition(isCurrent, "a loop's handles belong to its thread")
    return loop
  }

  package func requestTurns() {
    precondition(isCurrent, "turns are asked for on the loop's thread")
    if wantsTurns { return }
    wantsTurns = true
    idle.start()
  }

  package func setTimer(at deadline: UInt64?) {
    precondition(isCurrent, "the timer belongs to the loop's thread")
    timerIsDue = false
    guard let deadline else { return timer.stop() }
    if !timer.start(at: deadline) {
      timerIsDue = true
      idle.start()
    }
  }

  private func run() {
    loop = .allocate(capacity: 1)
    let status = uv_loop_init(loop)
    precondition(status == 0, "the loop '\(name)' cannot begin: \(uvMessage(status))")
    // They call back only while this method runs.
    let wakeUp = WakeUp(on: loop) { [unowned self] in onWakeUp() }
    idle = Idle(on: loop) { [unowned self] in onIdle() }
    timer = Timer(on: loop) { [unowned self] in onTimer() }
    mailbox.whenPostedFromInside = { [unowned self] in idle.start() }
    mailbox.open(wakeUp: wakeUp)
    // What was posted before the start waits already, and nobody has sent a wake-up for it.
    idle.start()

    client?.loopStarted()
    uv_run(loop, UV_RUN_DEFAULT)
    mailbox.runJobsLeft()
    client?.loopStopped()
    client = nil
    mailbox.runJobsLeft()

    mailbox.end()
    wakeUp.close()
    idle.close()
    timer.close()
    uv_run(loop, UV_RUN_DEFAULT)
    let closed = uv_loop_close(loop)
    precondition(closed == 0, "the loop '\(name)' cannot end: \(uvMessage(closed))")
    loop.deallocate()
    loop = nil
  }

  private func onWakeUp() {
    if mailbox.drain(staysAwake: wantsTurns) { idle.start() }
    leaveIfClosed()
  }

  private func onIdle() {
    if timerIsDue { onTimer() }
    if wantsTurns && !mailbox.isClosed {
      wantsTurns = false
      if client!.turn() { wantsTurns = true }
    }
    let hasMore = !mailbox.isClosed && mailbox.drain(staysAwake: wantsTurns)
    if !hasMore && !wantsTurns && !timerIsDue { idle.stop() }
    leaveIfClosed()
  }

  private func onTimer() {
    timerIsDue = false
    if !mailbox.isClosed { client!.timerFired() }
    leaveIfClosed()
  }

  private func leaveIfClosed() {
    if mailbox.isClosed { uv_stop(loop) }
  }
}
