import ChainBase

/// What a request needs to be opened on a lane.
struct RequestOpening: Sendable {
  var id: UInt64
  var generation: UInt64
  /// The position of the entrypoint.
  var entry: Int
  var input: ChainInput
  var form: OutputForm
  var options: Chain.RequestOptions
}

/// What the host asks of a lane, on the lane's thread.
extension Lane {
  /// Makes a generation's states here and serves it from then on.
  func adopt(_ generation: Generation, done: @escaping @Sendable (Result<Void, Failure>) -> Void) {
    build(generation) { [unowned self] result in
      switch result {
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
      return completion(.failure(Failure(code: Failure.Code.cancelled, message: "the host is stopping")))
    }
    let request = Request(
      id: opening.id, entry: graph.entrypoints[opening.entry].name, generation: built, input: opening.input, form: opening.form,
      trace: TraceID(high: environment.random(), low: environment.random()),
      deadline: opening.options.timeout.map { now &+ $0 } ?? .max, taskLimit: state.program.declaration.limits.tasks,
      completion: completion)
    request.onEvent = onEvent
    accept(request, entry: state)
  }

  /// Gives the outside the next event of its streamed request.
  func pullStream(of id: UInt64) {
    guard let request = requests[id] ?? ending[id], let channel = request.stream else { return }
    pull(channel)
  }

  /// Closes a generation when its requests have ended.
  private func closeWhenUnused(_ number: UInt64, done: @escaping @Sendable () -> Void) {
    guard let built = generations[number] else { return done() }
    guard built.pins == 0 else {
      return whenIdle { [unowned self] in closeWhenUnused(number, done: done) }
    }
    generations[number] = nil
    close(built, done: done)
  }

  nonisolated func forget(_ number: UInt64) async {
    await withCheckedContinuation { continuation in
      post { [self] in asLane { closeWhenUnused(number) { continuation.resume() } } }
    }
  }

  /// Refuses new requests, cancels those that run, and closes every generation.
  nonisolated func windDown() async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      post { [self] in
        asLane {
          isStopping = true
          for id in requests.keys.sorted() {
            cancelRequest(id, Ending(code: Failure.Code.cancelled, message: "the host is stopping"))
          }
          whenIdle { [self] in closeAll { continuation.resume() } }
        }
      }
    }
  }

  private func closeAll(done: @escaping @Sendable () -> Void) {
    guard let number = generations.keys.min(), let built = generations.removeValue(forKey: number) else { return done() }
    close(built) { [self] in closeAll(done: done) }
  }
}
