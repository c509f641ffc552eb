import ChainBase
import CLuaGuard
import LuaBridge

/// Where requests come in and answers go out.
extension Lane {
  // MARK: In

  /// Accepts a request: refused at once when the entry's queue is full, else answered by `completion`, once.
  func accept(_ request: Request, entry state: ChainletState) {
    requests[request.id] = request
    request.generation.pins += 1
    let core = state.core
    let hasSlot = core.pointee.isReady && core.pointee.slotsTaken < core.pointee.slots
    guard hasSlot || Int(core.pointee.waiting) < state.program.declaration.scaling.queue else {
      return finish(request, .failure(state.overloadFailure()))
    }
    let call = blankCall(core)
    call.pointee.kind = .call
    call.pointee.request = .passUnretained(request)
    call.pointee.run.owner = request.id
    call.pointee.phase = .queued
    call.pointee.waitingSince = now
    begin(call, deadline: .max)
    request.root = call
    request.line.pointee.debt = state.debt
    if state.program.isStream { openOutput(of: request, call, state) }
    if request.deadline != .max { tighten(call, by: request.deadline &- now, .request) }
    if core.pointee.timeLimit != .max { tighten(call, by: core.pointee.timeLimit, .time) }
    admit(call)
  }

  /// A request's own call has its slot: the input is decoded onto its stack.
  func startRoot(_ call: CallRef) {
    let request = call.pointee.request.takeUnretainedValue()
    let state = call.state
    let stack = call.stack
    let memory = state.core.pointee.lua
    memory.pointee.memory.host += 1
    ChainletState.pushRun(onto: stack)
    let isLarge = request.input.item.isLarger(than: share)
    let failure = isLarge ? nil : decode(request.input, onto: stack, call, as: state.core.pointee.input)
    memory.pointee.memory.host -= 1
    // Small, and too large for its share: it takes more work than others of its size.
    if isLarge || failure?.code == Failure.Code.tooLarge { return decodeInPieces(request.input, call) }
    rootDecoded(call, failure, isOutOfMemory: state.isOutOfMemory())
  }

  private func decodeInPieces(_ input: ChainInput, _ call: CallRef) {
    let (state, stack) = (call.state, call.stack)
    guard let own = OwnLink(state.program.input, state.lua) else { return rootDecoded(call, nil, isOutOfMemory: true) }
    var failure: Failure?
    crossInPieces(call, holding: nil, writing: state.core) { [unowned self] pause in
      failure = decode(input, onto: stack, call, as: own.link, pause: pause)
    } ended: { [unowned self] isOutOfMemory in rootDecoded(call, failure, isOutOfMemory: isOutOfMemory) }
  }

  private func rootDecoded(_ call: CallRef, _ failure: Failure?, isOutOfMemory: Bool) {
    let request = call.pointee.request.takeUnretainedValue()
    let failure = isOutOfMemory ? call.state.memoryFailure(for: " for its input") : failure
    if let failure = failure ?? batchLoss(of: call) { return complete(call, failure: failure, results: 0) }
    call.pointee.run.answers = ChainletState.prefix
    if let channel = call.existingExtra?.output { pushEmit(of: channel, onto: call) }
    start(call)
    if request.feed != nil, let fed = call.existingExtra?.inputs.values.first(where: { $0.feeding != nil }) { askFeed(fed) }
  }

  private func decode(
    _ input: ChainInput, onto stack: LuaStack, _ call: CallRef, as link: SchemaLink, pause: Pace.Pause? = nil
  ) -> Failure? {
    let state = call.state
    let root = "\(state.name).input"
    guard call.pointee.request.takeUnretainedValue().feed != nil else {
      return decode(input.item, as: link, onto: stack, root: root, of: state, pause: pause)
    }
    guard state.program.input.streamField != nil else {
      return Failure(
        code: Failure.Code.badInput, message: "\(root) has no stream field that a feed could fill", chainlet: state.name)
    }
    // Only the reader of JSON fills a stream field.
    let text: ChainOutput = if case .value(let value) = input { .json(value.json) } else { input.item }
    return decode(text, as: link, onto: stack, root: root, of: state, pause: pause) { [unowned self] stack in
      pushFed(call, onto: stack)
    }
  }

  /// Pushes a value from outside, checked. Without `pause` it takes no more work than its share.
  func decode(
    _ value: ChainOutput, as link: SchemaLink, onto stack: LuaStack, root: String, of state: ChainletState,
    pause: Pace.Pause? = nil, stream: JSONReader.StreamHook? = nil
  ) -> Failure? {
    let program = link.program.takeUnretainedValue()
    let binding = link.binding.takeUnretainedValue()
    let limits = CrossingLimits(work: pause == nil ? share.work : nil)
    do throws(TypeMismatch) {
      switch value {
      case .json(let bytes):
        let result: Result<Void, TypeMismatch> = bytes.withUnsafeBytes { text in
          do throws(TypeMismatch) {
            try JSONReader.read(
              text, program: program, onto: stack, binding: binding, limits: limits, root: root, stream: stream, pause: pause)
            return .success(())
          } catch { return .failure(error) }
        }
        try result.get()
      case .value(let value):
        try ValueCoder.push(
          value, program: program, onto: stack, binding: binding, limits: limits, root: root, pause: pause)
      }
      return nil
    } catch { return Failure(code: error.code, message: error.message, chainlet: state.name) }
  }

  // MARK: Out

  /// False: the output is large and crosses in pieces; then the call is completed once more.
  func requestEnded(_ call: CallRef, failure: Failure?, results: Int32) -> Bool {
    let request = call.pointee.request.takeUnretainedValue()
    let result: Result<ChainOutput, Failure>
    if let failure {
      result = .failure(failure)
    } else if case .outside(let crossed)? = call.existingExtra?.crossed {
      result = crossed
    } else {
      let stack = call.stack
      if results == 0 { stack.pushNil() }
      let at = results == 0 ? stack.top : stack.top - results + 1
      let core = call.pointee.core
      let encoded = encode(stack, at: at, core.pointee.output, request.form, of: call.state, limits: core.pointee.outputShare)
      if case .failure(let failure) = encoded, failure.code == Failure.Code.outputLimit {
        encodeInPieces(call, at: at, core.pointee.output, request.form, results: results)
        return false
      }
      result = encoded.mapError(call.state.returned)
    }
    finish(request, result)
    return true
  }

  /// What a call gives to the outside is large; then the call is completed once more.
  func encodeInPieces(_ call: CallRef, at index: Int32, _ link: SchemaLink, _ form: OutputForm, results: Int32) {
    encodeInPieces(call, call.stack, at: index, link, form) { [unowned self] encoded in
      call.extra.crossed = .outside(encoded.mapError(call.state.returned))
      complete(call, failure: nil, results: results)
    }
  }

  func encodeInPieces(
    _ call: CallRef, _ stack: LuaStack, at index: Int32, _ link: SchemaLink, _ form: OutputForm,
    ended: @escaping (Result<ChainOutput, Failure>) -> Void
  ) {
    let state = call.state
    guard let own = OwnLink(link.program.takeUnretainedValue(), state.lua) else {
      return ended(.failure(state.memoryFailure(for: " for its output")))
    }
    var encoded: Result<ChainOutput, Failure>?
    crossInPieces(call, holding: state.core, writing: nil) { [unowned self] pause in
      encoded = encode(stack, at: index, own.link, form, of: state, limits: state.program.outputLimits, pause: pause)
    } ended: { _ in
      if let encoded { ended(encoded) }
    }
  }

  private func finish(_ request: Request, _ result: Result<ChainOutput, Failure>) {
    guard requests.removeValue(forKey: request.id) != nil else { return }
    callsLeft(request)
    request.completion(result)
    becameIdle()
  }

  /// The last call of a request has ended.
  private func callsLeft(_ request: Request) {
    request.root?.state.debt = debt(of: request)
    request.root = nil
    request.generation.pins -= 1
  }

  /// The client has gone, or the host stops.
  func cancelRequest(_ id: UInt64, _ ending: Ending = Ending(code: Failure.Code.cancelled, message: "the request was cancelled")) {
    dropHeld(id, ending.failure)
    dropHeld(id, ending.failure)
    if let request = requests[id], let root = request.root {
      request.stream?.isAbandoned = true
      cancel(root, ending)
    }
    guard let channel = self.ending[id]?.stream, case .outside(_, let sink) = channel.reader else { return }
    // Its calls have ended; what nobody has taken yet is dropped.
    channel.dropQueue()
    channel.end = .failed(KeptFailure(ending.failure, in: nil))
    channel.wanted = 1
    flush(channel, sink)
  }

  /// The calls of a streamed request have ended; the outside may still take items.
  func callsEnded(of request: Request) {
    guard requests.removeValue(forKey: request.id) != nil else { return }
    callsLeft(request)
    ending[request.id] = request
    becameIdle()
  }

  /// A value of a state, checked, for the outside.
  func encode(
    _ stack: LuaStack, at index: Int32, _ link: SchemaLink, _ form: OutputForm, of state: ChainletState, limits: CrossingLimits,
    pause: Pace.Pause? = nil
  ) -> Result<ChainOutput, Failure> {
    let program = link.program.takeUnretainedValue()
    let binding = link.binding.takeUnretainedValue()
    let memory = state.core.pointee.lua
    memory.pointee.memory.host += 1
    defer {
      memory.pointee.memory.host -= 1
      if pause == nil { _ = state.isOutOfMemory() } // what it pushed is garbage by now
    }
    let root = "\(state.name).output"
    do throws(TypeMismatch) {
      switch form {
      case .json:
        if let pause {
          var buffer = ByteBuffer() // the lane's may be used meanwhile
          try JSONWriter.write(
            program, from: stack, at: index, binding: binding, into: &buffer, limits: limits, root: root, pause: pause)
          _ = pause()
          return .success(.json(buffer.array))
        }
        defer { jsonBuffer.removeAll() }
        try JSONWriter.write(
          program, from: stack, at: index, binding: binding, into: &jsonBuffer, limits: limits, root: root)
        return .success(.json(jsonBuffer.array))
      case .value:
        return .success(.value(try ValueCoder.read(
          program, from: stack, at: index, limits: limits, root: root, pause: pause)))
      }
    } catch {
      if program.type == ChainletProgram.nothing { return .failure(state.program.explainOutput(stack, at: index, limits: limits)) }
      return .failure(Failure(code: error.code, message: error.message, chainlet: state.name))
    }
  }

  // MARK: Streams to the outside

  private func openOutput(of request: Request, _ call: CallRef, _ state: ChainletState) {
    let onEvent = request.onEvent // not the request: it may be gone when the last event is given
    let channel = StreamChannel(
      id: nextChannel(), name: state.name, items: state.core.pointee.output, result: state.core.pointee.result,
      reader: .outside(request.form) { event in onEvent?(event) })
    channels[channel.id] = channel
    channel.producer = call
    call.extra.output = channel
    request.stream = channel
  }

  /// The outside asks for one more item (or the end).
  func pull(_ channel: StreamChannel) {
    channel.wanted += 1
    if case .outside(_, let sink) = channel.reader { flush(channel, sink) }
  }

  /// Gives the outside what it has asked for.
  func flush(_ channel: StreamChannel, _ sink: (StreamChannel.Event) -> Void) {
    while channel.wanted > 0, !channel.queue.isEmpty {
      let item = channel.queue[0]
      channel.removeFirst()
      guard case .output(let output) = item else { continue }
      channel.wanted -= 1
      sink(.item(output))
    }
    admitWriter(channel)
    guard channel.wanted > 0, channel.queue.isEmpty, let end = channel.end else { return }
    channels[channel.id] = nil
    channel.wanted = 0
    let ended = ending.first { $0.value.stream === channel }?.key
    if let ended { ending[ended] = nil }
    channel.reader = .nobody
    becameIdle()
    switch end {
    case .finished: sink(.finished(channel.lastOutput))
    case .failed(let kept): sink(.failed(kept.failure))
    }
  }

  // MARK: Idle

  /// Something has ended: whoever waits until nothing of its kind is left looks again, in an event of its own, when the
  /// last call has been put away and its states may be closed.
  func becameIdle() {
    guard !idleWaiters.isEmpty, !looksForIdle else { return }
    looksForIdle = true
    post { [self] in
      asLane {
        looksForIdle = false
        let waiting = idleWaiters
        idleWaiters = []
        for waiter in waiting { waiter() }
      }
    }
  }

  /// Calls `body` when the condition holds; it is looked at whenever something ends.
  func when(_ isIdle: @escaping () -> Bool, _ body: @escaping () -> Void) {
    if isIdle() { return body() }
    idleWaiters.append { [self] in when(isIdle, body) }
  }

  /// Whether nothing runs in the states of a generation: no request, no hook, nothing in the background.
  func isUnused(_ built: LaneGeneration) -> Bool {
    built.pins == 0 && !hookCalls.contains { $0.state.built === built }
  }
}

extension ChainOutput {
  var size: Int {
    switch self {
    case .json(let bytes): bytes.count
    case .value: 64 // an estimate: the form is for the rim
    }
  }
}
