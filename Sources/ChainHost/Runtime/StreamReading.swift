import ChainBase
import CLuaGuard
import LuaBridge

/// The reader's side of a stream: the next item, the result, leaving.
extension Lane {
  // MARK: Reading

  /// The stream at `index`, if it is of the request: streams do not leave theirs.
  func findStream(_ stack: LuaStack, at index: Int32 = 1, of call: CallRef) -> StreamChannel? {
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
    guard let channel, case .state(let reader, let items, _) = channel.reader, reader === state else {
      waiter.pushNil()
      return wake(call, answers: 1) // closed
    }
    guard !channel.isBeingRead else { return wake(call, failure: Lane.readTwice) }
    if let item = channel.queue.first { return take(item, of: channel, as: items, call) }
    if channel.writing == nil, let writer = channel.writers.popFirst() { // its item is larger than the room
      waitFor(channel, call, result: false)
      return write(writer, to: channel)
    }
    switch channel.end {
    case .failed(let kept): wake(call, failure: kept.failure)
    case .finished:
      waiter.pushNil()
      wake(call, answers: 1)
    case nil: waitFor(channel, call, result: false)
    }
  }

  private static let isClosed = Failure(code: Failure.Code.failed, message: "the stream is closed: it has no result")

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
    guard !channel.isBeingRead else { return wake(call, failure: Lane.readTwice) }
    channel.dropQueue()
    switch channel.end {
    case .failed(let kept): wake(call, failure: kept.failure)
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

  /// The streams of a call that has ended. The end of the producer of one may end the owner of others: these wait until it
  /// has been put away, so that a long chain of streams that were handed on is a loop, and no recursion.
  func close(_ channels: [StreamChannel]) {
    guard !channels.isEmpty else { return }
    for channel in channels { channel.owner = nil }
    orphaned.append(contentsOf: channels.reversed())
    guard !isClosingOrphaned else { return }
    isClosingOrphaned = true
    defer { isClosingOrphaned = false }
    while let channel = orphaned.popLast() { close(channel) }
  }

  func close(_ channel: StreamChannel) {
    channels[channel.id] = nil
    channel.owner?.existingExtra?.inputs[channel.id] = nil
    if case .state(let state, _, _) = channel.reader {
      if case .finished(let reference) = channel.end, reference != 0 { state.lua.main.release(reference) }
      channel.end = .finished(0)
    }
    channel.dropQueue()
    channel.reader = .nobody
    channel.feeding?.asking?.cancel()
    if let waiting = channel.waiting, waiting.isWaiting, waiting.call.pointee.run.cancel == 0 { // a task of the call that closes it
      channel.waiting = nil
      abandonCrossing(of: waiting.call)
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
    admitWriter(channel) // tasks that the producer has started go on
  }

  // MARK: Letting go

  /// Streams that one event closes: others go on in between.
  private static let closedAtOnce = 1_024

  /// Called by the collector, in the midst of anything.
  func streamWasCollected(_ handle: UInt64, of state: ChainletState) {
    guard let channel = channels[Int32(truncatingIfNeeded: handle)], case .state(let reader, _, _) = channel.reader, reader === state
    else { return }
    channel.handles -= 1
    closeIfForgotten(channel)
  }

  /// The script has let go of the stream, and nobody waits for something of it: it is closed, as if its loop was left.
  func closeIfForgotten(_ channel: StreamChannel) {
    guard channel.isForgotten else { return }
    forgotten.append(channel.id)
    if forgotten.count == 1 { closeForgottenSoon() }
  }

  private func closeForgottenSoon() {
    post { [self] in
      asLane {
        closeForgotten(atMost: Lane.closedAtOnce)
        if !forgotten.isEmpty { closeForgottenSoon() }
      }
    }
  }

  /// Whoever opens streams closes twice as many of those before: they never pile up.
  func closeSomeForgotten() { if !forgotten.isEmpty { closeForgotten(atMost: 2) } }

  private func closeForgotten(atMost most: Int) {
    for _ in 0..<most {
      guard let id = forgotten.popLast() else { return }
      if let channel = channels[id], channel.isForgotten { close(channel) }
    }
  }

  // MARK: Taking an item

  /// Gives the reader the first item of the queue, which crosses now where it lies elsewhere.
  func take(_ item: StreamChannel.Item, of channel: StreamChannel, as items: SchemaLink, _ call: CallRef) {
    switch item {
    case .kept(let reference, let home, _) where home === call.state:
      call.waiter.push(kept: reference)
      taken(call, channel, nil, isOutOfMemory: false)
    case .kept(let reference, let home, _): takeOver(reference, from: home, of: channel, as: items, call)
    case .output(let output): decode(output, of: channel, as: items, call)
    }
  }

  /// What comes from outside.
  private func decode(_ output: ChainOutput, of channel: StreamChannel, as items: SchemaLink, _ call: CallRef) {
    let (state, waiter) = (call.state, call.waiter)
    let root = "\(channel.name)[\((channel.feeding?.count ?? 0) + 1)]"
    let isLarge = output.isLarger(than: share)
    state.core.pointee.lua.pointee.memory.host += 1
    let failure = isLarge ? nil : decode(output, as: items, onto: waiter, root: root, of: state)
    state.core.pointee.lua.pointee.memory.host -= 1
    guard isLarge || failure?.code == Failure.Code.tooLarge else {
      return taken(call, channel, failure, isOutOfMemory: state.isOutOfMemory())
    }
    guard let own = OwnLink(items.program.takeUnretainedValue(), state.lua) else {
      return taken(call, channel, nil, isOutOfMemory: true)
    }
    var problem: Failure?
    holdPlace(of: call, in: channel)
    crossInPieces(call, holding: nil, writing: state.core) { [unowned self] pause in
      problem = decode(output, as: own.link, onto: waiter, root: root, of: state, pause: pause)
    } ended: { [unowned self] isOutOfMemory in taken(call, channel, problem, isOutOfMemory: isOutOfMemory) }
  }

  /// What lies in the state of a call that has handed the stream on; it is there for as long as the reader is, which is
  /// called by it.
  private func takeOver(
    _ reference: Int32, from home: ChainletState, of channel: StreamChannel, as items: SchemaLink, _ call: CallRef
  ) {
    let (state, waiter) = (call.state, call.waiter)
    let program = items.program.takeUnretainedValue()
    guard let carrier = Carrier(in: home), let source = try? home.link(to: program) else {
      return taken(call, channel, nil, isOutOfMemory: true)
    }
    carrier.stack.push(kept: reference)
    let limits = CrossingLimits()
    state.core.pointee.lua.pointee.memory.host += 1
    let fits = items.tryCopy(from: carrier.stack, at: 1, source, to: waiter, limits: limits.within(share))
    state.core.pointee.lua.pointee.memory.host -= 1
    if fits == true { return taken(call, channel, nil, isOutOfMemory: state.isOutOfMemory()) }
    carrier.stack.setTop(1)
    waiter.setTop(0)
    let root = "\(state.name).input.\(state.program.input.streamField?.name ?? channel.name)"
    holdPlace(of: call, in: channel)
    copyInPieces(call, from: carrier.stack, at: 1, home, to: waiter, state, program, limits: limits) { pause in
      let mismatch = TypeMismatch.explain(program, from: carrier.stack, at: 1, root: root, limits: limits, pause: pause)
      return Failure(code: mismatch.code, message: mismatch.message, status: 500, chainlet: state.name)
    } ended: { [unowned self] failure, isOutOfMemory in taken(call, channel, failure, isOutOfMemory: isOutOfMemory) }
  }

  /// While an item crosses to its reader, nobody else may read.
  private func holdPlace(of call: CallRef, in channel: StreamChannel) {
    call.extra.reading = channel
    channel.waiting = Waiter(call, ticket: stamp())
    channel.waitsForResult = false
  }

  private func taken(_ call: CallRef, _ channel: StreamChannel, _ failure: Failure?, isOutOfMemory: Bool) {
    channel.waiting = nil
    channel.removeFirst()
    channel.feeding?.count += 1
    closeIfForgotten(channel)
    if isOutOfMemory {
      call.waiter.setTop(0)
      endForMemory(call)
      wake(call, answers: 0)
    } else if let failure {
      if channel.feeding != nil { endFeed(channel, failure) }
      wake(call, failure: failure)
    } else {
      wake(call, answers: 1)
    }
    admitWriter(channel)
  }
}
