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
    do throws(LuaError) {
      try waiter.forEachField(at: index) { key, value throws(LuaError) in
        let isNumber = waiter.type(at: value) == .number
        switch key {
        case "timeout":
          guard isNumber, waiter.number(at: value) > 0 else {
            throw LuaError(.runtime, "timeout: expected seconds above 0, got \(waiter.describe(at: value))")
          }
          options.timeout = nanoseconds(waiter.number(at: value))
        case "retries":
          guard waiter.isInteger(at: value), waiter.integer(at: value) >= 0 else {
            throw LuaError(.runtime, "retries: expected an integer of at least 0, got \(waiter.describe(at: value))")
          }
          options.retries = Int(clamping: waiter.integer(at: value))
        default:
          let meant = nearestName(to: key, among: Lane.callOptions).map { "; did you mean '\($0)'?" } ?? ""
          throw LuaError(.runtime, "unknown option '\(key)'\(meant)")
        }
      }
    } catch { return problem(error.message) }
    return nil
  }
}
