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
    owner.extra.inputs.append(channel)
    channel.owner = owner
    moveInTree(callee, under: owner)
    let waiter = caller.waiter
    let memory = caller.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    channel.keepArguments(waiter, in: state)
    waiter.setTop(0)
    pushStream(channel, onto: waiter, in: state)
    memory.pointee.memory.host -= 1
    caller.pointee.wait = .nothing
    wake(caller, answers: 4)
    admit(callee)
  }

  /// Pushes what a generic `for` wants: the stream, twice nil, and the stream again as what is to be closed.
  func pushStream(_ channel: StreamChannel, onto stack: LuaStack, in state: ChainletState) {
    stack.pushHandle(UInt64(UInt32(bitPattern: channel.id)), metatable: state.streamMetatable)
    stack.pushNil()
    stack.pushNil()
    stack.push(copyOf: -3)
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
    owner.extra.inputs.append(channel)
    channel.owner = owner
    ChainletState.pushBody(onto: task.stack)
    stack.push(copyOf: 1)
    stack.move(1, to: task.stack)
    task.pointee.run.answers = 2
    pushEmit(of: channel, onto: task)
    makeReady(task)
    pushStream(channel, onto: stack, in: state)
  }

  /// Pushes `emit` as one more argument of a run that has not begun. Inside a host section or a native function.
  func pushEmit(of channel: StreamChannel, onto call: CallRef) {
    let memory = call.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    call.stack.pushWait(op: Op.emit.rawValue, operand: channel.id)
    memory.pointee.memory.host -= 1
    call.pointee.run.answers += 1
  }

  private func explain(_ channel: StreamChannel, _ stack: LuaStack, _ limits: CrossingLimits) -> Failure {
    let program = channel.items.program.takeUnretainedValue()
    let mismatch = TypeMismatch.explain(program, from: stack, at: 1, root: "\(channel.name).emit", limits: limits)
    return Failure(code: mismatch.code, message: mismatch.message)
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
    guard let channel = channels[call.pointee.run.operand], let producer = channel.producer,
      producer.pointee.request.toOpaque() == call.pointee.request.toOpaque()
    else {
      return wake(call, failure: Failure(code: Failure.Code.failed, message: "emit: the stream has ended"))
    }
    call.waiter.setTop(1)
    guard channel.waiting != nil || channel.hasRoom else {
      call.pointee.wait = .room
      call.pointee.waitingSince = now
      call.extra.reading = channel
      channel.writers.append(Waiter(call, ticket: stamp()))
      return watchForDeadlocks()
    }
    write(call, to: channel)
  }

  /// Takes the item of a writer across and lets the writer go on.
  func write(_ call: CallRef, to channel: StreamChannel) {
    let waiter = call.waiter
    let core = call.pointee.core
    switch channel.reader {
    case .nobody: break
    case .outside(let form, let sink):
      switch encode(waiter, at: 1, channel.items, form, of: call.state, limits: call.state.program.outputLimits) {
      case .failure(let failure): return wake(call, failure: failure)
      case .success(let output):
        waiter.setTop(0)
        channel.queue.append(.output(output, bytes: output.size))
        channel.queuedBytes += output.size
        wake(call, answers: 0)
        return flush(channel, sink)
      }
    case .state(let state, let items, _):
      if let failure = cross(waiter, channel.items, core, to: state, items, channel) { return wake(call, failure: failure) }
    }
    waiter.setTop(0)
    wake(call, answers: 0)
  }

  private func cross(
    _ from: LuaStack, _ source: SchemaLink, _ core: UnsafeMutablePointer<StateCore>, to state: ChainletState, _ link: SchemaLink,
    _ channel: StreamChannel
  ) -> Failure? {
    deliver(to: state, channel) { target in
      guard target.ensure(8), link.copy(from: from, at: 1, source, to: target, limits: core.pointee.outputLimits) else {
        return explain(channel, from, core.pointee.outputLimits)
      }
      return nil
    }
  }

  /// Gives an item to the run that waits for it, or keeps it; `push` pushes it, or says why it cannot.
  func deliver(to state: ChainletState, _ channel: StreamChannel, _ push: (LuaStack) -> Failure?) -> Failure? {
    let reader = channel.waiting.flatMap { $0.isWaiting && !channel.waitsForResult ? $0.call : nil }
    let target = reader?.waiter ?? state.lua.main
    let memory = state.core.pointee.lua
    let before = memory.pointee.memory.used
    if let reader { reader.waiter.setTop(0) }
    memory.pointee.memory.host += 1
    defer { memory.pointee.memory.host -= 1 }
    if let failure = push(target) { return failure }
    if let reader {
      channel.waiting = nil
      wake(reader, answers: 1)
    } else if channel.waiting != nil, channel.waitsForResult { // only the result is wanted
      target.pop()
    } else {
      let bytes = max(0, memory.pointee.memory.used - before)
      channel.queue.append(.kept(target.keep(), bytes: bytes))
      channel.queuedBytes += bytes
    }
    return nil
  }

  func admitWriter(_ channel: StreamChannel) {
    if channel.feeding != nil { return askFeed(channel) }
    while channel.hasRoom, !channel.writers.isEmpty {
      let writer = channel.writers.removeFirst()
      guard writer.isWaiting else { continue }
      write(writer.call, to: channel)
    }
  }

  // MARK: The writer's end

  func producerEnded(_ channel: StreamChannel, _ call: CallRef, failure: inout Failure?, results: Int32) {
    channel.producer = nil
    channel.releaseArguments()
    switch channel.reader {
    case .nobody:
      if call.parent == nil { callsEnded(of: call.pointee.request.takeUnretainedValue()) }
    case .outside(let form, let sink):
      if channel.isAbandoned { // nobody will ask for what is left
        channel.queue = []
        channel.wanted = max(1, channel.wanted)
      }
      if failure == nil {
        let stack = call.stack // a call that never began has none
        if results == 0 { stack.pushNil() }
        let at = results == 0 ? stack.top : stack.top - results + 1
        switch channel.result.map({ encode(stack, at: at, $0, form, of: call.state, limits: call.state.program.outputLimits) }) ?? .success(.value(.null)) {
        case .success(let output): channel.lastOutput = output
        case .failure(let problem): failure = call.state.returned(problem)
        }
      }
      channel.end = failure.map { .failed($0) } ?? .finished(0)
      callsEnded(of: call.pointee.request.takeUnretainedValue())
      flush(channel, sink)
    case .state(let state, _, let link):
      var reference: Int32 = 0
      if failure == nil, let link, let source = channel.result {
        (reference, failure) = keepResult(call.stack, results, source, link, state, call)
      }
      channel.end = failure.map { .failed($0) } ?? .finished(reference)
      tellReader(channel, state, reference, failure)
    }
  }

  private func keepResult(
    _ stack: LuaStack, _ results: Int32, _ source: SchemaLink, _ link: SchemaLink, _ state: ChainletState, _ call: CallRef
  ) -> (Int32, Failure?) {
    if results == 0 { stack.pushNil() }
    let at = results == 0 ? stack.top : stack.top - results + 1
    let memory = state.core.pointee.lua
    memory.pointee.memory.host += 1
    defer { memory.pointee.memory.host -= 1 }
    let main = state.lua.main
    guard main.ensure(8), link.copy(
      from: stack, at: at, source, to: main, limits: call.pointee.core.pointee.outputLimits) else {
      return (0, call.state.returned(call.state.program.explainOutput(stack, at: at, what: "result")))
    }
    return (main.keep(), nil)
  }

  func tellReader(_ channel: StreamChannel, _ state: ChainletState, _ reference: Int32, _ failure: Failure?) {
    guard let waiting = channel.waiting, waiting.isWaiting, channel.queue.isEmpty else { return }
    channel.waiting = nil
    if let failure { return wake(waiting.call, failure: failure) }
    let waiter = waiting.call.waiter
    waiter.setTop(0)
    if channel.waitsForResult && reference != 0 { waiter.push(kept: reference) } else { waiter.pushNil() }
    wake(waiting.call, answers: 1)
  }
}
