import ChainBase
import ChainHost
import Testing

/// In the style of the known suites: y must be accepted, n must be refused, by the typed reader and by the one of trees.
@Suite("JSON as RFC 8259 has it")
struct SchemaConformanceTests {
  static let accepted = [
    "[]", "[ ]", "{}", "{ }", "null", "true", "false", "0", "-0", "-1", "1", "1.5", "-1.5", "0.5", "1e1", "1E1", "1e+1", "1e-1", "1.5e10",
    "0e1", "0e+1", "-0.0", "[1,2]", "[ 1 , 2 ]", "[1\n,\t2\r]", "{\"a\":1}", "{ \"a\" : 1 }", "{\"a\":1,\"b\":2}", "{\"\":0}", "\"\"",
    "\"a\"", "\" \"", "\"\\u0000\"", "\"\\uD834\\uDD1E\"", "\"\\\\\"", "\"\\/\"", "\"\u{2028}\u{2029}\"", "\"\u{7F}\"", "\"\u{FEFF}\"",
    "\"é\"", "\"😀\"", "[[[]]]", "{\"a\":{\"b\":[{}]}}", " 1 ", "\n\t\r 1", "[null,true,false,\"x\",1,1.0]", "{\"a\":[],\"a\":1}",
    "[1e-308]", "[123456789012345678901234567890]", "[0.1234567890123456789012345678901234567890]", "\"\\\"\"", "\"\\u00e9\\uABCD\\uefAB\"",
  ]

  static let refused = [
    "", " ", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}",
    "{'a':1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\"::1}", "{null:1}", "nul", "nulll", "truee", "tru", "fals", "TRUE", "True",
    "None", "undefined", "NaN", "Infinity", "-Infinity", "+1", "-", "--1", "01", "-01", "00", "1.", ".5", "-.5", "1.e1", "1e", "1e+", "1eE2",
    "1e1.5", "0x10", "1_000", "1a", "1 000", "1,5", "'a'", "\"", "\"a", "a\"", "\"\\\"", "\"\\x41\"", "\"\\u\"", "\"\\u12\"", "\"\\u123g\"",
    "\"\\a\"", "\"\\ \"", "\"\\U0041\"", "\"\t\"", "\"\n\"", "\"\u{0}\"", "\"\u{1F}\"", "\"\\uD800\"", "\"\\uDFFF\"", "\"\\uD800\\u0041\"",
    "[1]]", "[1]x", "{}{}", "1 2", "[1}", "{\"a\":1]", "[\"a\":1]", "// c\n1", "/* c */1", "1 // c", "#1", "[1;2]", "\u{A0}1", "\u{C}1", "\u{B}1",
    "\u{2028}1", "\u{0}", "1\u{0}", "[1\u{0}]", "[\u{0}]", "[1,2\u{0}", "<a>", "@", "*", "[*]", "&", "é", "[é]", "1é", "(1)", "1e400", "-1e400",
    "\"\\", "[\"", "{\"", "{\"a", "{\"a\"", "{\"a\":", "[tru", "-x", "[-]", "[1.]", "\"\\uD8", "\"\\u", "{\"a\":1,\"b\"}", "[1,\n",
  ]

  @Test("what must be accepted is", arguments: accepted)
  func accepts(_ text: String) throws {
    #expect(try SchemaBridge(.any).read(text) == nil)
    #expect(throws: Never.self) { try ChainValue(json: Array(text.utf8)) }
  }

  @Test("what must be refused is", arguments: refused)
  func refuses(_ text: String) throws {
    #expect(try SchemaBridge(.any).read(text) != nil)
    #expect(throws: Failure.self) { try ChainValue(json: Array(text.utf8)) }
  }

  @Test("no cut or changed byte of a text breaks the reader")
  func damage() throws {
    let type = ChainType.record(["a": .list(.union(.integer, .string, .map(.number))), "b": .optional(.bytes), "c": .any])
    let text = Array(#"{"a":[1,"x\u00e9\n",{"k":1.5e3,"é":-2}],"b":"Zm9v","c":{"x":[null,true,[]],"y":"😀"}}"#.utf8)
    let bridge = try SchemaBridge(type)
    #expect(try bridge.read(text) == nil)
    for end in 0..<text.count { #expect(try bridge.read(Array(text[..<end])) != nil) }
    var random = SchemaRandom(seed: 3)
    for _ in 0..<3_000 {
      var changed = text
      for _ in 0...random.below(2) { changed[random.below(changed.count)] = UInt8(random.below(256)) }
      if try bridge.read(changed) == nil {
        let first = try bridge.text()
        #expect(try bridge.read(first) == nil)
        #expect(try bridge.text() == first)
      }
    }
  }
}
