import ChainBase

/// A lane that takes the place of a lost one: it builds the generations that serve, and requests for them wait meanwhile.
extension Lane {
  /// A request that came before its generation.
  struct Held {
    let opening: RequestOpening
    let since: UInt64
    let onEvent: ((StreamChannel.Event) -> Void)?
    let completion: (Result<ChainOutput, Failure>) -> Void
    /// Items of its answer that are asked for already.
    var pulls = 0
  }

  /// As many requests may wait for a generation that is being built.
  private static let mostHeld = 1_024

  /// Builds a generation that serves elsewhere, again and again until it succeeds.
  func keep(_ generation: Generation, delay: UInt64 = 100_000_000) {
    adopt(generation) { [self] result in
      guard case .failure(let failure) = result, !isStopping, !isLost else { return failing[generation.number] = nil }
      log(LogLine(level: .error, chainlet: failure.chainlet ?? "host", request: nil, message: "cannot be built on a fresh lane: \(failure.message)"))
      failing[generation.number] = failure
      later(after: delay) { [self] in
        guard failing[generation.number] != nil else { return } // closed meanwhile
        keep(generation, delay: min(delay * 2, Rebuild.longestDelay))
      }
    }
  }

  /// Calls `body` on the lane after a time.
  func later(after time: UInt64, _ body: @escaping () -> Void) {
    let key = stamp()
    postponed[key] = body
    timers.add(at: moment(time, after: now), .rebuild, nil, stamp: key)
    armTimer()
  }

  /// Keeps a request until its generation has been built here; false if that is not being done.
  func hold(_ opening: RequestOpening, _ onEvent: ((StreamChannel.Event) -> Void)?, _ completion: @escaping (Result<ChainOutput, Failure>) -> Void)
    -> Bool
  {
    guard let failure = failing[opening.generation] else {
      guard arriving[opening.generation] != nil else { return false }
      guard held.count < Lane.mostHeld else {
        completion(.failure(Failure(
          code: Failure.Code.overloaded, message: "a lane was lost, and \(held.count) requests wait already for the fresh one")))
        return true
      }
      held.append(Held(opening: opening, since: now, onEvent: onEvent, completion: completion))
      if let timeout = opening.options.timeout {
        later(after: timeout) { [self] in
          dropHeld(opening.id, Failure(code: Failure.Code.timeout, message: "a lane was lost, and the fresh one was not ready within the timeout of the request"))
        }
      }
      return true
    }
    completion(.failure(Failure(
      code: Failure.Code.unavailable, message: "a lane was lost, and the fresh one cannot be built: \(failure.message)", chainlet: failure.chainlet)))
    return true
  }

  /// A generation has been built here, or not: those that waited for it go on.
  func releaseHeld(_ number: UInt64) {
    let waiting = held.filter { $0.opening.generation == number }
    held.removeAll { $0.opening.generation == number }
    for request in waiting {
      var opening = request.opening
      opening.options.timeout = opening.options.timeout.map { max(1, $0 - min($0, now &- request.since)) }
      open(opening, onEvent: request.onEvent, completion: request.completion)
      for _ in 0..<request.pulls { _ = pullStream(of: opening.id) }
    }
    becameIdle()
  }

  func dropHeld(_ id: UInt64, _ failure: Failure) {
    guard let position = held.firstIndex(where: { $0.opening.id == id }) else { return }
    held.remove(at: position).completion(.failure(failure))
    becameIdle()
  }
}
