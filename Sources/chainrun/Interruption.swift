import ChainLoop
import Glibc

/// Ctrl-C and SIGTERM: the first one cancels the request, or ends the program where there is none yet; the second ends it.
final class Interruption: Sendable {
  private enum State {
    case idle
    case running(cancel: @Sendable () -> Void)
    case cancelled(CommandFailure.Status)
  }

  private let state = Monitor(State.idle)

  /// Any thread; once, for the rest of the program.
  func watch(with environment: RealEnvironment) {
    _ = environment.watchSignals([SIGINT, SIGTERM]) { [self] in came($0) }
  }

  /// From now on there is something to cancel.
  func willRun(cancel: @escaping @Sendable () -> Void) {
    state.withLock { $0 = .running(cancel: cancel) }
  }

  /// How the program ends, when it was told to.
  var failure: CommandFailure? {
    guard case .cancelled(let status) = state.withLock({ $0 }) else { return nil }
    return CommandFailure(status, "cancelled")
  }

  private func came(_ number: Int32) {
    let status: CommandFailure.Status = number == SIGINT ? .interrupted : .terminated
    let before = state.withLock { state in
      defer { state = .cancelled(status) }
      return state
    }
    switch before {
    case .running(let cancel): return cancel()
    case .idle: StandardError.note("chainrun: cancelled")
    case .cancelled: StandardError.flush()
    }
    _exit(status.rawValue) // other threads go on until the end
  }
}
