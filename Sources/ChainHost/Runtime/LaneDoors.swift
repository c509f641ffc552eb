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
  func adopt(_ generation: Generation, done: @escaping @Sendable (Result<Void, Failure>) -> Void) {
    guard !isStopping else { return done(.failure(.hostStops)) }
    changes += 1
    build(generation) { [self] result in
      changes -= 1
      defer { becameIdle() }
      switch result {
      case .success(let built) where isStopping:
        changes += 1
        close(built) { [self] in
          changes -= 1
          done(.failure(.hostStops))
          becameIdle()
        }
      case .success(let built):
        generations[generation.number] = built
        done(.success(()))
      case .failure(let failure): done(.failure(failure))
      }
    }
  }

  /// Accepts a request. `onEvent` takes what a streamed answer gives; `completion` is called once.
  func open(
    _ opening: RequestOpening, onEvent: ((StreamChannel.Event) -> Void)? = nil,
    completion: @escaping (Result<ChainOutput, Failure>) -> Void
  ) {
    guard !isStopping, let built = generations[opening.generation], let graph = built.generation?.graph,
      graph.entrypoints.indices.contains(opening.entry), let state = built.state(of: graph.entrypoints[opening.entry].chainlet)
    else {
      return completion(.failure(.hostStops))
    }
    let request = Request(
      id: opening.id, entry: graph.entrypoints[opening.entry].name, generation: built, input: opening.input, feed: opening.options.feed, form: opening.form,
      trace: TraceID(high: environment.random(), low: environment.random()),
      deadline: opening.options.timeout.map { now &+ $0 } ?? .max, taskLimit: state.program.limits.tasks,
      completion: completion)
    request.onEvent = onEvent
    accept(request, entry: state)
  }

  /// Gives the outside the next event of its streamed request; false if there is no such request any more.
  func pullStream(of id: UInt64) -> Bool {
    guard let request = requests[id] ?? ending[id], let channel = request.stream else { return false }
    pull(channel)
    return true
  }

  /// Closes a generation when nothing runs in it any more.
  private func closeWhenUnused(_ number: UInt64, done: @escaping @Sendable () -> Void) {
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

  /// Any thread. As the other `adopt`; nil when all is well.
  nonisolated func adopt(_ generation: Generation) async -> Failure? {
    await withCheckedContinuation { continuation in
      let reply = Reply<Failure?>(continuation, ifDropped: .hostStops)
      post { [self] in
        asLane {
          adopt(generation) { result in
            if case .failure(let failure) = result { reply.give(failure) } else { reply.give(nil) }
          }
        }
      }
    }
  }

  nonisolated func forget(_ number: UInt64) async {
    await withCheckedContinuation { continuation in
      let reply = Reply(continuation, ifDropped: ())
      post { [self] in asLane { closeWhenUnused(number) { reply.give(()) } } }
    }
  }

  /// Refuses new requests, cancels those that run and what is being built, lets background work end, and closes every
  /// generation.
  nonisolated func windDown() async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let reply = Reply(continuation, ifDropped: ())
      post { [self] in asLane { stopServing { reply.give(()) } } }
    }
  }

  private func stopServing(done: @escaping @Sendable () -> Void) {
    isStopping = true
    let ending = Ending(code: Failure.Code.cancelled, message: Failure.hostStops.message)
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
