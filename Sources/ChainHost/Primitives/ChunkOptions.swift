import ChainBase
import ChainText
import LuaBridge

/// How scripts write `text.chunks(passage, { size = 500, overlap = 50, tokenizer = self.tokenizer })`.
extension TextChunks {
  /// The table of options at `index`, the second argument of the author's.
  package init(_ stack: LuaStack, at index: Int32) throws(LuaError) {
    self.init(size: 0)
    guard stack.type(at: index) == .table else {
      throw TextChunks.wrong("table of options expected, got \(stack.describe(at: index)); write { size = 500 }")
    }
    var options = self
    var problem: String?
    stack.forEachField(at: index) { name, place in
      let value = try? Int.read(from: stack, at: place)
      switch (name, value) {
      case ("size", let value?): options.size = value
      case ("overlap", let value?): options.overlap = value
      case ("size", nil), ("overlap", nil): problem = "\(name): integer expected, got \(stack.describe(at: place))"
      case ("tokenizer", _):
        if stack.type(at: place) != .userdata { problem = "tokenizer: one of uses expected, got \(stack.describe(at: place))" }
      default:
        let meant = nearestName(to: name, among: TextChunks.names).map { "; did you mean '\($0)'?" }
        problem = "unknown option '\(name)'\(meant ?? "; there are \(TextChunks.names.joined(separator: ", "))")"
      }
    }
    if let problem { throw TextChunks.wrong(problem) }
    self = options
  }

  private static let names = ["size", "overlap", "tokenizer"]

  private static func wrong(_ text: String) -> LuaError { LuaError(.runtime, "bad argument #2 to 'chunks': \(text)") }

  /// The parts, without the spaces around them and without empty ones.
  package func parts(of text: String, measure: (Substring) throws -> Int) throws -> [String] {
    try ranges(of: text, measure: measure).map { String(text[$0].trimmed) }.filter { !$0.isEmpty }
  }
}

extension Substring {
  /// Without the spaces around it.
  var trimmed: Substring {
    let start = drop { $0.isWhitespace }
    guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return start.prefix(0) }
    return start[...last]
  }
}
