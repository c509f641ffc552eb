import ChainBase
import CLuaGuard
import LuaBridge

/// Turns: which run goes on, and for how long.
extension Lane {
  /// A turn ends after so many runs, or after `turnLength`, so that the loop's I/O gets its share.
  private static let runsPerTurn = 256
  private static let turnLength: UInt64 = 1_000_000
  /// A caller and its callee hand the turn to each other so often before the ring has its say.
  private static let handOffs = 64

  /// One bounded turn; true if more is ready.
  func runTurn() -> Bool {
    let end = now &+ Lane.turnLength
    var count = 0
    while !ready.isEmpty && count < Lane.runsPerTurn && now <= end {
      count += 1
      runFrom(ready.pop())
    }
    // One spent slice in a turn: a neighbour waits for one of them, however many there are.
    if !slow.isEmpty { runFrom(slow.pop()) }
    if !crossings.isEmpty { continueCrossing() }
    armTimer()
    return !isAtRest
  }

  private func runFrom(_ first: CallRef) {
    step(first)
    var steps = 1
    while let call = handOff {
      handOff = nil
      guard steps < Lane.handOffs else { return ready.push(call) }
      steps += 1
      step(call)
    }
  }

  private var isAtRest: Bool { ready.isEmpty && slow.isEmpty && crossings.isEmpty }

  /// Asks the loop for turns if there is something to run.
  func wakeLoop() {
    if let call = handOff {
      handOff = nil
      ready.push(call)
    }
    if !isAtRest { loop.requestTurns() }
    armTimer()
  }

  /// Gives a call its turn when it comes round.
  func makeReady(_ call: CallRef) {
    call.pointee.phase = .ready
    ready.push(call)
  }

  // MARK: One step

  /// Resumes a run until it waits, ends or has spent its slice.
  @inline(__always) private func step(_ call: CallRef) {
    if call.pointee.wait == .tasks, call.pointee.run.killed == 0, continueGroup(call) { return }
    if call.pointee.run.cancel != 0, call.pointee.run.killed == 0, call.pointee.run.waiter != nil { unwindNow(call) }
    let core = call.pointee.core
    if let holder = core.pointee.holder, holder != call {
      call.state.parked.append(call)
      return
    }
    call.pointee.phase = .running
    call.pointee.wait = .nothing
    let answers = call.pointee.run.answers
    call.pointee.run.answers = 0
    var results: Int32 = 0
    let status = clg_resume(watch, call.raw, answers, now, &results)
    let stopped = environmentNow()
    clg_charge(call.raw, stopped &- now)
    now = stopped
    if status == LUA_YIELD_STATUS {
      if watch.pointee.why == sig_atomic_t(CLG_WAIT.rawValue) {
        if core.pointee.holder != nil { releaseHold(core) }
        beginWait(call)
      } else {
        core.pointee.holder = call
        call.pointee.phase = .ready
        slow.push(call)
      }
    } else {
      guard status != Int32(CLG_LOST_STATUS) else { return forgetTurns() }
      if core.pointee.holder != nil { releaseHold(core) }
      // At the end Lua counts all that is on the stack, the prefix of a pooled coroutine too.
      functionEnded(call, status: status, results: results &- ChainletState.prefix)
    }
  }

  /// Monotonic nanoseconds: the real clock without a detour, the simulated one by the seam.
  @inline(__always) func environmentNow() -> UInt64 {
    if watch.pointee.instructions == 0 { return clg_now() }
    environment.spend(nanoseconds: virtualClock.pointee - now)
    return environment.now()
  }

  /// The run that held the state waits or has ended: the others of that state may go on.
  func releaseHold(_ core: UnsafeMutablePointer<StateCore>) {
    core.pointee.holder = nil
    let state = core.pointee.owner.takeUnretainedValue()
    let parked = state.parked
    state.parked = []
    for call in parked {
      if let crossing = call.existingExtra?.crossing { beginPieces(crossing) } else { ready.push(call) }
    }
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

  /// Resumes a cancelled run so that it unwinds.
  func unwind(_ call: CallRef) {
    call.pointee.run.killed = sig_atomic_t(CLG_CANCELLED.rawValue)
    call.waiter.setTop(0)
    wake(call, answers: 0)
  }

  // MARK: Timers

  /// Notes a time for the call's present wait.
  func wakeLater(_ call: CallRef, at time: UInt64) { timers.add(at: time, .wake, call, stamp: call.pointee.ticket) }

  /// Calls that ended in time leave their deadlines behind: now and then they are swept out.
  func dropStaleTimers() {
    timers.removeAll(where: isStale)
    timerLimit = max(1024, timers.count * 2)
  }

  /// Whether nobody waits for that time any more.
  func isStale(_ entry: TimerQueue.Entry) -> Bool {
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
