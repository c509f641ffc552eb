import ChainBase
import LuaBridge

/// A failure that waits to be told: a script that makes many of them, or large ones, pays for them in memory.
final class KeptFailure: Charged {
  let failure: Failure

  /// - Parameter state: whose memory it counts toward; nil for what is on its way out.
  init(_ failure: Failure, in state: ChainletState?) {
    self.failure = failure
    super.init(failure.bytes, to: state?.lua)
  }

  /// From now on it counts toward another state's memory.
  func move(to state: ChainletState) { charge(failure.bytes, to: state.lua) }
}

extension Failure {
  /// About what it takes.
  fileprivate var bytes: Int {
    let texts = [code, message, chainlet ?? "", cause ?? ""].reduce(0) { $0 + $1.utf8.count }
    return 256 + texts + PlainValue.size(of: details) + trace.reduce(0) { $0 + 128 + ($1.place?.file.utf8.count ?? 0) }
  }
}
