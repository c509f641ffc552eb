import ChainBase
import LuaBridge

/// A value that does not fit its type, as a sentence that names the place: `HelloAll.input.names[3]: expected string,
/// got integer (7)`.
package struct TypeMismatch: Error, Sendable, Equatable {
  /// `HelloAll.input.names[3]`: positions count from 1, as in Lua.
  package var path: String
  package var expected: String
  /// What came, in a word; empty when nothing did.
  package var got: String
  /// One of `Failure.Code`'s: `bad_input` or `bad_output`, or for a value that is too large `too_large` or `output_limit`.
  package var code: String
  package var message: String

  init(root: String, path: [PathStep], _ complaint: Complaint, _ limits: CrossingLimits) {
    self.path = root + PathStep.text(of: path)
    expected = complaint.expected
    got = complaint.got
    code = complaint.isSize ? limits.sizeCode : limits.mismatchCode
    let setting = limits.direction == .output ? complaint.limit.map { " (\($0))" } ?? "" : ""
    message = "\(self.path): \(complaint.text)\(setting)"
  }

  /// The failure that a caller gets.
  package var failure: Failure { Failure(code: code, message: message) }
}

/// One step from a value to a value inside it.
enum PathStep: Sendable, Equatable {
  case field(String)
  case position(Int)

  /// `.names[3]`; in a long path the middle is left out.
  static func text(of path: [PathStep]) -> String {
    let shown = 12
    if path.count > shown { return path[..<8].map(\.text).joined() + "…" + path[(path.count - 2)...].map(\.text).joined() }
    return path.map(\.text).joined()
  }

  private var text: String {
    switch self {
    case .position(let position): "[\(position)]"
    case .field(let name): PathStep.isName(name) ? ".\(name)" : "[\"\(PathStep.shortened(name))\"]"
    }
  }

  private static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(0x30...0x39).contains(first), name.utf8.count <= 64 else { return false }
    return name.utf8.allSatisfy { ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F }
  }

  private static func shortened(_ name: String) -> String {
    let text = Complaint.escaped(String(name.unicodeScalars.prefix(65))) // of a long one, more than is shown
    return text.utf8.count > 64 ? String(text.prefix(40)) + "…" : text
  }
}

/// What is wrong with a value at its place.
struct Complaint: Sendable {
  var expected: String
  var got: String
  var text: String
  /// The whole is too large, by this limit of outputs: another code.
  var limit: String?
  var isSize: Bool { limit != nil }
  /// The text is no JSON, is nested too deep, or has a key too long: no other member of a union would fit.
  var isFinal = false

  init(expected: String, got: String) {
    self.expected = expected
    self.got = got
    text = "expected \(expected), got \(got)"
  }

  init(expected: String, got: String, text: String, limit: String? = nil, isFinal: Bool = false) {
    self.expected = expected
    self.got = got
    self.text = text
    self.limit = limit
    self.isFinal = isFinal
  }

  static func missing(_ type: ChainType) -> Complaint {
    Complaint(expected: type.expectation, got: "", text: "missing field, expected \(type.expectation)")
  }

  static func unknown(_ name: String, among names: [String]) -> Complaint {
    var text = "unknown field"
    if let near = nearestName(to: name, among: names) {
      text += "; did you mean '\(near)'?"
    } else if names.isEmpty {
      text += "; the record has none"
    } else {
      text += "; known are \(list(names.prefix(10).map { "'\($0)'" }))\(names.count > 10 ? ", …" : "")"
    }
    return Complaint(expected: "", got: "unknown field", text: text)
  }

  static func tooDeep(_ depth: Int) -> Complaint {
    Complaint(
      expected: "at most \(depth) nested tables", got: "more",
      text: "nested deeper than \(depth) tables (does a table contain itself?)", isFinal: true)
  }

  static func longKey(_ count: Int) -> Complaint {
    Complaint(
      expected: "keys of at most \(CrossingLimits.longestKey) bytes", got: "one of \(count)",
      text: "key of \(count) bytes; a key may have \(CrossingLimits.longestKey)", isFinal: true)
  }

  /// Nobody waits for the value any more, nor reads this.
  static var unwanted: Complaint {
    var complaint = Complaint(expected: "", got: "", text: "the value is not wanted any more")
    complaint.isFinal = true
    return complaint
  }

  static var tooMuchWork: Complaint {
    Complaint(
      expected: "", got: "", text: "too large to be checked: its type has unions, patterns or names that are tried too often",
      limit: "limits.nodes")
  }

  static func tooManyValues(_ most: Int) -> Complaint {
    Complaint(expected: "at most \(most) values", got: "more", text: "too large: more than \(most) values in all", limit: "limits.nodes")
  }

  static func tooManyBytes(_ most: Int) -> Complaint {
    Complaint(expected: "at most \(most) bytes", got: "more", text: "too large: more than \(most) bytes of text in all", limit: "limits.output")
  }

  static func list(_ words: [String], last word: String = ", ") -> String {
    guard words.count > 1, let last = words.last else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + word + last
  }

  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      default:
        if scalar.value < 32 || scalar.value == 127 { result += "\\\(scalar.value)" } else { result.unicodeScalars.append(scalar) }
      }
    }
    return result
  }
}

extension Complaint {
  // MARK: Bounds

  static func count(_ count: Int, _ type: ChainType, unit: String) -> Complaint? {
    if let min = type.min, Double(count) < min { return bound("at least", min, count, unit) }
    if let max = type.max, Double(count) > max { return bound("at most", max, count, unit) }
    return nil
  }

  private static func bound(_ words: String, _ bound: Double, _ count: Int, _ unit: String) -> Complaint {
    Complaint(expected: "\(words) \(number(bound)) \(bound == 1 ? unit : plural(unit))", got: "\(count)")
  }

  private static func plural(_ unit: String) -> String { unit == "entry" ? "entries" : unit + "s" }

  static func number(_ value: Double) -> String {
    Int64(exactly: value).map(String.init) ?? String(value)
  }

  static func integer(_ value: Int64, _ node: SchemaNode, _ type: ChainType) -> Complaint? {
    if let min = type.min, value < node.least { return Complaint(expected: "at least \(number(min))", got: "integer (\(value))") }
    if let max = type.max, value > node.most { return Complaint(expected: "at most \(number(max))", got: "integer (\(value))") }
    return nil
  }

  static func float(_ value: Double, _ type: ChainType) -> Complaint? {
    if type.finite, !value.isFinite { return Complaint(expected: "a finite number", got: "number (\(value))") }
    if let min = type.min, !(value >= min) { return Complaint(expected: "at least \(number(min))", got: "number (\(value))") }
    if let max = type.max, !(value <= max) { return Complaint(expected: "at most \(number(max))", got: "number (\(value))") }
    return nil
  }

  /// Text that is UTF-8.
  static func text(_ text: UnsafeRawBufferPointer, _ type: ChainType, _ pace: inout Pace) -> Complaint? {
    if let wrong = count(UTF8Check.codePoints(in: text), type, unit: "character") { return wrong }
    guard let pattern = type.pattern else { return nil }
    let (found, problem) = ValueBounds.find(pattern, in: text, &pace)
    if found { return nil }
    let expected = "string that matches \"\(pattern)\"", got = string(text)
    guard let problem else { return Complaint(expected: expected, got: got) }
    return Complaint(expected: expected, got: got, text: "expected \(expected), got \(got): \(problem)")
  }

  /// `string ("…")`, shortened between characters.
  static func string(_ text: UnsafeRawBufferPointer) -> String {
    let shown = 32
    var end = Swift.min(text.count, shown)
    if end < text.count { while end > 0, text[end] & 0xC0 == 0x80 { end -= 1 } }
    return "string (\"\(escaped(String(decoding: text.prefix(end), as: UTF8.self)))\(text.count > end ? "…" : "")\")"
  }

  static func string(_ text: String) -> String {
    var text = text
    return text.withUTF8 { string(UnsafeRawBufferPointer($0)) }
  }

  /// `"a", "b"`: the values that would fit; of thousands the first ones.
  static func values(_ values: [String]) -> String {
    let shown = 100
    return values.prefix(shown).map { "\"\(escaped($0))\"" }.joined(separator: ", ") + (values.count > shown ? ", …" : "")
  }
}

extension ChainType {
  /// What a message says was expected.
  var expectation: String {
    switch kind {
    case .string: "string"
    case .integer: "integer"
    case .number: "number"
    case .boolean: "boolean"
    case .bytes: "bytes"
    case .blob: "blob"
    case .any: "plain data"
    case .list: "list"
    case .map: "map"
    case .record: "record"
    case .enumeration(let values):
      values.count == 1 ? Complaint.values(values) : "one of " + Complaint.values(values)
    case .union(let members):
      Complaint.list(members.map(\.expectation).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }, last: " or ")
    case .optional(let inner): inner.expectation
    case .tensor(let element, let dimensions):
      "tensor \(element)[\(dimensions.map { switch $0 { case .fixed(let size): "\(size)"; case .named(let name): name } }.joined(separator: ", "))]"
    case .stream: "stream"
    }
  }
}
