import LuaBridge

/// What `print` and `chain.log` make of their arguments: one line, of bounded size.
struct LogText {
  /// Bytes of a line: "…" stands for the rest. A script may not hold its lane by what it logs.
  static let most = 64 << 10
  /// Tables of one line that turn out to be no plain data, or too large to show.
  private static let mostUnshown = 16

  private(set) var text = ""
  private var left = LogText.most
  private var unshown = 0
  private let stack: LuaStack
  private let failures: FailureValues

  init(_ stack: LuaStack, _ failures: FailureValues) {
    (self.stack, self.failures) = (stack, failures)
    for index in stride(from: Int32(1), through: stack.top, by: 1) {
      guard left > 0, unshown < LogText.mostUnshown else {
        text += "…"
        return
      }
      let part = (index > 1 ? "\t" : "") + value(index)
      text += part.utf8.count > LogText.most ? String(decoding: part.utf8.prefix(LogText.most), as: UTF8.self) : part
      left -= part.utf8.count
    }
  }

  private mutating func value(_ index: Int32) -> String {
    switch stack.type(at: index) {
    case .string: return stack.text(at: index, most: left) ?? ""
    case .number: return stack.isInteger(at: index) ? String(stack.integer(at: index)) : "\(stack.number(at: index))"
    case .boolean: return String(stack.boolean(at: index))
    case .nil: return "nil"
    case .table:
      if failures.isFailure(stack, at: index) { return failures.read(stack, at: index, report: nil).message }
      if let json = failures.json(stack, at: index, most: left) { return json }
      unshown += 1
      return "table"
    default: return stack.type(at: index).name
    }
  }
}
