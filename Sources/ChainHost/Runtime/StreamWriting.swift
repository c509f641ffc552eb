import ChainBase
import CLuaGuard
import LuaBridge

/// The writer's side of a stream: opening it, `emit`, the end.
extension Lane {
  // MARK: Opening

  /// A need that streams: the caller gets its handle at once, the producer runs beside it.
  func openStream(_ callee: CallRef, _ caller: CallRef, _ need: UnsafeMutablePointer<Need>) {
    let core = need.pointee.target
    let state = caller.state
    let owner = owningCall(caller)
    let channel = StreamChannel(
      id: nextChannel(), name: callee.state.name, items: core.pointee.output, result: core.pointee.result,
      reader: .state(state, items: need.pointee.output, result: need.pointee.result))
    channels[channel.id] = channel
    channel.producer = callee
    callee.extra.output = channel
    callee.pointee.request.takeUnretainedValue().tasks += 1
    owner.extra.inputs[channel.id] = channel
    channel.owner = owner
    moveInTree(callee, under: owner)
    let waiter = caller.waiter
    let memory = caller.pointee.core.pointee.lua
    channel.arguments = Carrier(in: state)
    memory.pointee.memory.host += 1
    if let arguments = channel.arguments { waiter.move(1, to: arguments.stack) }
    waiter.setTop(0)
    pushStream(channel, onto: waiter, in: state)
    memory.pointee.memory.host -= 1
    caller.pointee.wait = .nothing
    wake(caller, answers: 4)
    admit(callee)
    closeSomeForgotten() // last: it may end the caller
  }

  /// Pushes what a generic `for` wants: the stream, twice nil, and the stream again as what is to be closed.
  func pushStream(_ channel: StreamChannel, onto stack: LuaStack, in state: ChainletState) {
    pushHandle(of: channel, onto: stack, in: state)
    stack.pushNil()
    stack.pushNil()
    stack.push(copyOf: -3)
  }

  func pushHandle(of channel: StreamChannel, onto stack: LuaStack, in state: ChainletState) {
    stack.pushHandle(UInt64(UInt32(bitPattern: channel.id)), metatable: state.streamMetatable)
    channel.handles += 1
  }

  /// `chain.stream(function(emit) … end)`: the writer is a task of the same call.
  func openLocalStream(_ stack: LuaStack, by current: CallRef) {
    let owner = owningCall(current)
    let state = owner.state
    let links = state.module.anything
    let channel = StreamChannel(
      id: nextChannel(), name: "chain.stream", items: links, result: links, reader: .state(state, items: links, result: links))
    channels[channel.id] = channel
    let task = ChainletState.take(from: state.core)
    openTask(task, under: owner)
    task.pointee.group = nil
    task.extra.output = channel
    channel.producer = task
    owner.extra.inputs[channel.id] = channel
    channel.owner = owner
    ChainletState.pushBody(onto: task.stack)
    stack.push(copyOf: 1)
    stack.move(1, to: task.stack)
    task.pointee.run.answers = 2
    pushEmit(of: channel, onto: task)
    makeReady(task)
    pushStream(channel, onto: stack, in: state)
    closeSomeForgotten() // last: it may end whoever calls
  }

  /// Pushes `emit` as one more argument of a run that has not begun. Inside a host section or a native function.
  func pushEmit(of channel: StreamChannel, onto call: CallRef) {
    let memory = call.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    call.stack.pushWait(op: Op.emit.rawValue, operand: channel.id)
    memory.pointee.memory.host -= 1
    call.pointee.run.answers += 1
  }

  /// A stream's producer belongs to the call that reads it, not to the task that happened to open it.
  private func moveInTree(_ call: CallRef, under owner: CallRef) {
    guard call.parent != owner else { return }
    clg_unlink(call.raw)
    clg_link(owner.raw, call.raw)
  }

  func nextChannel() -> Int32 {
    channelCount &+= 1
    return channelCount
  }

  // MARK: Writing

  /// `emit(x)`: the item is on the waiter's stack.
  func beginEmit(_ call: CallRef) {
    guard let channel = channels[call.pointee.run.operand], let producer = channel.producer else {
      return wake(call, failure: Failure(code: Failure.Code.failed, message: "emit: the stream has ended"))
    }
    guard owningCall(producer) == owningCall(call) else {
      return wake(call, failure: Failure(
        code: Failure.Code.failed,
        message: "emit: this stream belongs to another call; only the call that got emit, and its tasks, may use it"))
    }
    call.waiter.setTop(1)
    guard channel.writing == nil, channel.asker != nil || channel.hasRoom else { return waitForRoom(call, in: channel) }
    write(call, to: channel)
  }

  /// - Parameter first: it has waited before.
  func waitForRoom(_ call: CallRef, in channel: StreamChannel, first: Bool = false) {
    call.pointee.wait = .room
    call.pointee.waitingSince = now
    call.extra.reading = channel
    let waiter = Waiter(call, ticket: stamp())
    if first { channel.writers.addFirst(waiter) } else { channel.writers.add(waiter) }
    watchForDeadlocks()
  }

  /// Takes the item of a writer across and lets the writer go on.
  func write(_ call: CallRef, to channel: StreamChannel) {
    switch channel.reader {
    case .nobody: written(call, to: channel)
    case .outside(let form, _):
      let encoded = encode(call.waiter, at: 1, channel.items, form, of: call.state, limits: call.pointee.core.pointee.outputShare)
      if case .failure(let failure) = encoded, failure.code == Failure.Code.outputLimit { return encodeItem(call, channel, form) }
      written(call, encoded, to: channel)
    case .state(let state, let items, _):
      let (core, waiter) = (call.pointee.core, call.waiter)
      var fits: Bool? = false
      deliver(to: state, channel) { target in
        guard target.ensure(8) else { return false }
        fits = items.tryCopy(from: waiter, at: 1, channel.items, to: target, limits: core.pointee.outputShare)
        return fits == true
      }
      if fits == true { written(call, to: channel) } else { copyItem(call, channel, to: state) }
    }
  }

  /// The item is large, or does not fit its type.
  private func copyItem(_ call: CallRef, _ channel: StreamChannel, to state: ChainletState) {
    call.waiter.setTop(1)
    let program = channel.items.program.takeUnretainedValue()
    let (waiter, limits) = (call.waiter, call.pointee.core.pointee.outputLimits)
    guard let carrier = Carrier(in: state) else { return itemLost(for: channel, call) }
    beginWriting(call, to: channel)
    copyInPieces(call, from: waiter, at: 1, call.state, to: carrier.stack, state, program, limits: limits) { pause in
      let mismatch = TypeMismatch.explain(
        program, from: waiter, at: 1, root: "\(channel.name).emit", limits: limits, pause: pause)
      return Failure(code: mismatch.code, message: mismatch.message)
    } ended: { [unowned self] failure, isOutOfMemory in
      channel.writing = nil
      guard case .state(let reader, _, _) = channel.reader, reader === state else { return written(call, to: channel) } // closed
      if isOutOfMemory { return itemLost(for: channel, call) }
      if let failure { return written(call, .failure(failure), to: channel) }
      deliver(to: state, channel) { target in
        carrier.stack.move(1, to: target)
        return true
      }
      written(call, to: channel)
    }
  }

  private func encodeItem(_ call: CallRef, _ channel: StreamChannel, _ form: OutputForm) {
    call.waiter.setTop(1)
    beginWriting(call, to: channel)
    encodeInPieces(call, call.waiter, at: 1, channel.items, form) { [unowned self] encoded in
      channel.writing = nil
      written(call, encoded, to: channel)
    }
  }

  private func beginWriting(_ call: CallRef, to channel: StreamChannel) {
    call.extra.reading = channel
    channel.writing = call
  }

  /// The reader's state has no room for the item.
  private func itemLost(for channel: StreamChannel, _ call: CallRef) {
    if let asker = channel.asker {
      channel.waiting = nil
      endForMemory(asker)
      wake(asker, answers: 0)
    } else if let owner = channel.owner {
      endForMemory(owner)
    }
    written(call, to: channel)
  }

  private func written(_ call: CallRef, _ encoded: Result<ChainOutput, Failure>? = nil, to channel: StreamChannel) {
    if case .failure(let failure) = encoded {
      wake(call, failure: call.state.given(failure))
    } else {
      call.waiter.setTop(0)
      wake(call, answers: 0)
    }
    guard case .outside(_, let sink) = channel.reader else { return admitWriter(channel) }
    if case .success(let output) = encoded { channel.add(.output(output)) }
    flush(channel, sink)
  }

  /// The pieces of a call that writes or reads are not wanted any more.
  func piecesEnded(on channel: StreamChannel, of call: CallRef) {
    channel.forget(call)
    admitWriter(channel)
  }

  /// Gives an item to the run that waits for it, or keeps it. `push` pushes it, or says that it cannot: then nothing has
  /// happened.
  private func deliver(to state: ChainletState, _ channel: StreamChannel, _ push: (LuaStack) -> Bool) {
    let reader = channel.asker.flatMap { channel.waitsForResult ? nil : $0 }
    let target = reader?.waiter ?? state.lua.main
    let memory = state.core.pointee.lua
    let (before, top) = (memory.pointee.memory.used, target.top)
    memory.pointee.memory.host += 1
    defer { memory.pointee.memory.host -= 1 }
    guard push(target) else { return target.setTop(top) }
    if let reader {
      channel.waiting = nil
      wake(reader, answers: 1)
      closeIfForgotten(channel)
    } else if channel.asker != nil { // only the result is wanted
      target.pop()
    } else {
      channel.add(.kept(target.keep(), in: state, bytes: max(0, memory.pointee.memory.used - before)))
    }
  }

  func admitWriter(_ channel: StreamChannel) {
    if channel.feeding != nil { return askFeed(channel) }
    guard !channel.isAdmitting else { return } // the loop below, further out, sees the room
    channel.isAdmitting = true
    defer { channel.isAdmitting = false }
    var count = 0
    while channel.hasRoom, let writer = channel.writers.popFirst() {
      write(writer, to: channel)
      if case .nobody = channel.reader { continue } // it is just woken
      count += 1
      guard count < Lane.admittedAtOnce else { return admitSoon(channel.id) }
    }
  }

  private static let admittedAtOnce = 64

  private func admitSoon(_ id: Int32) {
    post { [self] in
      asLane {
        if let channel = channels[id] { admitWriter(channel) }
      }
    }
  }

  // MARK: The writer's end

  /// False: its result is large and crosses in pieces; then the call is completed once more.
  func producerEnded(_ channel: StreamChannel, _ call: CallRef, failure: inout Failure?, results: Int32) -> Bool {
    var result: StreamResult = .none
    if failure == nil {
      guard let crossed = takeResult(of: call, channel, results: results) else { return false }
      switch crossed {
      case .success(let crossed): result = crossed
      case .failure(let problem): failure = call.state.returned(problem)
      }
    }
    channel.producer = nil
    channel.arguments = nil
    switch channel.reader {
    case .nobody:
      if call.parent == nil { callsEnded(of: call.pointee.request.takeUnretainedValue()) }
    case .outside(_, let sink):
      if channel.isAbandoned { // nobody will ask for what is left
        channel.queue = []
        channel.wanted = max(1, channel.wanted)
      }
      if case .output(let output) = result { channel.lastOutput = output }
      channel.end = failure.map { .failed(KeptFailure($0, in: nil)) } ?? .finished(0)
      callsEnded(of: call.pointee.request.takeUnretainedValue())
      flush(channel, sink)
    case .state(let state, _, _):
      let reference = if case .kept(let reference) = result { reference } else { Int32(0) }
      channel.end = failure.map { .failed(KeptFailure($0, in: state)) } ?? .finished(reference)
      tellReader(channel, state, reference, failure)
    }
    return true
  }

  /// What follows the items, where it is wanted.
  private enum StreamResult {
    case none
    case output(ChainOutput)
    /// In the reader's registry.
    case kept(Int32)
  }

  /// nil: it is large, and crosses in pieces from now on.
  private func takeResult(of call: CallRef, _ channel: StreamChannel, results: Int32) -> Result<StreamResult, Failure>? {
    guard let link = channel.result else { return .success(.none) }
    let stack = call.stack // a call that never began has none
    let crossed = call.existingExtra?.crossed
    let core = call.pointee.core
    let at = results == 0 ? stack.top + 1 : stack.top - results + 1
    if results == 0, crossed == nil { stack.pushNil() }
    switch channel.reader {
    case .nobody: return .success(.none)
    case .outside(let form, _):
      if case .outside(let result) = crossed { return result.map { .output($0) } }
      let encoded = encode(stack, at: at, link, form, of: call.state, limits: core.pointee.outputShare)
      guard case .failure(let failure) = encoded, failure.code == Failure.Code.outputLimit else { return encoded.map { .output($0) } }
      encodeInPieces(call, at: at, link, form, results: max(1, results))
      return nil
    case .state(let state, _, let wanted):
      guard let wanted else { return .success(.none) } // handed on: what has crossed by now is dropped
      if case .kept(let carrier) = crossed {
        let main = state.lua.main
        carrier.stack.move(1, to: main)
        return .success(.kept(main.keep()))
      }
      if let kept = keepResult(stack, at: at, link, wanted, state, core.pointee.outputShare) { return .success(.kept(kept)) }
      copyResult(call, at: at, of: channel, link, to: state)
      return nil
    }
  }

  /// nil: it is large, or does not fit its type.
  private func keepResult(
    _ stack: LuaStack, at index: Int32, _ source: SchemaLink, _ link: SchemaLink, _ state: ChainletState, _ share: CrossingLimits
  ) -> Int32? {
    let memory = state.core.pointee.lua
    let main = state.lua.main
    memory.pointee.memory.host += 1
    defer { memory.pointee.memory.host -= 1 }
    let (from, to) = (stack.top, main.top)
    if main.ensure(8), link.tryCopy(from: stack, at: index, source, to: main, limits: share) == true { return main.keep() }
    stack.setTop(from)
    main.setTop(to)
    return nil
  }

  private func copyResult(_ call: CallRef, at index: Int32, of channel: StreamChannel, _ link: SchemaLink, to state: ChainletState) {
    let results = call.stack.top - index + 1
    let (from, limits) = (call.state, call.pointee.core.pointee.outputLimits)
    guard let carrier = Carrier(in: state) else {
      return complete(call, failure: state.memoryFailure(for: " for the result of a stream"), results: 0)
    }
    let program = link.program.takeUnretainedValue()
    copyInPieces(call, from: call.stack, at: index, from, to: carrier.stack, state, program, limits: limits) { pause in
      if program === from.program.result {
        return from.returned(from.program.explainOutput(call.stack, at: index, .result, limits: limits, pause: pause))
      }
      let root = "\(channel.name).result" // of a `chain.stream`
      let mismatch = TypeMismatch.explain(program, from: call.stack, at: index, root: root, limits: limits, pause: pause)
      return from.returned(Failure(code: mismatch.code, message: mismatch.message))
    } ended: { [unowned self] failure, isOutOfMemory in
      if isOutOfMemory, let owner = call.existingExtra?.output?.owner { endForMemory(owner) }
      if !isOutOfMemory, failure == nil { call.extra.crossed = .kept(carrier) }
      let lost = isOutOfMemory ? state.memoryFailure(for: " for the result of a stream") : failure
      complete(call, failure: lost, results: results)
    }
  }

  func tellReader(_ channel: StreamChannel, _ state: ChainletState, _ reference: Int32, _ failure: Failure?) {
    guard let waiting = channel.waiting, waiting.isWaiting, channel.queue.isEmpty else { return }
    channel.waiting = nil
    closeIfForgotten(channel)
    if let failure { return wake(waiting.call, failure: failure) }
    let waiter = waiting.call.waiter
    waiter.setTop(0)
    if channel.waitsForResult && reference != 0 { waiter.push(kept: reference) } else { waiter.pushNil() }
    wake(waiting.call, answers: 1)
  }
}
