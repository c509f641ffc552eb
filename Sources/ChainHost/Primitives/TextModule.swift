import ChainBase
import ChainText
import CLuaGuard
import LuaBridge

/// `require "text"`: what Unicode says about text.
package enum TextModule {
  /// Is given the text, valid UTF-8, which lies at 1; returns a trampoline status.
  private typealias Body = (LuaStack, UnsafeRawBufferPointer, Stepping) throws -> Int32

  /// Bytes of a text for which a function is done at once where its run cannot wait, and of what it gives.
  private static let mostAtOnce = 256 << 10, mostResultsAtOnce = 4 << 20

  /// Pushes the module's table, a new one. In a host section of the state.
  static func push(onto stack: LuaStack, state: LuaState) throws(LuaError) {
    let functions: [(String, Body)] = [("normalize", normalize), ("words", words), ("sentences", sentences)]
    stack.pushTable(fields: Int32(functions.count + 1))
    for (name, body) in functions {
      state.push(stepped: function(name, body), onto: stack)
      stack.rawSet(-2, field: name)
    }
    try pushChunks(onto: stack, state: state)
    stack.rawSet(-2, field: "chunks")
    stack.makeReadOnly(name: "text")
  }

  private static func function(_ name: String, _ body: @escaping Body) -> SteppedFunctions.Body {
    { stack, stepping in
      guard stack.type(at: 1) == .string else {
        return stack.fail("bad argument #1 to '\(name)': string expected, got \(stack.describe(at: 1))")
      }
      stack.setTop(2)
      let text = stack.bytes(at: 1)
      switch stepping {
      case .share(let share) where text.count > share.bytes / 256: return LuaStack.waits // it takes far longer than a copy
      case .whole where text.count > mostAtOnce: return tooLarge(stack, name)
      default: break
      }
      guard UTF8Check.isValid(text) else { return stack.fail("bad argument #1 to '\(name)': string of valid UTF-8 expected") }
      do {
        return try body(stack, text, stepping)
      } catch is TextResults.TooLarge {
        guard stepping.share == nil else {
          stack.setTop(2)
          return LuaStack.waits
        }
        return tooLarge(stack, name)
      } catch { return stack.fail(message(of: error)) }
    }
  }

  private static func tooLarge(_ stack: LuaStack, _ name: String) -> Int32 {
    stack.fail(
      "text.\(name): this takes too long where Lua cannot pause, such as in a metamethod that a library function uses: there the "
        + "text may have \(mostAtOnce) bytes and the result \(mostResultsAtOnce); do it before or after")
  }

  private static let chunksCode = ResourceFace.compile(PackageResources.text_lua, name: "text.lua")

  /// In Lua, because a tokenizer waits and a native function cannot. The globals of that code are what it needs of ours.
  private static func pushChunks(onto stack: LuaStack, state: LuaState) throws(LuaError) {
    let code = try chunksCode.get()
    if let message = code.withUnsafeBytes({ stack.pushChunk($0, name: "text.lua", mode: "b") }) { throw LuaError(.runtime, message) }
    stack.pushTable(fields: 2)
    state.push(stepped: function("chunks", chunks), onto: stack)
    stack.rawSet(-2, field: "by_characters")
    state.push(NativeFunction { stack in
      guard stack.type(at: 1) == .table, stack.rawGet(1, field: "tokenizer") == .userdata else { return 0 }
      return 1
    }, onto: stack)
    stack.rawSet(-2, field: "tokenizer_of")
    stack.setUpvalue(1, of: -2)
  }

  private static func normalize(_ stack: LuaStack, _ text: UnsafeRawBufferPointer, _ stepping: Stepping) throws -> Int32 {
    let name = stack.type(at: 2) == .nil ? "nfc" : stack.text(at: 2)
    guard let form = name.flatMap({ UnicodeForm(rawValue: $0) }) else {
      return stack.fail("bad argument #2 to 'normalize': one of nfc, nfd, nfkc, nfkd expected, got \(stack.describe(at: 2))")
    }
    let memory = LuaState.of(stack).pointee.memory
    var result = ByteBuffer()
    var isTooLong = false
    try form.normalize(text) { part in
      isTooLong = result.count + part.count > memory.string_limit
      guard !isTooLong, result.count <= memory.limit else { return false }
      result.append(part)
      return stepping.pause?() ?? true
    }
    if isTooLong { return stack.failTooLong() }
    if result.count > memory.limit { return Int32(CLG_NO_MEMORY) }
    stack.push(bytes: result.bytes)
    return 1
  }

  private static func words(_ stack: LuaStack, _ text: UnsafeRawBufferPointer, _ stepping: Stepping) throws -> Int32 {
    var results = TextResults(stack, text, stepping, most: mostResultsAtOnce)
    try TextSegments(.words).forEach(in: text) { word, isWord in try isWord ? results.add(word) : results.goesOn() }
    return 1
  }

  private static func sentences(_ stack: LuaStack, _ text: UnsafeRawBufferPointer, _ stepping: Stepping) throws -> Int32 {
    var results = TextResults(stack, text, stepping, most: mostResultsAtOnce)
    try TextSegments(.sentences).forEach(in: text) { sentence, _ in try results.add(text.trimmed(sentence)) }
    return 1
  }

  private static func chunks(_ stack: LuaStack, _ text: UnsafeRawBufferPointer, _ stepping: Stepping) throws -> Int32 {
    let chunks = try TextChunks(stack, at: 2)
    var results = TextResults(stack, text, stepping, most: mostResultsAtOnce)
    try chunks.forEach(in: text) { piece in
      results.goesOn() ? UTF8Check.codePoints(in: UnsafeRawBufferPointer(rebasing: text[piece])) : nil
    } _: { part in try results.add(text.trimmed(part)) }
    return 1
  }
}

/// The list of parts of a text that a function gives, as it grows: on top of the stack.
private struct TextResults {
  /// More than may be made at once.
  struct TooLarge: Error {}

  private let stack: LuaStack
  private let text: UnsafeRawBufferPointer
  private var count: Int64 = 0
  private var pace: Pace
  /// Bytes that may still be made. In pieces the lane looks after the state's memory between them.
  private var left: Int

  init(_ stack: LuaStack, _ text: UnsafeRawBufferPointer, _ stepping: Stepping, most: Int) {
    (self.stack, self.text) = (stack, text)
    pace = Pace(CrossingLimits(bytes: .max, nodes: .max), stepping.pause)
    left = stepping.pause == nil ? min(most, stepping.share?.bytes ?? .max) : .max
    stack.pushTable()
  }

  /// Adds a part that is not empty; false: the rest is not wanted.
  mutating func add(_ part: Range<Int>) throws -> Bool {
    guard !part.isEmpty else { return goesOn() }
    left -= part.count
    if left < 0 { throw TooLarge() }
    stack.push(bytes: UnsafeRawBufferPointer(rebasing: text[part]))
    count += 1
    stack.rawSet(-2, at: count)
    return goesOn() && pace.goesOn(afterBytes: part.count)
  }

  mutating func goesOn() -> Bool { pace.goesOn() }
}
