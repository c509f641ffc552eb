import ChainHost
import LuaBridge
import Testing

@Suite("require \"text\"") struct TextModuleTests {
  private func ask(_ code: String) throws -> String {
    let state = try LuaState()
    try state.hostSection { stack in
      stack.pushRealGlobals()
      _ = BuiltInModule.push("text", onto: stack, of: state)
      stack.rawSet(-2, field: "text")
      stack.pop()
    }
    do { return try state.run("local r = \(code) return type(r) == 'table' and table.concat(r, '|') or tostring(r)") } catch { return error.message }
  }

  @Test("normalizes, and finds words, sentences and chunks", arguments: [
    (#"text.normalize("e\u{301}")"#, "\u{E9}"), (#"text.normalize("\u{FB01}", "nfkc")"#, "fi"), (#"#text.normalize("\u{E9}", "nfd")"#, "3"),
    (#"text.words("It's 3.14, naïve user: don't stop!")"#, "It's|3.14|naïve|user|don't|stop"), (#"text.words("")"#, ""),
    (#"#text.words("今天天气很好") < 6"#, "true"),
    (#"text.sentences("One. Two?  Is it 3.5? Yes!")"#, "One.|Two?|Is it 3.5?|Yes!"),
    (#"text.chunks("One two. Three four. Five six.", { size = 21 })"#, "One two. Three four.|Five six."),
    (#"text.chunks("One two. Three four. Five six.", { size = 21, overlap = 12 })"#, "One two. Three four.|Three four. Five six."),
    (#"text.chunks("one two three", { size = 7 })"#, "one two|three"), (#"text.chunks("abcdefgh", { size = 3 })"#, "abc|def|gh"),
    (#"text.normalize("x", "nfx")"#, "chunk:1: bad argument #2 to 'normalize': one of nfc, nfd, nfkc, nfkd expected, got string (\"nfx\")"),
    (#"text.words("\xff")"#, "chunk:1: bad argument #1 to 'words': string of valid UTF-8 expected"),
    (#"text.chunks("x", { sise = 3 })"#, "chunk:1: bad argument #2 to 'chunks': unknown option 'sise'; did you mean 'size'?"),
    (#"text.chunks("x", { size = 3, words = 3 })"#, "chunk:1: bad argument #2 to 'chunks': unknown option 'words'; there are size, overlap, tokenizer"),
    (#"text.chunks("x", { size = 3, tokenizer = "x" })"#, "chunk:1: bad argument #2 to 'chunks': tokenizer: one of uses expected, got string (\"x\")"),
    (#"text.chunks("x", { size = 0 })"#, "chunk:1: chunks: the size must be at least 1 and the overlap smaller, got 0 and 0"),
  ])
  func text(code: String, expected: String) throws { #expect(try ask(code) == expected) }

  @Test("a result is no longer than a string may be")
  func limit() throws {
    let state = try LuaState()
    state.stringLimit = 1000
    try state.hostSection { stack in
      stack.pushRealGlobals()
      _ = BuiltInModule.push("text", onto: stack, of: state)
      stack.rawSet(-2, field: "text")
      stack.pop()
    }
    let error = #expect(throws: LuaError.self) { try state.run(#"return text.normalize(("\u{FDFA}"):rep(100), "nfkd")"#) as String }
    #expect(error?.message == "chunk:1: resulting string too large: a string may have 1000 bytes")
  }
}
