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
    try stack.forEachField(at: index) { name, place throws(LuaError) in
      let value = try? Int.read(from: stack, at: place)
      switch (name, value) {
      case ("size", let value?): options.size = value
      case ("overlap", let value?): options.overlap = value
      case ("size", nil), ("overlap", nil):
        throw TextChunks.wrong("\(name): integer expected, got \(stack.describe(at: place))")
      case ("tokenizer", _):
        guard stack.type(at: place) == .userdata else {
          throw TextChunks.wrong("tokenizer: one of uses expected, got \(stack.describe(at: place))")
        }
      default:
        let meant = nearestName(to: name, among: TextChunks.names).map { "; did you mean '\($0)'?" }
        throw TextChunks.wrong("unknown option '\(name)'\(meant ?? "; there are \(TextChunks.names.joined(separator: ", "))")")
      }
    }
    self = options
  }

  private static let names = ["size", "overlap", "tokenizer"]

  private static func wrong(_ text: String) -> LuaError { LuaError(.runtime, "bad argument #2 to 'chunks': \(text)") }
}
