import ChainBase
import CLuaGuard
import LuaBridge

/// One call from state to state: the input crosses, the callee runs, the output crosses back.
extension Lane {
  // MARK: Calling

  /// The caller waits in the function of one of its needs; its arguments lie on its waiter's stack.
  @inline(__always) func beginCall(_ caller: CallRef) {
    guard let needs = caller.pointee.core.pointee.needs else { return }
    let need = needs + Int(caller.pointee.run.operand)
    let target = need.pointee.target
    let waiter = caller.waiter
    guard need.pointee.isPlain, waiter.top == 1, target.pointee.isReady,
      target.pointee.slotsTaken < target.pointee.slots, caller.pointee.depth < Lane.maxDepth(caller)
    else { return beginCallWithCare(caller, need) }
    let callee = ChainletState.take(from: target)
    open(callee, under: caller, deadline: caller.pointee.run.deadline)
    takeSlot(callee)
    caller.pointee.wait = .answer
    let fits = fill(callee, from: waiter, need)
    guard fits == true, callee.pointee.core.pointee.lua.pointee.memory.over == 0 else {
      let serial = caller.pointee.serial
      fillWithCare(callee, fits: fits, from: waiter, need)
      return charge(caller, serial: serial)
    }
    waiter.setTop(0)
    callee.pointee.phase = .ready
    handOff = callee
  }

  static func maxDepth(_ caller: CallRef) -> Int32 { caller.pointee.core.pointee.depthLimit }

  /// Sets up a pooled call for this use.
  @inline(__always) func open(_ call: CallRef, under parent: CallRef, deadline: UInt64) {
    let core = call.pointee.core
    clg_link(parent.raw, call.raw)
    call.pointee.kind = .call
    call.pointee.request = parent.pointee.request
    call.pointee.run.owner = parent.pointee.run.owner
    call.pointee.depth = parent.pointee.depth &+ 1
    call.pointee.need = parent.pointee.run.operand
    begin(call, deadline: deadline)
    if core.pointee.timeLimit != .max { tighten(call, by: core.pointee.timeLimit, .time) }
  }

  @inline(__always) func begin(_ call: CallRef, deadline: UInt64) {
    call.pointee.serial = stamp()
    call.pointee.run.deadline = deadline
    call.pointee.run.cpu_left = call.pointee.core.pointee.cpuLimit
    call.pointee.run.waiter = nil
    call.pointee.run.answers = 0
    call.pointee.run.failed = 0
    call.pointee.run.cancel = 0
    call.pointee.run.killed = 0
    call.pointee.run.spared = 0
    call.pointee.wait = .nothing
  }

  /// A deadline of the call's own, if that is nearer than the inherited one: so many nanoseconds from now on.
  func tighten(_ call: CallRef, by allowance: UInt64, _ reason: Call.AllowedBy) {
    tighten(call, to: moment(allowance, after: now), allowance, reason)
  }

  private func tighten(_ call: CallRef, to deadline: UInt64, _ allowance: UInt64, _ reason: Call.AllowedBy) {
    guard deadline < call.pointee.run.deadline else { return }
    call.pointee.run.deadline = deadline
    call.pointee.allowance = allowance
    call.pointee.allowedBy = reason
    addTimer(at: deadline, .deadline, call, stamp: call.pointee.serial)
  }

  @inline(__always) func takeSlot(_ call: CallRef) {
    call.pointee.core.pointee.slotsTaken &+= 1
    call.pointee.holdsSlot = true
  }

  /// Puts body, handler, `run`, `self` and the checked copy of the input on the callee's stack; nil: it is large.
  @inline(__always) private func fill(
    _ callee: CallRef, from waiter: LuaStack, _ need: UnsafeMutablePointer<Need>, streams: LuaToLua.StreamHook? = nil
  ) -> Bool? {
    let core = callee.pointee.core
    let stack = callee.stack
    core.pointee.lua.pointee.memory.host &+= 1
    ChainletState.pushRun(onto: stack)
    let fits = core.pointee.input.tryCopy(
      from: waiter, at: 1, need.pointee.input, to: stack, limits: core.pointee.inputShare, streams: streams)
    core.pointee.lua.pointee.memory.host &-= 1
    callee.pointee.run.answers = ChainletState.prefix
    return fits
  }

  private func fillWithCare(_ callee: CallRef, fits: Bool?, from source: LuaStack, _ need: UnsafeMutablePointer<Need>) {
    guard let fits else { return fillInPieces(callee, from: source, need) }
    var failure: Failure?
    if !fits {
      let problem = inputProblem(callee, source, limits: callee.pointee.core.pointee.inputShare)
      if problem.code == Failure.Code.tooLarge { return fillInPieces(callee, from: source, need) } // what is wrong is further in
      failure = problem
    } else if callee.state.isOutOfMemory() {
      failure = callee.state.memoryFailure(for: " for its input")
    }
    if let failure { return complete(callee, failure: failure, results: 0) }
    filled(callee, from: source)
  }

  /// The input is large.
  private func fillInPieces(_ callee: CallRef, from source: LuaStack, _ need: UnsafeMutablePointer<Need>) {
    guard let caller = callee.parent else { return }
    let (core, stack) = (callee.pointee.core, callee.stack)
    source.setTop(1)
    stack.setTop(ChainletState.prefix)
    core.pointee.lua.pointee.memory.host += 1
    ChainletState.pushRun(onto: stack)
    core.pointee.lua.pointee.memory.host -= 1
    let limits = CrossingLimits()
    copyInPieces(
      callee, from: source, at: 1, caller.state, to: stack, callee.state, callee.state.program.input, limits: limits,
      streams: handOverStream(to: callee)
    ) { [unowned self] pause in
      inputProblem(callee, source, limits: limits, pause: pause)
    } ended: { [unowned self] failure, isOutOfMemory in
      let failure = isOutOfMemory ? callee.state.memoryFailure(for: " for its input") : failure
      if let failure = failure ?? batchLoss(of: callee) { return complete(callee, failure: failure, results: 0) }
      filled(callee, from: source)
    }
  }

  /// The input is on the call's stack: its arguments are not needed any more.
  private func filled(_ call: CallRef, from source: LuaStack) {
    let channel = call.existingExtra?.output
    channel?.arguments = nil
    if call.parent?.existingExtra?.retry == nil, channel == nil { source.setTop(0) }
    if let channel { pushEmit(of: channel, onto: call) }
    if call.state.program.input.streamField != nil, let inputs = call.existingExtra?.inputs.values {
      for channel in inputs { admitWriter(channel) } // that waited while the stream was handed on
    }
    start(call)
  }

  /// Why the input of a nested call does not fit.
  private func inputProblem(_ callee: CallRef, _ source: LuaStack, limits: CrossingLimits, pause: Pace.Pause? = nil) -> Failure {
    let state = callee.state
    if let problem = callee.existingExtra?.streamProblem, let field = state.program.input.streamField {
      return Failure(code: Failure.Code.badInput, message: "\(state.name).input.\(field.name): \(problem)", status: 500)
    }
    return callee.parent.flatMap { argumentProblem($0, callee.pointee.need, source, state) }
      ?? state.program.explainInput(source, at: 1, limits: limits, pause: pause)
  }

  // MARK: With care

  /// A call with options, without a free slot, with wrong arguments, or past a bound.
  func beginCallWithCare(_ caller: CallRef, _ need: UnsafeMutablePointer<Need>) {
    let waiter = caller.waiter
    let target = need.pointee.target.pointee.owner.takeUnretainedValue()
    if let problem = argumentProblem(caller, caller.pointee.run.operand, waiter, target) { return wake(caller, failure: problem) }
    guard caller.pointee.depth < Lane.maxDepth(caller) else {
      return wake(caller, failure: caller.state.depthFailure(calling: target, caller.whereabouts.first?.place))
    }
    let request = caller.pointee.request.takeUnretainedValue()
    if need.pointee.isStream, !request.hasRoomForTask {
      let what = caller.state.needNames[Int(caller.pointee.run.operand)]
      return wake(caller, failure: request.tooManyTasks(for: "self.\(what)", at: caller.place(of: waiter), in: caller.state.name))
    }
    var options = need.pointee.options
    if waiter.top >= 2, let problem = readOptions(waiter, at: 2, into: &options, target.name) {
      return wake(caller, failure: problem)
    }
    if waiter.top == 0 { waiter.pushTable() } // `self.ping()`: an empty record
    waiter.setTop(1)
    var deadline = caller.pointee.run.deadline
    if let timeout = options.timeout { deadline = min(deadline, moment(timeout, after: now)) }
    if options.retries > 0, !need.pointee.isStream {
      caller.extra.retry = RetryPlan(attempts: options.retries, deadline: deadline, allowance: options.timeout)
    }
    caller.pointee.wait = .answer
    attempt(caller, need, deadline: deadline, allowance: options.timeout)
  }

  /// One attempt of a call whose arguments are on the caller's stack.
  /// - Parameter allowance: the caller's timeout, for all attempts, behind `deadline`.
  func attempt(_ caller: CallRef, _ need: UnsafeMutablePointer<Need>, deadline: UInt64, allowance: UInt64?) {
    let core = need.pointee.target
    let callee = blankCall(core)
    open(callee, under: caller, deadline: caller.pointee.run.deadline)
    if let allowance { tighten(callee, to: deadline, allowance, .caller) }
    callee.pointee.phase = .queued
    callee.pointee.waitingSince = now
    caller.pointee.phase = .waiting
    if need.pointee.isStream { return openStream(callee, caller, need) }
    admit(callee)
  }

  /// Gives a queued call what it needs to start, one thing after the other, or leaves it waiting for it.
  func admit(_ call: CallRef) {
    if let gate = gate(of: call), call.pointee.extra == nil || call.extra.needGate == nil {
      guard gate.hasPlace else {
        gate.waiting.add(Waiter(call, ticket: stamp()))
        call.extra.awaitedGate = gate
        return watchForDeadlocks()
      }
      gate.taken += 1
      call.extra.needGate = gate
      call.extra.awaitedGate = nil
    }
    let core = call.pointee.core
    guard core.pointee.mayStart else {
      call.state.enqueue(call)
      return watchForDeadlocks()
    }
    takeSlot(call)
    startQueued(call)
  }

  private func gate(of call: CallRef) -> NeedGate? {
    guard let parent = call.parent, call.pointee.kind == .call, let needs = parent.pointee.core.pointee.needs else { return nil }
    return needs[Int(call.pointee.need)].gate?.takeUnretainedValue()
  }

  /// A call that waited has its slot: its input crosses now.
  func startQueued(_ call: CallRef) {
    call.state.adoptCoroutine(call)
    call.pointee.phase = .ready
    guard let parent = call.parent else {
      let serial = call.pointee.serial
      startRoot(call)
      return charge(call, serial: serial)
    }
    guard let needs = parent.pointee.core.pointee.needs else { return }
    let need = needs + Int(call.pointee.need)
    let source = call.existingExtra?.output?.arguments?.stack ?? parent.waiter
    let streams = call.state.program.input.streamField.map { _ in handOverStream(to: call) }
    let serial = parent.pointee.serial
    fillWithCare(call, fits: fill(call, from: source, need, streams: streams), from: source, need)
    charge(parent, serial: serial)
  }

  /// The input is on the call's stack: it runs, or is run with others of its chainlet.
  func start(_ call: CallRef) {
    if call.state.batching != nil { addToBatch(call) } else { makeReady(call) }
  }

  private func argumentProblem(_ caller: CallRef, _ need: Int32, _ waiter: LuaStack, _ target: ChainletState) -> Failure? {
    guard waiter.top > 0 else { return nil }
    let name = caller.state.needNames[Int(need)]
    if waiter.type(at: 1) == .table {
      caller.state.pushSelf(onto: waiter)
      let isSelf = waiter.rawEqual(-1, 1)
      waiter.pop()
      if isSelf {
        return Failure(
          code: Failure.Code.badInput,
          message: "self:\(name) { … } passes self as the input of \(target.name); write self.\(name) { … } with a dot", status: 500)
      }
      return nil
    }
    return Failure(
      code: Failure.Code.badInput,
      message: "\(target.name).input: expected a table of fields, got \(waiter.describe(at: 1)); write self.\(name) { … }",
      status: 500, chainlet: target.name)
  }

  // MARK: Answering

  /// A run's function has returned, or ended in an error.
  @inline(__always) func functionEnded(_ call: CallRef, status: Int32, results: Int32) {
    if status == LUA_OK_STATUS, call.pointee.extra == nil, !call.hasChildren, let parent = call.parent,
      parent.pointee.run.cancel == 0
    {
      if call.pointee.kind == .call, parent.pointee.extra == nil { return answer(parent, of: call, results: results) }
      if call.pointee.kind == .task, mapItemReturned(call, to: parent, results: results) { return }
    }
    functionEndedWithCare(call, status: status, results: results)
  }

  @inline(__always) private func answer(_ caller: CallRef, of call: CallRef, results: Int32) {
    guard let needs = caller.pointee.core.pointee.needs else { return }
    let need = needs + Int(call.pointee.need)
    let core = call.pointee.core
    let stack = call.stack
    if results == 0 { stack.pushNil() }
    let at = results == 0 ? stack.top : stack.top &- results &+ 1
    let memory = caller.pointee.core.pointee.lua
    memory.pointee.memory.host &+= 1
    let fits = need.pointee.output.tryCopy(
      from: stack, at: at, core.pointee.output, to: caller.waiter, limits: core.pointee.outputShare)
    memory.pointee.memory.host &-= 1
    guard fits == true && memory.pointee.memory.over == 0 else { return answerWithCare(caller, of: call, fits: fits, at: at) }
    // First of all: who takes the slot may end the caller.
    caller.pointee.run.answers = 1
    caller.pointee.phase = .ready
    handOff = caller
    leave(call)
    ChainletState.recycle(call)
  }

  private func answerWithCare(_ caller: CallRef, of call: CallRef, fits: Bool?, at index: Int32) {
    guard fits == true else { // wrong, or large: as for any other call
      caller.waiter.setTop(0)
      let results = call.stack.top - index + 1
      return complete(call, failure: nil, results: results)
    }
    if caller.state.isOutOfMemory() { endForMemory(caller) }
    wake(caller, answers: 1)
    leave(call)
    ChainletState.recycle(call)
  }

  /// Takes a call out of the tree and gives its slot on.
  @inline(__always) func leave(_ call: CallRef) {
    let core = call.pointee.core
    clg_unlink(call.raw)
    call.pointee.serial = 0
    call.pointee.ticket = 0
    call.pointee.phase = .idle
    if call.pointee.holdsSlot {
      call.pointee.holdsSlot = false
      core.pointee.slotsTaken &-= 1
      if core.pointee.waiting > 0 {
        startNext(core)
      } else if core.pointee.slotsTaken == 0, !core.pointee.isReady {
        let state = core.pointee.owner.takeUnretainedValue()
        if state.isRetired { retiredStateIsEmpty(state) }
      }
    }
  }
}
