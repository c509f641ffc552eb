import ChainBase
import ChainHost
import LuaBridge
import Testing

@Suite("Other uses of a type")
struct SchemaFormsTests {
  @Test("JSON Schema says what the checks check")
  func jsonSchema() {
    let type = ChainType.record([
      "name": ChainType.string.bounded(1, 20).with { $0.doc = "who" }, "n": ChainType.integer.with { $0.defaultValue = 3; $0.min = 0 },
      "tags": .optional(.list(.choice("a", "b"))), "data": ChainType.bytes.with { $0.media = "image/png" }, "x": .any,
    ])
    #expect(
      JSONSchema.text(of: type)
        == #"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"#
        + #""data":{"type":"string","contentEncoding":"base64","contentMediaType":"image/png"},"#
        + #""n":{"type":"integer","minimum":0,"default":3},"name":{"type":"string","minLength":1,"maxLength":20,"description":"who"},"#
        + #""tags":{"type":"array","items":{"type":"string","enum":["a","b"]}},"x":{}},"required":["data","name"],"#
        + #""additionalProperties":false}"#)
    #expect(JSONSchema.text(of: .union(.map(.number), .optional(.boolean))).hasSuffix(
      #""anyOf":[{"type":"object","additionalProperties":{"type":"number"}},{"anyOf":[{"type":"boolean"},{"type":"null"}]}]}"#))
  }

  @Test("a Swift value is checked against a type without a state at hand")
  func swiftValues() {
    #expect(ValueCoder.mismatch(of: ["a": [1, 2]], .record(["a": .list(.integer)]), root: "config") == nil)
    #expect(ValueCoder.mismatch(of: ["a": [1, "x"]], .record(["a": .list(.integer)]), root: "config")?.message
      == "config.a[2]: expected integer, got string (\"x\")")
    #expect(ValueCoder.mismatch(of: .bytes([1]), .blob, root: "x") == nil)
    #expect(ValueCoder.mismatch(of: .null, .optional(.string), root: "x") == nil)
    #expect(ValueCoder.mismatch(of: .null, .string, root: "x") != nil)
    var deep: ChainValue = 1
    for _ in 0..<65 { deep = [deep] }
    #expect(ValueCoder.mismatch(of: deep, .any, root: "x")?.message == "x: nested deeper than 64 tables (does a table contain itself?)")
  }

  @Test("a stream field is the caller's to move")
  func streams() throws {
    let type = ChainType.record(["lang": .string, "audio": ChainType(.stream(.bytes, result: nil))])
    let bridge = try SchemaBridge(type)
    #expect(bridge.program.streamField?.name == "audio")
    #expect(bridge.program.streamField?.items.type == .bytes)
    #expect(try bridge.cross("{ lang = 'en' }")?.message == "Test.input.audio: missing field, expected stream")
    #expect(try bridge.read(#"{"lang":"en","audio":[]}"#)?.message == "Test.input.audio: expected stream, got list")
    try bridge.second.hostSection { stack in
      let text = Array(#"{"lang":"en"}"#.utf8)
      text.withUnsafeBytes { text in
        #expect(throws: Never.self) {
          try JSONReader.read(text, program: bridge.program, onto: stack, binding: bridge.target, limits: bridge.limits, root: "T") {
            $0.push(boolean: true)
            return true
          }
        }
      }
      stack.rawGet(-1, field: "audio")
      #expect(stack.type(at: -1) == .boolean)
      stack.pop(2)
    }
  }

  @Test("floats are written with as few digits as read back the same")
  func shortest() throws {
    var random = SchemaRandom(seed: 11)
    for _ in 0..<50_000 {
      let value = random.double()
      let text = String(decoding: ChainValue.number(value).json, as: UTF8.self)
      #expect(Double(text) == value)
      func digits(_ text: String) -> Int {
        var kept = text.prefix { $0 != "e" }.filter(\.isNumber).drop { $0 == "0" }
        while kept.last == "0" { kept.removeLast() }
        return kept.count
      }
      #expect(digits(text) <= digits(value.description), "\(text) for \(value)")
    }
  }
}
