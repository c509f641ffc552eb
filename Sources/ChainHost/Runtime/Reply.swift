import ChainLoop

/// Answers a continuation once, whatever becomes of the message that carries it: a loop that has ended drops messages,
/// and whoever waits for one must hear of it. Any thread.
final class Reply<Value: Sendable>: Sendable {
  private let waiting: Monitor<CheckedContinuation<Value, Never>?>
  private let ifDropped: Value

  init(_ continuation: CheckedContinuation<Value, Never>, ifDropped: Value) {
    waiting = Monitor(continuation)
    self.ifDropped = ifDropped
  }

  deinit { give(ifDropped) }

  func give(_ value: Value) { waiting.withLock { $0.take() }?.resume(returning: value) }
}

/// Does something when a message that carries it has been dropped.
final class IfDropped: Sendable {
  private let body: Monitor<(@Sendable () -> Void)?>
  init(_ body: @escaping @Sendable () -> Void) { self.body = Monitor(body) }
  deinit { body.withLock { $0.take() }?() }
  /// The message has come.
  func arrived() { body.withLock { $0 = nil } }
}
