import ChainBase
import CLuaGuard
import LuaBridge

/// How calls end: well, by an error, by a limit, or because something outside of them ordered it.
///
/// The order is always: children, ticket, slot, next in the queue, caller.
extension Lane {
  // MARK: A function has ended

  func functionEndedWithCare(_ call: CallRef, status: Int32, results: Int32) {
    var failure: Failure?
    if status != LUA_OK_STATUS {
      failure = takeFailure(call, status: status)
    } else if let ending = call.existingExtra?.ending {
      failure = ending.failure // it was ordered first
    }
    guard call.hasChildren else { return complete(call, failure: failure, results: results) }
    call.pointee.phase = .ending
    call.extra.failure = failure.map { KeptFailure($0, in: call.state) }
    call.extra.results = results
    cancelChildren(of: call)
  }

  /// The error of a run that ended in one, as a failure.
  private func takeFailure(_ call: CallRef, status: Int32) -> Failure {
    let state = call.state
    let report = report
    self.report = nil
    let killed = clg_end(UInt32(call.pointee.run.killed))
    let failure: Failure
    switch killed {
    case CLG_CPU: failure = call.existingExtra?.ending?.failure ?? state.cpuFailure(placeOfKill(call))
    case CLG_MEMORY: failure = state.memoryFailure(placeOfKill(call))
    case CLG_STRING: failure = state.stringFailure(placeOfKill(call))
    case CLG_TIMEOUT: return timeoutInside(call)
    case CLG_CANCELLED, CLG_CANCELLED_HARD: return endingFailure(call)
    default:
      if status == LUA_ERRMEM_STATUS { return state.memoryFailure(placeOfKill(call)) }
      return state.failures.read(call.stack, at: -1, report: report?.serial == call.pointee.serial ? report : nil)
    }
    stateWasKilled(state, by: failure)
    if killed == CLG_CPU { endSpender(above: call, failure) }
    return failure
  }

  /// The CPU time that a task has used up is that of the call it belongs to, which ends with it, wherever it waits.
  private func endSpender(above call: CallRef, _ failure: Failure) {
    var spender = call
    var above = call.parent
    while let parent = above, parent.pointee.core == call.pointee.core { // as the time was charged
      if parent.pointee.run.cpu_left == 0 { spender = parent }
      above = parent.parent
    }
    if spender != call { cancel(spender, Ending(failure)) }
  }

  /// The hook ended a run past its deadline where Lua could not give way; the deadline may be an outer call's.
  private func timeoutInside(_ call: CallRef) -> Failure {
    var outermost = call
    while let parent = outermost.parent, parent.pointee.run.deadline == call.pointee.run.deadline { outermost = parent }
    let failure = timeoutFailure(outermost, placeOfKill(call))
    if outermost != call { cancel(outermost, Ending(failure)) }
    return failure
  }

  /// What a call that was ended from outside says.
  private func endingFailure(_ call: CallRef) -> Failure {
    call.existingExtra?.ending?.failure
      ?? Failure(code: Failure.Code.cancelled, message: "\(call.state.name) was cancelled", chainlet: call.state.name)
  }

  // MARK: Completing

  /// A call is over and has no children left: its consumer gets what it made.
  func complete(_ call: CallRef, failure: Failure?, results: Int32) {
    var failure = failure
    let extra = call.existingExtra
    let parent = call.parent
    // Whoever is told of the end may let these go, and they are needed to the last line.
    let (state, request) = (call.state, call.pointee.request.takeUnretainedValue())
    defer { withExtendedLifetime((state, request)) {} }
    if failure == nil, call.pointee.kind != .hook { failure = extra?.unobservedFailure }
    failure?.arrived(in: call)
    let wasQueued = call.pointee.phase == .queued
    if wasQueued { state.removeFromQueue(call) }
    let isTask = call.pointee.kind == .task || (parent != nil && extra?.output != nil)
    guard deliver(call, to: parent, failure: &failure, results: results) else { return }
    if let extra { closeHoldings(of: call, extra) }
    if isTask { taskLeft(call) }
    let isHook = call.pointee.kind == .hook
    leave(call)
    if wasQueued, let batching = state.batching { itemLeft(batching) }
    call.pointee.extra?.release()
    call.pointee.extra = nil
    call.pointee.group = nil
    if call.pointee.run.coroutine == nil {
      reuse(call)
    } else if call.stack.canBeReused {
      ChainletState.recycle(call)
    } else {
      state.drop(call)
    }
    if let parent { childEnded(parent) }
    if isHook { hookLeft(call, extra, failure) } // its state may be closed now
  }

  /// Hands the outcome to whoever waits for it: a caller, a group, a task's handle, a request, a hook's starter. False: it
  /// is large and crosses in pieces; then the call is completed once more.
  private func deliver(_ call: CallRef, to parent: CallRef?, failure: inout Failure?, results: Int32) -> Bool {
    let extra = call.existingExtra
    if let channel = extra?.output { return producerEnded(channel, call, failure: &failure, results: results) }
    switch call.pointee.kind {
    case .hook: // told of its end when all of it has been put away
      if failure == nil { extra?.hookReturned?(call.stack, results) }
    case .task:
      if let group = call.pointee.group?.takeUnretainedValue() {
        groupItemEnded(group, call, failure: failure, results: results)
      } else if let handle = extra?.handle {
        taskEnded(handle, call, failure: failure, results: results)
      }
    case .call:
      if let parent {
        guard parent.pointee.run.cancel == 0, parent.pointee.wait == .answer else { return true }
        guard let failure else { return answerSlowly(parent, of: call, results: results) }
        answerCaller(parent, failure, of: call)
      } else {
        return requestEnded(call, failure: failure, results: results)
      }
    }
    return true
  }

  private func answerCaller(_ caller: CallRef, _ failure: Failure, of call: CallRef) {
    var failure = failure
    if let plan = caller.existingExtra?.retry {
      if failure.retry, plan.attemptsLeft > 0, call.existingExtra?.ending == nil || failure.code != Failure.Code.timeout {
        let delay = plan.delay / 2 + environment.random() % max(1, plan.delay)
        let next = moment(delay, after: now)
        if next < plan.deadline {
          plan.attemptsLeft -= 1
          plan.delay = min(plan.delay * 2, 5_000_000_000)
          caller.pointee.ticket = stamp()
          addTimer(at: next, .retry, caller, stamp: caller.pointee.ticket)
          return armTimer()
        }
      }
      caller.extra.retry = nil
      failure.retry = false // the innermost call that asks has had its attempts: those further out make no more
    }
    wake(caller, failure: failure)
  }

  /// The back-off of a failed attempt is over.
  func tryAgain(_ caller: CallRef) {
    guard let plan = caller.existingExtra?.retry, let needs = caller.pointee.core.pointee.needs else { return }
    caller.pointee.ticket = 0
    attempt(caller, needs + Int(caller.pointee.run.operand), deadline: plan.deadline, allowance: plan.allowance)
  }

  private func answerSlowly(_ caller: CallRef, of call: CallRef, results: Int32) -> Bool {
    guard let needs = caller.pointee.core.pointee.needs else { return true }
    if call.existingExtra?.crossed != nil {
      caller.existingExtra?.retry = nil
      wake(caller, answers: 1)
      return true
    }
    let need = needs + Int(call.pointee.need)
    let stack = call.stack
    if results == 0 { stack.pushNil() }
    let at = results == 0 ? stack.top : stack.top - results + 1
    let waiter = caller.waiter
    if let plan = caller.existingExtra?.retry {
      plan.attemptsLeft = 0 // its arguments make room for the answer
      waiter.setTop(0)
    }
    let memory = caller.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    let fits = need.pointee.output.tryCopy(
      from: stack, at: at, call.pointee.core.pointee.output, to: waiter, limits: call.pointee.core.pointee.outputShare)
    memory.pointee.memory.host -= 1
    if fits == true {
      caller.existingExtra?.retry = nil
      if caller.state.isOutOfMemory() { endForMemory(caller) }
      wake(caller, answers: 1)
      return true
    }
    waiter.setTop(0)
    if fits == false {
      let failure = call.state.program.explainOutput(stack, at: at, limits: call.pointee.core.pointee.outputShare)
      if failure.code != Failure.Code.outputLimit { // else what is wrong is further in
        caller.existingExtra?.retry = nil
        wake(caller, failure: call.state.returned(failure))
        return true
      }
    }
    answerInPieces(caller, of: call, need, results: results, at: at)
    return false
  }

  /// The output is large.
  private func answerInPieces(
    _ caller: CallRef, of call: CallRef, _ need: UnsafeMutablePointer<Need>, results: Int32, at index: Int32
  ) {
    let limits = call.pointee.core.pointee.outputLimits
    copyInPieces(
      call, from: call.stack, at: index, call.state, to: caller.waiter, caller.state,
      need.pointee.output.program.takeUnretainedValue(), limits: limits
    ) { pause in
      call.state.returned(call.state.program.explainOutput(call.stack, at: index, limits: limits, pause: pause))
    } ended: { [unowned self] failure, isOutOfMemory in
      if isOutOfMemory {
        caller.waiter.setTop(0)
        caller.waiter.pushNil()
        endForMemory(caller)
      } else if let failure {
        return complete(call, failure: failure, results: 0)
      }
      call.extra.crossed = .answer
      complete(call, failure: nil, results: results)
    }
  }

  /// What a call held ends with it: its streams, its locks, its place behind a need's bound, its tasks' values.
  private func closeHoldings(of call: CallRef, _ extra: CallExtra) {
    let state = call.state
    let inputs = extra.inputs
    extra.inputs = [:]
    close(inputs.values.sorted { $0.id < $1.id })
    releaseLocks(of: call, extra)
    extra.mark?.end()
    forgetTasks(extra, in: state)
    guard let gate = extra.needGate else { return }
    extra.needGate = nil
    gate.taken -= 1
    admitNext(gate)
  }

  /// A child has left: a call that ends, or unwinds, goes on when none is left.
  func childEnded(_ parent: CallRef) {
    guard !parent.hasChildren else { return }
    if parent.pointee.phase == .ending {
      let extra = parent.extra
      complete(parent, failure: extra.failure?.failure, results: extra.results)
    } else if parent.pointee.run.cancel != 0, parent.pointee.phase == .waiting {
      stopWaiting(parent)
      unwind(parent)
    }
  }

  // MARK: Cancelling

  /// Ends a call and all below it, innermost first. Its caller, who may go on, sees `ending`.
  func cancel(_ call: CallRef, _ ending: Ending) {
    guard call.pointee.phase != .idle else { return }
    if call.extra.ending == nil { call.extra.ending = ending }
    var list = clg_mark_cancelled(call.raw)
    while let run = list {
      list = run.pointee.listed
      endCancelled(UnsafeMutableRawPointer(run).assumingMemoryBound(to: Call.self))
    }
  }

  @inline(never) private func endCancelled(_ call: CallRef) {
    switch call.pointee.phase {
    case .queued:
      complete(call, failure: endingFailure(call), results: 0)
    case .crossing:
      abandonCrossing(of: call)
      complete(call, failure: endingFailure(call), results: 0)
    case .waiting:
      if call.pointee.wait == .pieces, call.hasChildren { // which need the state
        abandonCrossing(of: call)
        if call.pointee.core.pointee.holder == call { releaseHold(call.pointee.core) }
      }
      guard !call.hasChildren else { return }
      stopWaiting(call)
      unwind(call)
    case .idle, .ready, .running, .ending: break // the hook, the next wait or the last child ends it
    }
  }

  func cancelChildren(of call: CallRef) {
    var list = clg_mark_children_cancelled(call.raw)
    while let run = list {
      list = run.pointee.listed
      endCancelled(UnsafeMutableRawPointer(run).assumingMemoryBound(to: Call.self))
    }
  }

  /// A deadline has come.
  func expire(_ call: CallRef) {
    cancel(call, Ending(timeoutFailure(call, call.whereabouts)))
  }

  /// Takes a call out of whatever it waits in; its ticket is void.
  func stopWaiting(_ call: CallRef) {
    call.pointee.ticket = 0
    switch call.pointee.wait {
    case .item, .room:
      guard let channel = call.existingExtra?.reading else { break }
      channel.forget(call)
      closeIfForgotten(channel)
    case .lock: call.existingExtra?.awaited = nil
    case .native: call.existingExtra?.cancelNative?()
    case .pieces:
      abandonCrossing(of: call)
      if let channel = call.existingExtra?.reading { piecesEnded(on: channel, of: call) }
    default: break
    }
  }
}

let LUA_ERRMEM_STATUS: Int32 = 4

extension Failure {
  /// Notes the chainlet it came through.
  mutating func arrived(in call: CallRef) {
    if chainlet == nil { chainlet = call.state.name }
  }
}
