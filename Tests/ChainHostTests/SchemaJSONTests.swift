import ChainBase
import ChainHost
import LuaBridge
import Testing

@Suite("JSON in and out")
struct SchemaJSONTests {
  typealias Bridge = SchemaBridge

  @Test("a record is read, checked, and written with its fields sorted by name")
  func record() throws {
    let type = ChainType.record(["name": .string, "n": .integer, "list": .list(.number), "ok": .optional(.boolean)])
    let bridge = try Bridge(type)
    for _ in 0..<3 {
      #expect(try bridge.read(#" { "name" : "Ada", "list":[1, 2.5,-3e2] , "n":7 } "#) == nil)
      #expect(try bridge.text() == #"{"list":[1,2.5,-300.0],"n":7,"name":"Ada"}"#)
      #expect(try bridge.read(#"{"ok":true,"n":7,"name":"A","list":[]}"#) == nil)
      #expect(try bridge.text() == #"{"list":[],"n":7,"name":"A","ok":true}"#)
    }
  }

  @Test("a buffer of texts gives the memory of a huge one back")
  func buffer() {
    var buffer = ByteBuffer()
    for _ in 0..<20 { Array(repeating: UInt8(ascii: "x"), count: 1 << 20).withUnsafeBytes { buffer.append($0) } }
    #expect(buffer.capacity >= 20 << 20)
    buffer.removeAll()
    #expect(buffer.capacity <= ByteBuffer.mostKept)
    buffer.append("still a text")
    #expect(buffer.string == "still a text")
  }

  @Test("type errors are told by path, counting from 1")
  func messages() throws {
    let type = ChainType.record(["names": .list(.string), "o": .optional(.map(.integer))])
    #expect(try Bridge.refusal(type, json: #"{"names":["a","b",7]}"#) == "Test.input.names[3]: expected string, got integer (7)")
    #expect(try Bridge.refusal(type, json: #"{"names":{}}"#) == "Test.input.names: expected list, got object")
    #expect(try Bridge.refusal(type, json: #"{"names":null}"#) == "Test.input.names: expected list, got null")
    #expect(try Bridge.refusal(type, json: #"{"naems":[]}"#) == "Test.input.naems: unknown field; did you mean 'names'?")
    #expect(try Bridge.refusal(type, json: #"{}"#) == "Test.input.names: missing field, expected list")
    #expect(try Bridge.refusal(type, json: #"{"names":[],"o":{"a":1,"b\n":"x"}}"#) == "Test.input.o[\"b\\n\"]: expected integer, got string (\"x\")")
    #expect(try Bridge.refusal(type, json: #"[]"#) == "Test.input: expected record, got list")
    #expect(try Bridge.refusal(type, json: #"{"names":[],"names":[]}"#) == "Test.input.names: the field is given twice")
    #expect(try Bridge.refusal(type, json: #"{"o":null,"o":null,"names":[]}"#) == "Test.input.o: the field is given twice")
    #expect(try Bridge.refusal(.integer, json: "1.5") == "Test.input: expected integer, got number (1.5)")
    #expect(try Bridge.refusal(.boolean, json: "\"true\"") == "Test.input: expected boolean, got string (\"true\")")
    #expect(try Bridge.refusal(.choice("b", "a"), json: "\"c\"") == "Test.input: expected one of \"b\", \"a\", got string (\"c\")")
  }

  @Test("text that is no JSON is told by line and column")
  func syntax() throws {
    #expect(try Bridge.refusal(.any, json: "{\"a\": 1,\n  \"é\": tru }") == "Test.input: not valid JSON at line 2, column 8: expected a value, got 't'")
    #expect(try Bridge.refusal(.list(.integer), json: "[1, 2") == "Test.input: not valid JSON at line 1, column 6: expected ',' or ']', got the end of the text")
    #expect(try Bridge.refusal(.integer, json: "") == "Test.input: not valid JSON at line 1, column 1: expected a value, got the end of the text")
    #expect(try Bridge.refusal(.integer, json: "1 2") == "Test.input: not valid JSON at line 1, column 3: expected the end after the value, got '2'")
    #expect(try Bridge.refusal(.string, json: "\"abc") == "Test.input: not valid JSON at line 1, column 1: the string has no end")
    #expect(try Bridge.refusal(.integer, json: "012") == "Test.input: not valid JSON at line 1, column 1: a number has no leading zeros")
    #expect(try Bridge.refusal(.record(["a": .union(.integer, .string)]), json: "{\"a\": [1,}").contains("not valid JSON"))
  }

  @Test("numbers: 64-bit integers, any other a float; too small is zero, too large is refused", arguments: [
    ("0", "0"), ("-0", "0"), ("-0.0", "-0.0"), ("9223372036854775807", "9223372036854775807"),
    ("-9223372036854775808", "-9223372036854775808"), ("9223372036854775808", "9.223372036854776e+18"),
    ("1.0", "1.0"), ("1e2", "100.0"), ("1E+2", "100.0"), ("1e-400", "0.0"), ("-1e-400", "-0.0"),
    ("0.1", "0.1"), ("123456789012345678", "123456789012345678"), ("0.30000000000000004", "0.30000000000000004"),
    ("1.7976931348623157e308", "1.7976931348623157e+308"), ("5e-324", "5e-324"), ("2.2250738585072014e-308", "2.2250738585072014e-308"),
    ("100000000000000000000", "1e+20"), ("12345678901234567890123", "1.2345678901234568e+22"),
    ("0.000001", "0.000001"), ("1e-7", "1e-07"), ("123456.789e3", "123456789.0"), ("9007199254740993.0", "9007199254740992.0"), ("9007199254740993.00000000000000000001", "9.007199254740994e+15"),
  ])
  func numbers(_ text: String, _ written: String) throws {
    #expect(try Bridge.echo(.number, text) == written)
    #expect(try Bridge.echo(.any, text) == written)
  }

  @Test("t.integer takes integral floats and nothing else")
  func integers() throws {
    #expect(try Bridge.echo(.integer, "1.0") == "1")
    #expect(try Bridge.echo(.integer, "1e3") == "1000")
    #expect(try Bridge.echo(.integer, "-9223372036854775808.0") == "-9223372036854775808")
    #expect(try Bridge.refusal(.integer, json: "9223372036854775808") == "Test.input: expected integer, got number (9.223372036854776e+18)")
    #expect(try Bridge.refusal(.number, json: "1e400") == "Test.input: expected a number that fits 64 bits, got 1e400")
    #expect(try Bridge.refusal(.any, json: "-1e999999999999") != "")
  }

  @Test("every double reads back as it was written, and is read as Swift reads it")
  func doubles() throws {
    var random = SchemaRandom(seed: 7)
    let bridge = try Bridge(.number)
    for _ in 0..<20_000 {
      let value = random.double()
      var buffer = ByteBuffer()
      ChainValue.number(value).appendJSON(to: &buffer)
      #expect(try ChainValue(json: buffer.array) == .number(value))
    }
    for _ in 0..<20_000 {
      let text = random.decimal()
      guard let expected = Double(text), expected.isFinite else { continue }
      guard case .number(let read) = try ChainValue(json: Array(text.utf8)) else { continue }
      #expect(read == expected, "\(text)")
    }
    #expect(try bridge.read("1") == nil)
  }

  @Test("NaN and infinities only with finite = false, as strings")
  func notFinite() throws {
    let type = ChainType.number.with { $0.finite = false }
    for word in ["\"NaN\"", "\"Infinity\"", "\"-Infinity\""] {
      #expect(try Bridge.echo(type, word) == word)
      #expect(try Bridge.refusal(.number, json: word) != "")
    }
    #expect(try Bridge.refusal(type, json: "\"nan\"") == "Test.input: expected number, got string (\"nan\")")
    #expect(try Bridge.refusal(type, json: "NaN").contains("not valid JSON"))
    #expect(try Bridge(.number).write("0/0").failure?.code == "bad_input")
    #expect(try Bridge(type).write("-1/0").success == "\"-Infinity\"")
  }

  @Test("strings: escapes, surrogate pairs, UTF-8")
  func strings() throws {
    #expect(try Bridge.echo(.string, #""\"\\\/\b\f\n\r\t\u0041\u00e9\uD83D\uDE00\u0000""#) == #""\"\\/\b\f\n\r\tAé😀\u0000""#)
    #expect(try Bridge.echo(.string, "\"é€😀\u{7F}\"") == "\"é€😀\u{7F}\"")
    #expect(try Bridge.refusal(.string, json: #""\ud800""#).contains("half of a surrogate pair"))
    #expect(try Bridge.refusal(.string, json: #""\udc00\ud800""#).contains("half of a surrogate pair"))
    #expect(try Bridge.refusal(.string, json: #""\ud83dx""#).contains("half of a surrogate pair"))
    #expect(try Bridge.refusal(.string, json: #""\x41""#).contains("unknown escape"))
    #expect(try Bridge.refusal(.string, json: #""\u12g4""#).contains("hexadecimal"))
    #expect(try Bridge.refusal(.string, json: "\"a\nb\"").contains("control characters in a string must be escaped"))
    for bad: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] {
      #expect(try Bridge(.string).read([0x22] + bad + [0x22])?.message.contains("the string is not UTF-8") == true)
      #expect(try Bridge(.string).read([0x22, 0x5C, 0x6E] + bad + [0x22])?.message.contains("the string is not UTF-8") == true)
    }
    for length in 0..<70 {
      let text = String(repeating: "a", count: length)
      for middle in ["", "é", "\\n", "\\\"", "😀"] {
        let json = "\"\(text)\(middle)\(text)\""
        #expect(try Bridge.echo(.string, json) == json)
      }
    }
    #expect(try Bridge(.string).write("'\\xff'").failure?.message == "Test.output: expected text in UTF-8, got a string of other bytes")
    #expect(try Bridge.refusal(ChainType.string.bounded(nil, 2), json: "\"äöü\"") == "Test.input: expected at most 2 characters, got 3")
  }

  @Test("one byte order mark before the text is skipped")
  func byteOrderMark() throws {
    #expect(try Bridge.echo(.integer, "\u{FEFF} 7") == "7")
    #expect(try Bridge.refusal(.integer, json: "\u{FEFF}\u{FEFF}7") != "")
    #expect(try Bridge.refusal(.integer, json: "7\u{FEFF}") != "")
  }

  @Test("absence: null, defaults, any, nothing at all")
  func absence() throws {
    let type = ChainType.record([
      "a": .optional(.string), "b": ChainType.integer.with { $0.defaultValue = 10 }, "c": .any, "d": .optional(.list(.any)),
    ])
    #expect(try Bridge.echo(type, #"{"a":null,"b":null,"c":null,"d":[null,{"x":null}]}"#) == #"{"b":10,"d":[null,{}]}"#)
    #expect(try Bridge.echo(type, "{}") == #"{"b":10}"#)
    #expect(try Bridge.echo(.map(.integer), #"{"a":1,"b":null,"c":2,"c":3}"#) == #"{"a":1,"c":3}"#)
    #expect(try Bridge.refusal(.list(.integer), json: "[null]") == "Test.input[1]: expected integer, got null")
    #expect(try Bridge.echo(.empty, "") == "{}")
    #expect(try Bridge.echo(.empty, " \n") == "{}")
    #expect(try Bridge.echo(.empty, "null") == "{}")
    #expect(try Bridge.echo(.empty, "{}") == "{}")
    #expect(try Bridge.echo(.any, "null") == "null")
    #expect(try Bridge.echo(.optional(.integer), "null") == "null")
    #expect(try Bridge.echo(.any, #"{"a":1,"a":{"b":[]},"c":[],"d":{}}"#) == #"{"a":{"b":[]},"c":[],"d":{}}"#)
    #expect(try Bridge.echo(.any, #"{"a":1,"a":null}"#) == "{}")
    #expect(try Bridge(type).write("{ b = 1, a = json.null }").success == #"{"b":1}"#)
    #expect(try Bridge(type).write("{}").success == #"{"b":10}"#)
    #expect(try Bridge(.any).write("{ x = json.null }").success == #"{"x":null}"#)
  }

  @Test("bytes are canonical base64 and nothing else")
  func base64() throws {
    for (text, data) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("+/8=", "\\xfb\\xff")] {
      let bridge = try Bridge(.bytes)
      #expect(try bridge.read("\"\(text)\"") == nil)
      #expect(try bridge.ask("it == '\(data)'") == true)
      #expect(try bridge.text() == "\"\(text)\"")
      #expect(try Bridge.echo(.blob, "\"\(text)\"") == "\"\(text)\"")
    }
    #expect(try Bridge.echo(.bytes, #""+\/8=""#) == "\"+/8=\"")
    for bad in ["Zg", "Zg=", "Zh==", "Zm9=", "Zm 9v", "Zm9v\\n", "====", "Z===", "Zg==Zg==", "-_8=", "Zm9vZ", "=", "ab=c"] {
      #expect(try Bridge.refusal(.bytes, json: "\"\(bad)\"").contains("expected bytes as base64"), "\(bad)")
    }
    #expect(try Bridge.refusal(ChainType.bytes.bounded(nil, 1), json: "\"Zm8=\"") == "Test.input: expected at most 1 byte, got 2")
  }

  @Test("unions: the first that fits, messages about the tagged or only possible member")
  func union() throws {
    let shapes = ChainType.union(
      .record(["kind": .choice("circle"), "r": .number]), .record(["kind": .choice("box"), "w": .number]), .string)
    #expect(try Bridge.echo(shapes, #"{"w":1,"kind":"box"}"#) == #"{"kind":"box","w":1}"#)
    #expect(try Bridge.echo(shapes, #""x""#) == #""x""#)
    #expect(try Bridge.refusal(shapes, json: #"{"xyzzy":{"kind":"circle"},"kind":"box"}"#) == "Test.input.xyzzy: unknown field; known are 'kind', 'w'")
    #expect(try Bridge.refusal(shapes, json: #"{"kind":"box","w":"x"}"#) == "Test.input.w: expected number, got string (\"x\")")
    #expect(try Bridge.refusal(shapes, json: #"{"kind":"bax"}"#) == "Test.input.kind: expected one of \"circle\", \"box\", got string (\"bax\")")
    #expect(try Bridge.refusal(shapes, json: "{}") == "Test.input.kind: missing field, expected one of \"circle\", \"box\"")
    #expect(try Bridge.refusal(shapes, json: "7") == "Test.input: expected record or string, got integer (7)")
    #expect(try Bridge.refusal(.list(shapes), json: #"["a",{"kind":"box","w":true}]"#) == "Test.input[2].w: expected number, got boolean (true)")
    #expect(try Bridge.echo(.union(.list(.integer), .list(.string)), #"["a"]"#) == #"["a"]"#)
    #expect(try Bridge.echo(.union(.integer, .number), "1.5") == "1.5")
  }

  @Test("depth, values and bytes are limited")
  func limits() throws {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(try Bridge.echo(.any, nested(64)) == nested(64))
    #expect(try Bridge.refusal(.any, json: nested(65)).contains("nested deeper than 64 tables"))
    #expect(try Bridge.refusal(.any, json: String(repeating: "{\"a\":", count: 100_000)).contains("nested deeper than 64"))
    let bridge = try Bridge(.list(.integer))
    bridge.limits = CrossingLimits(nodes: 10)
    #expect(try bridge.read("[1,2,3,4,5,6,7,8,9]") == nil)
    #expect(try bridge.read("[1,2,3,4,5,6,7,8,9,10]")?.code == "too_large")
    #expect(try bridge.write("{1,2,3,4,5,6,7,8,9,10}").failure?.code == "too_large")
    let text = try Bridge(.map(.string))
    text.limits = CrossingLimits(bytes: 10)
    #expect(try text.read(#"{"abc":"defghij"}"#) == nil)
    #expect(try text.read(#"{"abc":"defghijk"}"#)?.message == "Test.input: too large: more than 10 bytes of text in all")
  }

  @Test("the text module of Lua: encode, decode, null, array")
  func module() throws {
    let bridge = try Bridge(.any)
    #expect(try bridge.second.run("return json.encode({ b = { 1, 2.5, json.null }, a = 'x\\n', c = json.array(), d = {} })") == #"{"a":"x\n","b":[1,2.5,null],"c":[],"d":{}}"#)
    #expect(try bridge.second.run("local t = json.decode('[1, {\"a\": null}, [], null]') return #t == 4 and t[4] == json.null and json.encode(t) == '[1,{},[],null]'") == true)
    func error(_ code: String) -> String {
      do { let _: LuaNothing = try bridge.second.run(code, name: "t.lua"); return "" } catch { return error.message }
    }
    #expect(error("json.decode('[1,')") == "t.lua:1: json.decode: not valid JSON at line 1, column 4: expected a value, got the end of the text")
    #expect(error("json.encode({ a = { pcall } })") == "t.lua:1: json.encode.a[1]: expected plain data, got function")
    #expect(error("json.decode(7)") == "t.lua:1: bad argument #1 to 'decode': string expected, got integer (7)")
    #expect(error("json.array(setmetatable({}, {}))").contains("a metatable of its own"))
    #expect(try bridge.second.run("return json.encode(json.array({ 1 })) .. json.encode(json.array(json.array()))") == "[1][]")
    #expect(try bridge.second.run("return json.encode(nil) .. json.encode('a') .. tostring(json.decode('null'))") == "null\"a\"nil")
  }
}

extension Result {
  var success: Success? { try? get() }
  var failure: Failure? {
    if case .failure(let error) = self { return error }
    return nil
  }
}
