import ChainBase

/// What a request needs to be opened on a lane.
struct RequestOpening: Sendable {
  var id: UInt64
  var generation: UInt64
  /// The position of the entrypoint.
  var entry: Int
  var input: ChainInput
  var form: OutputForm
  var options: ChainRequestOptions
}

/// What the host asks of a lane, on the lane's thread.
extension Lane {
  /// Makes a generation's states here and serves it from then on.
  func adopt(_ generation: Generation, done: @escaping (Result<Void, Failure>) -> Void) {
    let number = generation.number
    guard !isStopping else { return done(.failure(.hostStops)) }
    guard generations[number] == nil else { return done(.success(())) }
    guard arriving[number] == nil else { return arriving[number, default: []].append(done) }
    arriving[number] = [done]
    changes += 1
    build(generation) { [self] result in
      changes -= 1
      switch result {
      case .success(let built) where isStopping:
        changes += 1
        close(built) { [self] in
          changes -= 1
          arrived(number, .failure(.hostStops))
        }
      case .success(let built):
        generations[number] = built
        arrived(number, .success(()))
      case .failure(let failure): arrived(number, .failure(failure))
      }
    }
  }

  private func arrived(_ number: UInt64, _ result: Result<Void, Failure>) {
    for waiting in arriving.removeValue(forKey: number) ?? [] { waiting(result) }
    releaseHeld(number)
  }

  /// Accepts a request. `onEvent` takes what a streamed answer gives; `completion` is called once.
  func open(
    _ opening: RequestOpening, onEvent: ((StreamChannel.Event) -> Void)? = nil,
    completion: @escaping (Result<ChainOutput, Failure>) -> Void
  ) {
    guard !isStopping, let built = generations[opening.generation], let graph = built.generation?.graph,
      graph.entrypoints.indices.contains(opening.entry), let state = built.state(of: graph.entrypoints[opening.entry].chainlet)
    else {
      if isStopping || !hold(opening, onEvent, completion) { completion(.failure(.hostStops)) }
      return
    }
    let request = Request(
      id: opening.id, entry: graph.entrypoints[opening.entry].name, generation: built, input: opening.input, feed: opening.options.feed, form: opening.form,
      trace: TraceID(high: environment.random(), low: environment.random()),
      deadline: opening.options.timeout.map { moment($0, after: now) } ?? .max, taskLimit: state.taskLimit,
      completion: completion)
    request.onEvent = onEvent
    accept(request, entry: state)
  }

  /// Gives the outside the next event of its streamed request; false if there is no such request any more.
  func pullStream(of id: UInt64) -> Bool {
    if let position = held.firstIndex(where: { $0.opening.id == id }) {
      held[position].pulls += 1
      return true
    }
    if held.contains(where: { $0.opening.id == id }) { return true } // it is asked again by its first event
    guard let request = requests[id] ?? ending[id], let channel = request.stream else { return false }
    pull(channel)
    return true
  }

  /// Closes a generation when nothing runs in it any more.
  private func closeWhenUnused(_ number: UInt64, done: @escaping @Sendable () -> Void) {
    failing[number] = nil
    guard arriving[number] == nil else {
      arriving[number, default: []].append { [self] _ in closeWhenUnused(number, done: done) }
      return
    }
    guard let built = generations[number] else { return done() }
    when({ [self] in isUnused(built) }) { [self] in
      guard generations.removeValue(forKey: number) != nil else { return done() }
      changes += 1
      close(built) { [self] in
        changes -= 1
        done()
        becameIdle()
      }
    }
  }

  nonisolated func forget(_ number: UInt64) async {
    await ask(ifDropped: (), ifLost: { _ in }) { [self] reply in closeWhenUnused(number) { reply.give(()) } }
  }

  /// Refuses new requests, cancels those that run and what is being built, lets background work end, and closes every
  /// generation.
  nonisolated func windDown() async {
    await ask(ifDropped: (), ifLost: { _ in }) { [self] reply in stopServing { reply.give(()) } }
  }

  private func stopServing(done: @escaping @Sendable () -> Void) {
    isStopping = true
    let ending = Ending(code: Failure.Code.cancelled, message: Failure.hostStops.message)
    for request in held { dropHeld(request.opening.id, .hostStops) }
    failing = [:]
    for id in (Array(requests.keys) + Array(self.ending.keys)).sorted() { cancelRequest(id, ending) }
    for call in hookCalls where !call.pointee.core.pointee.isReady { cancel(call, ending) } // an `init`
    when({ [self] in requests.isEmpty && hookCalls.isEmpty && changes == 0 }) { [self] in closeAll(done: done) }
  }

  private func closeAll(done: @escaping @Sendable () -> Void) {
    guard let number = generations.keys.min(), let built = generations.removeValue(forKey: number) else { return done() }
    close(built) { [self] in closeAll(done: done) }
  }
}

extension Failure {
  static let hostStops = Failure(code: Code.cancelled, message: "the host is stopping")
}
