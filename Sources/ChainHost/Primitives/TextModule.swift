import ChainBase
import ChainText
import LuaBridge

/// `require "text"`: what Unicode says about text.
package enum TextModule {
  private typealias Body = (LuaStack, String) throws -> Int32

  /// Pushes the module's table, a new one. In a host section of the state.
  static func push(onto stack: LuaStack, state: LuaState) throws(LuaError) {
    let functions: [(String, Body)] = [("normalize", normalize), ("words", words), ("sentences", sentences)]
    stack.pushTable(fields: Int32(functions.count + 1))
    for (name, body) in functions {
      state.push(function(name, body), onto: stack)
      stack.rawSet(-2, field: name)
    }
    try pushChunks(onto: stack, state: state)
    stack.rawSet(-2, field: "chunks")
    stack.makeReadOnly(name: "text")
  }

  private static func function(_ name: String, _ body: @escaping Body) -> NativeFunction {
    NativeFunction { stack in
      do throws(LuaError) {
        let text = try String.read(from: stack, at: 1)
        do { return try body(stack, text) } catch { return stack.fail(message(of: error)) }
      } catch { return stack.fail("bad argument #1 to '\(name)': \(error.message)") }
    }
  }

  private static let chunksCode = ResourceFace.compile(PackageResources.text_lua, name: "text.lua")

  /// In Lua, because a tokenizer waits and a native function cannot. The globals of that code are what it needs of ours.
  private static func pushChunks(onto stack: LuaStack, state: LuaState) throws(LuaError) {
    let code = try chunksCode.get()
    if let message = code.withUnsafeBytes({ stack.pushChunk($0, name: "text.lua", mode: "b") }) { throw LuaError(.runtime, message) }
    stack.pushTable(fields: 2)
    state.push(function("chunks", chunks), onto: stack)
    stack.rawSet(-2, field: "by_characters")
    state.push(NativeFunction { stack in
      guard stack.type(at: 1) == .table, stack.rawGet(1, field: "tokenizer") == .userdata else { return 0 }
      return 1
    }, onto: stack)
    stack.rawSet(-2, field: "tokenizer_of")
    stack.setUpvalue(1, of: -2)
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
    give(try TextSegments.sentences(of: text).map { text[$0].trimmed }.filter { !$0.isEmpty }, stack)
  }

  private static func chunks(_ stack: LuaStack, _ text: String) throws -> Int32 {
    let parts = try TextChunks(stack, at: 2).parts(of: text) { $0.unicodeScalars.count }
    try parts.push(to: stack)
    return 1
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
