import ChainBase
import LuaBridge

/// The methods that files assign to chainlets.
struct MethodCheck {
  let check: GraphCheck
  init(_ check: GraphCheck) { self.check = check }
  func run(reachable: Set<Int>) {}
}
