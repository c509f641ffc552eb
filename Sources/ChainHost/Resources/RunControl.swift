import ChainLoop
import Synchronization

/// How a job of an engine hears that nobody wants its result any more. Any thread.
public final class RunControl: Sendable {
  private let cancelled = Atomic<Bool>(false)
  private let onCancel = Monitor<(@Sendable () -> Void)?>(nil)

  public init() {}

  public var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

  public func cancel() {
    cancelled.store(true, ordering: .releasing)
    // Inside the lock, so that what is stopped is still there: `stop` must be short and call nothing of ours.
    onCancel.withLock { stop in
      stop?()
      stop = nil
    }
  }

  /// Runs `body`; a cancellation meanwhile calls `stop`, on any thread, at most once and never after `body` has ended.
  public func run<R>(stop: @escaping @Sendable () -> Void, _ body: () throws -> R) throws -> R {
    onCancel.withLock { $0 = stop }
    defer { onCancel.withLock { $0 = nil } }
    guard !isCancelled else { throw CancellationError() }
    return try body()
  }
}

/// Jobs away from the lanes, awaited.
package enum EngineJob {
  /// Runs `body` on a thread for engines. A cancelled task ends at once with `CancellationError`, and the job is told.
  package static func run<Value: Sendable>(
    _ environment: any Environment, _ body: @escaping @Sendable (RunControl) throws -> Value
  ) async throws -> Value {
    let control = RunControl()
    let answer = OnceAnswer<Value>()
    // Let go of on cancellation: a job that waits for its turn holds nothing then of what it was to work on.
    let waiting = Monitor<(@Sendable (RunControl) throws -> Value)?>(body)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        answer.wait(continuation)
        environment.runJob {
          guard let body = waiting.withLock({ $0.take() }) else { return }
          answer.give(Result { try body(control) })
        }
      }
    } onCancel: {
      waiting.withLock { $0 = nil }
      answer.give(.failure(CancellationError())) // before the job hears of it, and could answer
      control.cancel()
    }
  }
}

/// Answers a continuation once, whoever comes first: the job or the cancellation. Any thread.
final class OnceAnswer<Value: Sendable>: Sendable {
  private enum State {
    case empty
    case waiting(CheckedContinuation<Value, any Error>)
    case early(Result<Value, any Error>)
    case done
  }
  private let state = Monitor<State>(.empty)

  func wait(_ continuation: CheckedContinuation<Value, any Error>) {
    let early = state.withLock { state -> Result<Value, any Error>? in
      if case .early(let result) = state {
        state = .done
        return result
      }
      state = .waiting(continuation)
      return nil
    }
    if let early { continuation.resume(with: early) }
  }

  /// Whether it was the first.
  @discardableResult func give(_ result: Result<Value, any Error>) -> Bool {
    let (isFirst, waiting) = state.withLock { state -> (Bool, CheckedContinuation<Value, any Error>?) in
      switch state {
      case .empty:
        state = .early(result)
        return (true, nil)
      case .waiting(let continuation):
        state = .done
        return (true, continuation)
      case .early, .done: return (false, nil)
      }
    }
    waiting?.resume(with: result)
    return isFirst
  }
}
