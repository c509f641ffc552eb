import CUV

/// libuv's words for a status.
func uvMessage(_ status: Int32) -> String { String(cString: uv_strerror(status)) }

/// What the system did not give.
struct LoopProblem: Error { let text: String }

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
  private let obstacle = Monitor<String?>(nil)

  private var client: (any LoopClient)?
  private var loop: UnsafeMutablePointer<uv_loop_t>!
  private var wakeUp: WakeUp!
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
    do throws(LoopProblem) { try open() } catch { return cannotBegin(error) }
    let hasThread = SystemThread.start(named: name) { [self] in
      mailbox.asCurrent { run() }
      lifecycle.withLock { $0 = .ended }
      lifecycle.broadcast()
    }
    if hasThread { return }
    close()
    cannotBegin(LoopProblem(text: "no thread left"))
  }

  package var problem: String? { obstacle.withLock { $0 } }

  private func cannotBegin(_ problem: LoopProblem) {
    obstacle.withLock { $0 = problem.text }
    mailbox.close()
    client = nil
    mailbox.end()
    lifecycle.withLock { $0 = .ended }
    lifecycle.broadcast()
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

  /// Takes what the system may not have. Before the loop's thread begins.
  private func open() throws(LoopProblem) {
    try EventLoop.lookForDescriptors()
    let memory = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
    let status = uv_loop_init(memory)
    guard status == 0 else {
      memory.deallocate()
      throw LoopProblem(text: uvMessage(status))
    }
    loop = memory
    do throws(LoopProblem) {
      wakeUp = try WakeUp(on: memory) { [unowned self] in onWakeUp() } // called only while `run` runs
    } catch {
      close()
      throw error
    }
  }

  /// libuv ends the process when its first loop finds no descriptors for signals: so they are looked for before.
  private static func lookForDescriptors() throws(LoopProblem) {
    var found: [uv_file] = []
    defer {
      for descriptor in found {
        var request = uv_fs_t()
        uv_fs_close(nil, &request, descriptor, nil)
        uv_fs_req_cleanup(&request)
      }
    }
    for _ in 0..<3 {
      var pair: (uv_file, uv_file) = (0, 0)
      let status = withUnsafeMutableBytes(of: &pair) { uv_pipe($0.assumingMemoryBound(to: uv_file.self).baseAddress, 0, 0) }
      guard status == 0 else { throw LoopProblem(text: uvMessage(status)) }
      found += [pair.0, pair.1]
    }
  }

  /// Gives it back: after the loop's last event, or if it never began.
  private func close() {
    wakeUp?.close()
    wakeUp = nil
    uv_run(loop, UV_RUN_DEFAULT)
    let closed = uv_loop_close(loop)
    precondition(closed == 0, "the loop '\(name)' cannot end: \(uvMessage(closed))")
    loop.deallocate()
    loop = nil
  }

  private func run() {
    // They call back only while this method runs.
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
    idle.close()
    timer.close()
    close()
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
