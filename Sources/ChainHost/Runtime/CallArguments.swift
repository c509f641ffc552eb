import ChainBase
import LuaBridge

/// `self.asr({ … }, { timeout = 5 })`: what may stand in the second table of a call.
extension Lane {
  private static let callOptions = ["timeout", "retries"]

  /// Reads the options at `index` over those of the need; a problem is the failure that the caller gets.
  func readOptions(_ waiter: LuaStack, at index: Int32, into options: inout CallOptions, _ target: String) -> Failure? {
    func problem(_ text: String) -> Failure {
      Failure(code: Failure.Code.badInput, message: "\(waiter.place(level: 1))options of the call of \(target): \(text)", status: 500)
    }
    if waiter.type(at: index) == .nil { return nil }
    guard waiter.type(at: index) == .table else { return problem("expected a table, got \(waiter.describe(at: index))") }
    var found: String?
    waiter.forEachField(at: index) { key, value in
      let isNumber = waiter.type(at: value) == .number
      switch key {
      case "timeout":
        if isNumber, waiter.number(at: value) > 0 {
          options.timeout = nanoseconds(waiter.number(at: value))
        } else {
          found = "timeout: expected seconds above 0, got \(waiter.describe(at: value))"
        }
      case "retries":
        if waiter.isInteger(at: value), waiter.integer(at: value) >= 0 {
          options.retries = Int(clamping: waiter.integer(at: value))
        } else {
          found = "retries: expected an integer of at least 0, got \(waiter.describe(at: value))"
        }
      default:
        let meant = nearestName(to: key, among: Lane.callOptions).map { "; did you mean '\($0)'?" } ?? ""
        found = "unknown option '\(key)'\(meant)"
      }
    }
    return found.map(problem)
  }
}
