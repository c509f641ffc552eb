import ChainLoop

/// Answers a continuation once, whatever becomes of the message that carries it: a loop that has ended drops messages,
/// and whoever waits for one must hear of it. Any thread.
final class Reply<Value: Sendable>: Sendable {
  private let waiting: Monitor<CheckedContinuation<Value, Never>?>
  private let answered = Monitor<(@Sendable () -> Void)?>(nil)
  private let ifDropped: Value

  init(_ continuation: CheckedContinuation<Value, Never>, ifDropped: Value) {
    waiting = Monitor(continuation)
    self.ifDropped = ifDropped
  }

  deinit { give(ifDropped) }

  func give(_ value: Value) {
    guard let continuation = waiting.withLock({ $0.take() }) else { return }
    answered.withLock { $0.take() }?()
    continuation.resume(returning: value)
  }

  /// Before anybody answers, unless it is done already: `body` is called with the answer.
  func whenAnswered(_ body: @escaping @Sendable () -> Void) {
    answered.withLock { $0 = body }
    if waiting.withLock({ $0 == nil }) { answered.withLock { $0.take() }?() }
  }
}

/// Does something when a message that carries it has been dropped.
final class IfDropped: Sendable {
  private let body: Monitor<(@Sendable () -> Void)?>
  init(_ body: @escaping @Sendable () -> Void) { self.body = Monitor(body) }
  deinit { body.withLock { $0.take() }?() }
  /// The message has come.
  func arrived() { body.withLock { $0 = nil } }
}
