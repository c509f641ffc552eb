import ChainBase
import Glibc

/// Why a command ends without a result: a sentence and an exit status.
struct CommandFailure: Error {
  enum Status: Int32 {
    case failed = 1
    case usage = 2
    case invalidGraph = 3
    /// Native code did not come back, more often than the host bears: the process must be started anew.
    case lanesLost = 4
    /// As a shell reports a program that was interrupted.
    case interrupted = 130
    /// As a shell reports a program whose reader has gone.
    case readerGone = 141
    case terminated = 143
  }

  let status: Status
  /// Empty: the end is quiet.
  let message: String

  init(_ status: Status, _ message: String) {
    self.status = status
    self.message = message
  }

  /// A failure of the chain: its message, then the chain of calls.
  init(_ failure: Failure) {
    self.init(failure.code == Failure.Code.invalidGraph ? .invalidGraph : .failed, failure.description)
  }

  func exit() -> Never {
    if message.isEmpty { StandardError.flush() } else { StandardError.note("chainrun: \(message)") }
    Glibc.exit(status.rawValue)
  }
}
