import ChainBase
import ChainText
import LuaBridge

/// `require "text"`: what Unicode says about text.
package enum TextModule {
  private typealias Body = (LuaStack, String) throws -> Int32

  /// Pushes the module's table, a new one. In a host section of the state.
  static func push(onto stack: LuaStack, state: LuaState) {
    let functions: [(String, Body)] = [
      ("normalize", normalize), ("words", words), ("sentences", sentences), ("chunks", chunks),
    ]
    stack.pushTable(fields: Int32(functions.count))
    for (name, body) in functions {
      state.push(NativeFunction { stack in
        do throws(LuaError) {
          let text = try String.read(from: stack, at: 1)
          do { return try body(stack, text) } catch { return stack.fail((error as? Failure)?.message ?? "\(error)") }
        } catch { return stack.fail("bad argument #1 to '\(name)': \(error.message)") }
      }, onto: stack)
      stack.rawSet(-2, field: name)
    }
    stack.makeReadOnly(name: "text")
  }

  private static func normalize(_ stack: LuaStack, _ text: String) throws -> Int32 {
    let name = stack.top < 2 ? "nfc" : stack.text(at: 2)
    guard let form = name.flatMap({ UnicodeForm(rawValue: $0) }) else {
      throw Failure(code: Failure.Code.failed, message: "bad argument #2 to 'normalize': one of nfc, nfd, nfkc, nfkd expected, got \(stack.describe(at: 2))")
    }
    stack.push(text: try text.normalized(form))
    return 1
  }

  private static func words(_ stack: LuaStack, _ text: String) throws -> Int32 {
    give(try TextSegments.words(of: text).map { text[$0] }, stack)
  }

  private static func sentences(_ stack: LuaStack, _ text: String) throws -> Int32 {
    give(try TextSegments.sentences(of: text).map { trimmed(text[$0]) }.filter { !$0.isEmpty }, stack)
  }

  /// `{ size = 500, overlap = 50 }`, in characters.
  private static func chunks(_ stack: LuaStack, _ text: String) throws -> Int32 {
    var chunks = TextChunks(size: 0)
    guard stack.type(at: 2) == .table else {
      throw Failure(code: Failure.Code.failed, message: "bad argument #2 to 'chunks': table of options expected, got \(stack.describe(at: 2)); write { size = 500 }")
    }
    var problem: String?
    stack.forEachField(at: 2) { name, place in
      let value = (try? Int.read(from: stack, at: place)).flatMap { $0 }
      switch (name, value) {
      case ("size", let value?): chunks.size = value
      case ("overlap", let value?): chunks.overlap = value
      case ("size", nil), ("overlap", nil): problem = "\(name): integer expected, got \(stack.describe(at: place))"
      default: problem = "unknown option '\(name)'; there are size, overlap"
      }
    }
    if let problem { throw Failure(code: Failure.Code.failed, message: "bad argument #2 to 'chunks': \(problem)") }
    let ranges = try chunks.ranges(of: text) { $0.unicodeScalars.count }
    return give(ranges.map { trimmed(text[$0]) }.filter { !$0.isEmpty }, stack)
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let start = text.drop { $0.isWhitespace }
    guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return start.prefix(0) }
    return start[...last]
  }

  private static func give(_ parts: [Substring], _ stack: LuaStack) -> Int32 {
    stack.pushTable(array: Int32(clamping: parts.count))
    for (place, part) in parts.enumerated() {
      stack.push(text: String(part))
      stack.rawSet(-2, at: Int64(place + 1))
    }
    return 1
  }
}
