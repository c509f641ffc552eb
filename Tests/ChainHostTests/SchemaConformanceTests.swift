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

  @Test("a key may have 4096 bytes: in JSON, out as JSON, from state to state, and in what Swift gives and takes", arguments: [
    ("any", ChainType.any), ("map", .map(.integer)), ("union", .union(.integer, .map(.integer), .any)),
  ])
  func longKeys(name: String, type: ChainType) async throws {
    let wrong = "key of 4097 bytes; a key may have 4096"
    func json(_ length: Int) -> String { "{\"\(String(repeating: "k", count: length))\":1}" }
    func lua(_ length: Int) -> String { "{ [('k'):rep(\(length))] = 1 }" }
    let bridge = try SchemaBridge(type)
    #expect(try bridge.read(json(4096)) == nil)
    #expect(try bridge.read(json(4097))?.message == "Test.input: \(wrong)")
    #expect(try bridge.read(json(4097))?.code == "bad_input")
    #expect(try bridge.cross(lua(4096)) == nil)
    #expect(try bridge.cross(lua(4097))?.message == "Test.input: \(wrong)")
    #expect(try bridge.write(lua(4096)).get() == json(4096))
    #expect(throws: TypeMismatch.self) { try bridge.write(lua(4097)).get() }
    #expect(try SchemaBridge(.list(type)).cross("{ \(lua(1)), \(lua(4097)) }")?.message == "Test.input[2]: \(wrong)")
    #expect(try SchemaBridge(.list(type)).read("[\(json(1)),\(json(4097))]")?.message == "Test.input[2]: \(wrong)")
  }

  @Test("a key that is too long is refused by json.encode and json.decode, and as an output")
  func longKeysInScripts() async throws {
    let graph = """
      local chain = require "chain"
      local json = require "json"
      local Main = chain.chainlet "Main" { input = { x = chain.types.any }, output = chain.types.any }
      function Main:run(req)
        if req.x ~= "out" then return req.x end
        local long = ("k"):rep(5000)
        local _, first = pcall(json.encode, { [long] = 1 })
        local _, second = pcall(json.decode, '{"' .. long .. '":1}')
        assert(json.decode('"' .. long .. '"') == long)
        return { errors = { first, second }, [req.x] = { [long] = 1 } }
      end
      return Main
      """
    let long: ChainValue = .record([ChainValue.Field(String(repeating: "k", count: 5000), 1)])
    let told = "key of 5000 bytes; a key may have 4096"
    let input = await failure(of: graph, ["x": long])
    #expect(input?.code == "bad_input" && input?.message == "Main.input.x: \(told)")
    let output = await failure(of: graph, ["x": "out"])
    #expect(output?.code == "bad_output" && output?.message == "Main.output.out: \(told)")
    let errors = try await withChain(graph.replacing(", [req.x] = { [long] = 1 }", with: "")) { try await $0.run(["x": "out"]) }
    #expect(errors["errors"] == [.string("graph.lua:7: json.encode: \(told)"), .string("graph.lua:8: json.decode: \(told)")])
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
