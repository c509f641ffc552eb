import ChainBase
import CLuaGuard
import LuaBridge

/// The reader's side of a stream: the next item, the result, leaving.
extension Lane {
  // MARK: Reading

  /// The stream at `index`, if it is of the request: streams do not leave theirs.
  private func findStream(_ stack: LuaStack, at index: Int32 = 1, of call: CallRef) -> StreamChannel? {
    guard let id = stack.handle(at: index, metatable: call.state.streamMetatable), let channel = channels[Int32(truncatingIfNeeded: id)],
      let owner = channel.owner, owner.pointee.request.toOpaque() == call.pointee.request.toOpaque()
    else { return nil }
    return channel
  }

  /// `s()`: the next item, nil at the end.
  func beginNextItem(_ call: CallRef) {
    let waiter = call.waiter
    let state = call.state
    let channel = findStream(waiter, of: call)
    waiter.setTop(0)
    guard let channel, case .state(let reader, _, _) = channel.reader, reader === state else {
      waiter.pushNil()
      return wake(call, answers: 1) // closed
    }
    guard !isBeingRead(channel) else { return wake(call, failure: Lane.readTwice) }
    if !channel.queue.isEmpty {
      guard case .kept(let reference, let bytes) = channel.queue.removeFirst() else { return }
      channel.queuedBytes -= bytes
      waiter.push(kept: reference)
      state.lua.main.release(reference)
      wake(call, answers: 1)
      return admitWriter(channel)
    }
    if let writer = channel.writers.first(where: { $0.isWaiting }) { // one whose item is larger than the room
      channel.writers.removeAll { $0.call == writer.call }
      waitFor(channel, call, result: false)
      return write(writer.call, to: channel)
    }
    switch channel.end {
    case .failed(let failure): wake(call, failure: failure)
    case .finished:
      waiter.pushNil()
      wake(call, answers: 1)
    case nil: waitFor(channel, call, result: false)
    }
  }

  private static let isClosed = Failure(code: Failure.Code.failed, message: "the stream is closed: it has no result")

  private func isBeingRead(_ channel: StreamChannel) -> Bool { channel.waiting?.isWaiting == true }

  private static let readTwice = Failure(
    code: Failure.Code.failed, message: "the stream is being read by another task of this call: one at a time")

  private func waitFor(_ channel: StreamChannel, _ call: CallRef, result: Bool) {
    call.pointee.wait = .item
    call.pointee.waitingSince = now
    call.extra.reading = channel
    channel.waiting = Waiter(call, ticket: stamp())
    channel.waitsForResult = result
    watchForDeadlocks()
  }

  /// `s:result()`: drops the items that are left and waits for what the writer returns.
  func beginResult(_ call: CallRef) {
    let waiter = call.waiter
    let state = call.state
    let channel = findStream(waiter, of: call)
    waiter.setTop(0)
    guard let channel, case .state(let reader, _, _) = channel.reader, reader === state else {
      return wake(call, failure: Lane.isClosed)
    }
    guard !isBeingRead(channel) else { return wake(call, failure: Lane.readTwice) }
    for case .kept(let reference, _) in channel.queue { state.lua.main.release(reference) }
    channel.queue = []
    channel.queuedBytes = 0
    switch channel.end {
    case .failed(let failure): wake(call, failure: failure)
    case .finished(let reference):
      if reference == 0 { waiter.pushNil() } else { waiter.push(kept: reference) }
      wake(call, answers: 1)
    case nil:
      waitFor(channel, call, result: true)
      admitWriter(channel)
    }
  }

  /// `s:close()`, or the loop was left: the writer unwinds at once.
  func closeStream(_ stack: LuaStack, by current: CallRef) {
    if let channel = findStream(stack, of: current), case .state(let reader, _, _) = channel.reader, reader === current.state {
      close(channel)
    }
  }

  func close(_ channel: StreamChannel) {
    channels[channel.id] = nil
    channel.owner?.existingExtra?.inputs.removeAll { $0 === channel }
    if case .state(let state, _, _) = channel.reader {
      for case .kept(let reference, _) in channel.queue { state.lua.main.release(reference) }
      if case .finished(let reference) = channel.end, reference != 0 { state.lua.main.release(reference) }
      channel.end = .finished(0)
      channel.releaseArguments()
    }
    channel.queue = []
    channel.queuedBytes = 0
    channel.reader = .nobody
    channel.feeding?.asking?.cancel()
    if let waiting = channel.waiting, waiting.isWaiting, waiting.call.pointee.run.cancel == 0 { // a task of the call that closes it
      channel.waiting = nil
      if channel.waitsForResult {
        wake(waiting.call, failure: Lane.isClosed)
      } else {
        waiting.call.waiter.setTop(0)
        waiting.call.waiter.pushNil()
        wake(waiting.call, answers: 1)
      }
    }
    if let producer = channel.producer {
      cancel(producer, Ending(code: Failure.Code.cancelled, message: "the reader of \(channel.name) has stopped"))
    }
  }

  // MARK: Handing on

  /// How the stream field of an input crosses: the callee becomes the reader of its caller's stream.
  func handOverStream(to callee: CallRef) -> LuaToLua.StreamHook {
    { [unowned self] from, index, to in
      guard let caller = callee.parent, let field = callee.state.program.input.streamField,
        from.handle(at: index, metatable: caller.state.streamMetatable) != nil
      else { return false }
      guard let channel = findStream(from, at: index, of: caller), case .state(let old, _, _) = channel.reader, old === caller.state
      else {
        streamProblem = "the stream is closed, or was handed on"
        return false
      }
      guard !isBeingRead(channel) else {
        streamProblem = "the stream is being read by another task of this call"
        return false
      }
      let state = callee.state
      do throws(LuaError) {
        let program = SchemaProgram(field.item)
        let target = try SchemaLink(program, state.lua)
        channel.ownLinks.append(target)
        let here = try SchemaLink(program, old.lua)
        channel.ownLinks.append(here)
        guard moveQueue(of: channel, from: old, here, to: state, target) else {
          streamProblem = "an item that waits in the stream does not fit the type of the input"
          return false
        }
        if let producer = channel.producer {
          let source = try SchemaLink(program, producer.state.lua)
          channel.ownLinks.append(source)
          channel.items = source
        }
        channel.reader = .state(state, items: target, result: nil)
      } catch { return false }
      // What the writer returned stays behind: an input has no result.
      if case .finished(let reference) = channel.end {
        if reference != 0 { old.lua.main.release(reference) }
        channel.end = .finished(0)
      }
      channel.owner?.existingExtra?.inputs.removeAll { $0 === channel }
      callee.extra.inputs.append(channel)
      channel.owner = callee
      to.pushHandle(UInt64(UInt32(bitPattern: channel.id)), metatable: state.streamMetatable)
      return true
    }
  }

  /// Items that the old reader never took cross to the new one.
  private func moveQueue(
    of channel: StreamChannel, from old: ChainletState, _ here: SchemaLink, to new: ChainletState, _ target: SchemaLink
  ) -> Bool {
    var moved: [StreamChannel.Item] = []
    let source = old.lua.main
    let stack = new.lua.main
    guard source.ensure(8), stack.ensure(8) else { return false }
    for case .kept(let reference, let bytes) in channel.queue {
      source.push(kept: reference)
      defer { source.pop() }
      guard target.copy(from: source, at: source.top, here, to: stack, limits: CrossingLimits()) else {
        for case .kept(let reference, _) in moved { stack.release(reference) }
        return false
      }
      moved.append(.kept(stack.keep(), bytes: bytes))
    }
    for case .kept(let reference, _) in channel.queue { source.release(reference) }
    channel.queue = moved
    return true
  }
}
