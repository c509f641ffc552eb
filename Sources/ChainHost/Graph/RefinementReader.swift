import ChainBase
import LuaBridge

/// Refinements: `t.string { min = 1 }`. Which belong to which type, and whether they make sense.
extension RecordReader {
  /// What may be said of a type.
  static func refinements(of type: ChainType) -> [String] {
    let common = ["doc", "default"]
    switch type.kind {
    case .string: return common + ["min", "max", "pattern"]
    case .integer: return common + ["min", "max"]
    case .number: return common + ["min", "max", "finite"]
    case .bytes, .blob: return common + ["min", "max", "media"]
    case .list, .map: return common + ["min", "max"]
    case .optional, .stream, .tensor: return ["doc"]
    case .boolean, .any, .record, .enumeration, .union: return common
    }
  }

  func refined(_ stack: LuaStack, _ index: Int32, place: Position, depth: Int) -> ChainType? {
    stack.rawGet(index, field: "base")
    let base = type(stack, -1, place: place, depth: depth + 1)
    stack.pop()
    guard var type = base else { return nil }
    stack.rawGet(index, at: 1)
    defer { stack.pop() }
    guard kind(stack, -1) == .plainTable, count(stack, index) == 1 else {
      if kind(stack, -1) == .unknown { return nil }
      let got = stack.type(at: -1) == .nil ? "nothing" : describe(stack, -1)
      note("calling the type \(type.text) refines it and takes a table of refinements, got \(got)", "write \(type.constructorText) { … }, with \(RecordReader.refinements(of: type).joined(separator: ", "))")
      return type
    }
    let allowed = RecordReader.refinements(of: type)
    let (names, others) = keys(stack, -1)
    if let first = others.first {
      note("a refinement has a name, got a value at \(first)", "\(type.constructorText) knows \(allowed.joined(separator: ", "))")
    }
    for name in names {
      guard allowed.contains(name) else {
        note(
          "\(type.constructorText) has no refinement '\(name)'",
          didYouMean(name, allowed) ?? "it knows \(allowed.joined(separator: ", "))", word: name)
        continue
      }
      stack.rawGet(-1, field: name)
      if kind(stack, -1) != .unknown { refine(&type, name, stack) }
      stack.pop()
    }
    if let min = type.min, let max = type.max, min > max {
      note("min = \(RecordReader.number(min)) is more than max = \(RecordReader.number(max))", word: "min")
    }
    if let value = type.defaultValue, names.contains("default"), let mismatch = ValueCheck.mismatch(value, type) {
      note("the default does not fit its type: \(mismatch)", word: "default")
    }
    return type
  }

  private func refine(_ type: inout ChainType, _ name: String, _ stack: LuaStack) {
    func text() -> String? {
      if let text = stack.text(at: -1) { return text }
      note("\(name) must be a string, got \(describe(stack, -1))", word: name)
      return nil
    }
    switch name {
    case "doc": type.doc = text()
    case "media":
      type.media = text()
      if let media = type.media, !media.contains("/") { note("media must be a media type, got \"\(media)\"", "for example \"image/png\"", word: name) }
    case "pattern":
      guard let pattern = text() else { return }
      if let problem = PatternSyntax.problem(in: Array(pattern.utf8)) {
        note("the pattern \"\(pattern)\" is malformed: \(problem)", "it is a Lua pattern, as string.find takes it", word: name)
      } else {
        type.pattern = pattern
      }
    case "finite":
      guard stack.type(at: -1) == .boolean else { return note("finite must be true or false, got \(describe(stack, -1))", word: name) }
      type.finite = stack.boolean(at: -1)
    case "default":
      guard let value = within("default", { value(stack, -1) }) else { return }
      type.defaultValue = ValueCheck.fitted(value, to: type)
    default:
      guard let bound = bound(stack, name, of: type) else { return }
      if name == "min" { type.min = bound } else { type.max = bound }
    }
  }

  private func bound(_ stack: LuaStack, _ name: String, of type: ChainType) -> Double? {
    guard stack.type(at: -1) == .number else {
      note("\(name) must be a number, got \(describe(stack, -1))", word: name)
      return nil
    }
    let value = stack.isInteger(at: -1) ? Double(stack.integer(at: -1)) : stack.number(at: -1)
    switch type.kind {
    case .number:
      guard !value.isNaN else {
        note("\(name) is not a number (NaN)", word: name)
        return nil
      }
    case .integer:
      guard value == value.rounded() else {
        note("\(name) of t.integer must be an integer, got \(value)", word: name)
        return nil
      }
    default:
      guard value == value.rounded(), value >= 0, value <= 1e15 else {
        note("\(name) counts, so it must be an integer of 0 or more, got \(plain(stack, -1))", word: name)
        return nil
      }
    }
    return value
  }

  static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
  }
}
