import ChainBase
import LuaBridge

/// Reads what chain.lua and types.lua recorded, raw, and judges it: every record has a mark, its metatable.
///
/// Inside a host section only. It leaves the stack as it found it and notes problems instead of throwing.
final class RecordReader {
  /// The metatables that say what a table is.
  struct Marks {
    var type: UnsafeRawPointer?
    var chainlet: UnsafeRawPointer?
    var need: UnsafeRawPointer?
    var use: UnsafeRawPointer?
    var pending: UnsafeRawPointer?
    /// What stands for the value of something that had a problem of its own.
    var unknown: UnsafeRawPointer?
    /// The registry reference of the table of types.
    var types: Int32 = 0
  }

  enum Kind { case type, chainlet, need, use, pending, unknown, plainTable, objectTable, other }

  struct Note {
    var path: [String]
    var message: String
    var suggestion: String?
    /// The word in the source to point at: the last of the path unless another is better.
    var word: String?
  }

  var marks = Marks()
  /// Chainlets by the identity of their tables.
  var names: [UnsafeRawPointer: String] = [:]
  var notes: [Note] = []
  var path: [String] = []
  /// How many values it has looked at: a table that holds itself twice is a tree without end.
  private var steps = 0
  static let mostSteps = 200_000
  static let deepest = 64

  func note(_ message: String, _ suggestion: String? = nil, word: String? = nil) {
    guard notes.count < 200 else { return }
    notes.append(Note(path: path.prefix(6).map { String($0.prefix(100)) }, message: String(message.prefix(1_000)), suggestion: suggestion, word: word))
  }

  /// After this nothing more is looked at: what is too deep may be too wide as well.
  func tooDeep(_ what: String) {
    note("\(what) is nested too deeply (at most \(RecordReader.deepest) levels), or holds itself")
    steps = RecordReader.mostSteps
  }

  /// Counts a value; false, and a note, when there are too many.
  func step() -> Bool {
    steps += 1
    if steps == RecordReader.mostSteps { note("the declarations are too large, or a table holds itself") }
    return steps < RecordReader.mostSteps
  }

  func within<R>(_ name: String, _ body: () -> R) -> R {
    path.append(name)
    defer { path.removeLast() }
    return body()
  }

  func kind(_ stack: LuaStack, _ index: Int32) -> Kind {
    guard stack.type(at: index) == .table else { return .other }
    guard stack.pushMetatable(of: index) else { return .plainTable }
    defer { stack.pop() }
    guard let mark = stack.identity(at: -1) else { return .objectTable }
    switch mark {
    case marks.type: return .type
    case marks.chainlet: return .chainlet
    case marks.need: return .need
    case marks.use: return .use
    case marks.pending: return .pending
    case marks.unknown: return .unknown
    default: return .objectTable
    }
  }

  /// Words for a value in a message: "chainlet SayHello", "string ("x")".
  func describe(_ stack: LuaStack, _ index: Int32) -> String {
    switch kind(stack, index) {
    case .chainlet: return "chainlet \(stack.identity(at: index).flatMap { names[$0] } ?? "?")"
    case .type:
      return "the type \(typeText(stack, index))"
    case .need: return "a chainlet with options"
    case .use: return "a resource"
    case .pending: return "a chainlet without its { spec }"
    case .unknown: return "a value that had a problem"
    case .plainTable: return "a table"
    case .objectTable: return "a table with a metatable"
    case .other:
      if stack.type(at: index) == .function { return constructor(stack, index).map { "t.\($0)" } ?? "a function" }
      return stack.describe(at: index)
    }
  }

  /// What a type is called, without judging it.
  func typeText(_ stack: LuaStack, _ index: Int32) -> String {
    let before = notes
    defer { notes = before }
    return type(stack, index, place: .anywhere).map { $0.text } ?? "?"
  }

  /// Runs `body` and drops the problems that it noted.
  func notesAside<R>(_ body: (RecordReader) -> R) -> R {
    let before = notes
    defer { notes = before }
    return body(self)
  }

  /// The string keys of a plain table, sorted, and whether it has others.
  func keys(_ stack: LuaStack, _ index: Int32) -> (names: [String], others: [String]) {
    let index = stack.absolute(index)
    var names: [String] = []
    var others: [String] = []
    guard stack.ensure(4) else { return ([], []) }
    stack.pushNil()
    while stack.next(index) {
      stack.pop()
      if let name = stack.text(at: -1) { names.append(name) } else { others.append("[\(plain(stack, -1))]") }
      if names.count + others.count > 10_000 {
        stack.pop()
        break
      }
    }
    return (names.sorted(), others.sorted())
  }

  /// A number as the author wrote it.
  func plain(_ stack: LuaStack, _ index: Int32) -> String {
    guard stack.type(at: index) == .number else { return stack.describe(at: index) }
    return stack.isInteger(at: index) ? String(stack.integer(at: index)) : String(stack.number(at: index))
  }

  /// The name of a constructor of types that was not called.
  func constructor(_ stack: LuaStack, _ index: Int32) -> String? {
    guard stack.type(at: index) == .function, marks.types != 0, stack.ensure(6) else { return nil }
    let index = stack.absolute(index)
    let top = stack.top
    defer { stack.setTop(top) }
    stack.push(kept: marks.types)
    stack.pushNil()
    while stack.next(-2) {
      if stack.rawEqual(-1, index) { return stack.text(at: -2) }
      stack.pop()
    }
    return nil
  }

  func didYouMean(_ name: String, _ known: some Sequence<String>) -> String? {
    nearestName(to: name, among: known).map { "did you mean '\($0)'?" }
  }
}
