import ChainBase
import CLuaGuard
import LuaBridge

/// Turns: which run goes on, and for how long.
extension Lane {
  /// A turn ends after so many runs, or after `turnLength`, so that the loop's I/O gets its share.
  private static let runsPerTurn = 256
  static let turnLength: UInt64 = 1_000_000
  /// So long a request of the slow line has its turn, and then until its run waits or has spent its slice.
  private static let slowTurnLength: UInt64 = 250_000
  /// A caller and its callee hand the turn to each other, and a request's runs follow one another, so often before others
  /// have their say.
  private static let runsOfOne = 64

  /// One bounded turn; true if more is ready.
  func runTurn() -> Bool {
    turnEnd = now &+ Lane.turnLength
    var count = 0
    while count < Lane.runsPerTurn && now <= turnEnd, let line = runs.takeFast() { count += run(line, atMost: Lane.runsOfOne) }
    if let line = runs.takeSlow() {
      turnEnd = now &+ Lane.slowTurnLength
      _ = run(line, atMost: Lane.runsOfOne, inShare: false)
    }
    if !crossings.isEmpty { continueCrossing() }
    armTimer()
    return !isAtRest
  }

  /// Some runs of one request; how many.
  private func run(_ line: UnsafeMutablePointer<RunLine>, atMost most: Int, inShare: Bool = true) -> Int {
    let request = line.pointee.owner.takeUnretainedValue() // its last run may end it
    defer { withExtendedLifetime(request) {} }
    if let state = request.servant {
      line.pointee.debt = state.hookDebt
      if inShare, line.pointee.debt.isTooMuch(at: now) { // others of its kind have run since it was listed
        runs.putBack(line, at: now)
        return 0
      }
    }
    current = line
    currentSince = now
    var count = 0
    while count < most, now <= turnEnd, !inShare || !line.pointee.debt.isTooMuch(at: now, with: now &- currentSince),
      let call = runs.next(of: line)
    {
      if runFrom(call) { count += 1 }
    }
    current = nil
    line.pointee.debt.add(now &- currentSince, at: now)
    line.pointee.ownDebt.add(now &- currentSince, at: now)
    request.servant?.hookDebt.add(now &- currentSince, at: now)
    runs.putBack(line, at: now)
    return max(1, count)
  }

  /// What a request has taken of the lane, the turn that goes on included.
  func debt(of request: Request) -> RunDebt {
    var debt = request.line.pointee.ownDebt
    if request.line == current { debt.add(now &- currentSince, at: now) }
    return debt
  }

  /// False: its state is held, and nothing has happened.
  private func runFrom(_ first: CallRef) -> Bool {
    guard step(first) else { return false }
    var steps = 1
    while let call = handOff {
      handOff = nil
      guard steps < Lane.runsOfOne, now <= turnEnd else {
        runs.add(call, at: now)
        break
      }
      steps += 1
      _ = step(call)
    }
    return true
  }

  private var isAtRest: Bool { runs.count == 0 && crossings.isEmpty }

  /// Asks the loop for turns if there is something to run.
  func wakeLoop() {
    if let call = handOff {
      handOff = nil
      runs.add(call, at: now)
    }
    if !isAtRest { loop.requestTurns() }
    armTimer()
  }

  /// Gives a call its turn when it comes round.
  func makeReady(_ call: CallRef) {
    call.pointee.phase = .ready
    runs.add(call, at: now)
  }

  // MARK: One step

  /// Resumes a run until it waits, ends or has spent its slice. False: another run holds its state.
  @inline(__always) private func step(_ call: CallRef) -> Bool {
    if call.pointee.wait == .tasks, call.pointee.run.killed == 0, continueGroup(call) { return true }
    if call.pointee.run.cancel != 0 { prepareUnwinding(call) }
    let core = call.pointee.core
    if let holder = core.pointee.holder, holder != call {
      call.state.parked.append(call)
      return false
    }
    call.pointee.phase = .running
    call.pointee.wait = .nothing
    let answers = call.pointee.run.answers
    call.pointee.run.answers = 0
    var results: Int32 = 0
    let status = clg_resume(watch, call.raw, answers, now, &results)
    let stopped = environmentNow()
    clg_charge(call.raw, stopped &- now)
    if call.pointee.run.cancel != 0 { note(unwinding: call, stopped &- now) }
    now = stopped
    if status == LUA_YIELD_STATUS {
      if watch.pointee.why == sig_atomic_t(CLG_WAIT.rawValue) {
        if core.pointee.holder != nil { releaseHold(core) }
        beginWait(call)
      } else {
        core.pointee.holder = call
        makeReady(call)
      }
    } else {
      guard status != Int32(CLG_LOST_STATUS) else {
        forgetTurns()
        return true
      }
      if core.pointee.holder != nil { releaseHold(core) }
      // At the end Lua counts all that is on the stack, the prefix of a pooled coroutine too.
      functionEnded(call, status: status, results: results &- ChainletState.prefix)
    }
    return true
  }

  /// Host work for a call, after which the clock is read: who runs next does not pay for it.
  func charge(_ call: CallRef, serial: UInt64) {
    let end = environmentNow()
    if call.pointee.serial == serial { clg_charge(call.raw, end &- now) }
    now = end
  }

  /// Monotonic nanoseconds: the real clock without a detour, the simulated one by the seam.
  @inline(__always) func environmentNow() -> UInt64 {
    if watch.pointee.instructions == 0 { return clg_now() }
    environment.spend(nanoseconds: virtualClock.pointee - now)
    return environment.now()
  }

  /// The run that held the state waits or has ended: a large value that is to be read there crosses next, else the others of
  /// that state may go on.
  func releaseHold(_ core: UnsafeMutablePointer<StateCore>) {
    core.pointee.holder = crossings.nextReader(of: core)
    guard core.pointee.holder == nil else { return }
    let state = core.pointee.owner.takeUnretainedValue()
    let parked = state.parked
    state.parked = []
    for call in parked { runs.add(call, at: now) }
  }

  // MARK: Waking

  /// A wait is over: `answers` values lie on the waiter's stack.
  @inline(__always) func wake(_ call: CallRef, answers: Int32, failed: Bool = false) {
    call.pointee.run.answers = answers
    call.pointee.run.failed = failed ? 1 : 0
    call.pointee.ticket = 0
    makeReady(call)
  }

  /// A wait is over with an error for the waiting function to raise.
  func wake(_ call: CallRef, failure: Failure) {
    let waiter = call.waiter
    waiter.setTop(0)
    call.pointee.core.pointee.lua.pointee.memory.host += 1
    call.state.failures.push(failure, onto: waiter)
    call.pointee.core.pointee.lua.pointee.memory.host -= 1
    if call.state.isOutOfMemory() { endForMemory(call) }
    wake(call, answers: 1, failed: true)
  }

  // MARK: Unwinding

  /// All that one order ends has one slice for its `<close>` variables; what comes later dies at once.
  private func prepareUnwinding(_ call: CallRef) {
    if call.pointee.run.killed == 0, call.pointee.run.waiter != nil { unwindNow(call) }
    let killed = clg_end(UInt32(call.pointee.run.killed))
    guard killed == CLG_ALIVE || killed == CLG_CANCELLED, note(unwinding: call, 0) > unwindingTime else { return }
    call.pointee.run.killed = sig_atomic_t(CLG_CANCELLED_HARD.rawValue)
  }

  private var unwindingTime: UInt64 {
    isSimulated ? 4 * UInt64(watch.pointee.instructions) * UInt64(CLG_INSTRUCTION_NS) : clg_slice()
  }

  /// Adds to what has been used of that time: by all items of a group that stops, by all children of a call that ends, or
  /// by a call and all below it.
  @discardableResult private func note(unwinding call: CallRef, _ time: UInt64) -> UInt64 {
    var root = call
    while let parent = root.parent, parent.pointee.run.cancel != 0 { root = parent }
    if let group = root.pointee.group?.takeUnretainedValue() {
      group.unwound &+= time
      return group.unwound
    }
    let holder = root.parent.flatMap { $0.pointee.phase == .ending ? $0 : nil } ?? root
    if time > 0 { holder.extra.unwound &+= time }
    return holder.existingExtra?.unwound ?? 0
  }

  /// Resumes a cancelled run so that it unwinds.
  func unwind(_ call: CallRef) {
    if call.pointee.run.killed == 0 { call.pointee.run.killed = sig_atomic_t(CLG_CANCELLED.rawValue) }
    call.waiter.setTop(0)
    wake(call, answers: 0)
  }

  // MARK: Timers

  /// Notes a time for the call's present wait.
  func wakeLater(_ call: CallRef, at time: UInt64) { addTimer(at: time, .wake, call, stamp: call.pointee.ticket) }

  /// Those that nobody waits for any more do not pile up.
  func addTimer(at time: UInt64, _ purpose: LaneTimer.Purpose, _ call: CallRef, stamp: UInt64) {
    timers.add(at: time, purpose, call, stamp: stamp)
    if timers.count > timerLimit { dropStaleTimers() }
  }

  /// Calls that ended in time leave their deadlines behind: now and then they are swept out.
  func dropStaleTimers() {
    timers.removeAll(where: isStale)
    timerLimit = max(1024, timers.count * 2)
  }

  /// Whether nobody waits for that time any more.
  func isStale(_ entry: LaneTimer) -> Bool {
    guard let call = entry.call else { return false }
    return entry.stamp != (entry.purpose == .deadline ? call.pointee.serial : call.pointee.ticket)
  }

  func armTimer() {
    let first = timers.first
    guard first != armedTimer else { return }
    armedTimer = first
    loop.setTimer(at: first)
  }

  func fireTimers() {
    armedTimer = nil
    while let entry = timers.popDue(now) {
      switch entry.purpose {
      case .wake: if let call = entry.call, call.pointee.ticket == entry.stamp { timeCame(call) }
      case .deadline: if let call = entry.call, call.pointee.serial == entry.stamp { expire(call) }
      case .retry: if let call = entry.call, call.pointee.ticket == entry.stamp { tryAgain(call) }
      case .deadlocks: lookForDeadlocks()
      case .rebuild: rebuildAgain(entry.stamp)
      case .batch: batchTimeCame(entry.stamp)
      }
    }
    armTimer()
  }
}

/// `LUA_YIELD`; the C API itself is not visible on this floor.
let LUA_YIELD_STATUS: Int32 = 1
let LUA_OK_STATUS: Int32 = 0
