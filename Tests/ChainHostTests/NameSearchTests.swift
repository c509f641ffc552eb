import ChainHost
import LuaBridge
import Testing

/// Lua keeps strings of up to 40 bytes once, so that they are compared by address; longer ones are compared byte by byte.
@Suite("Names among many")
struct NameSearchTests {
  private static let few = CrossingLimits(work: 8_000)
  private static let names = (0..<1_000).map { String(repeating: "n", count: 60) + String(10_000 + $0) }
  private static let record = ChainType.record(Dictionary(uniqueKeysWithValues: names.map { ($0, .integer) }))
  private static let value = "(function() local v = {} for i = 1, 1000 do v[('n'):rep(60) .. 9999 + i] = i end return v end)()"
  private static let refusal = "too large to be checked: its type has unions, patterns or names that are tried too often"

  /// What something says within a little work, before and after it was done with all that is allowed.
  private func afterAll(of bridge: SchemaBridge, _ body: () throws -> String) throws -> [String] {
    bridge.limits = Self.few
    let before = try body()
    bridge.limits = CrossingLimits()
    #expect(try body() == "")
    bridge.limits = Self.few
    return [before, try body()]
  }

  @Test("comparing them is work: a record whose fields come in another order takes much of it once, and little again")
  func fields() throws {
    let bridge = try SchemaBridge(Self.record)
    let crossed = try afterAll(of: bridge) { try bridge.cross(Self.value)?.message ?? "" }
    #expect(crossed == ["Test.input: " + Self.refusal, ""])
    #expect(try bridge.ask("it[('n'):rep(60) .. 10999]") == 1_000)

    let writer = try SchemaBridge(Self.record)
    let written = try afterAll(of: writer) {
      switch try writer.write(Self.value) {
      case .success: ""
      case .failure(let mismatch): mismatch.message
      }
    }
    #expect(written == ["Test.output: " + Self.refusal, ""])

    let reader = try SchemaBridge(Self.record)
    let text = "{" + Self.names.reversed().map { "\"\($0)\":1" }.joined(separator: ",") + "}"
    let read = try afterAll(of: reader) { try reader.read(text)?.message ?? "" }
    #expect(read == ["Test.input: " + Self.refusal, ""])
  }

  @Test("so are the values of an enumeration")
  func values() throws {
    let bridge = try SchemaBridge(.list(ChainType(.enumeration(Self.names))))
    let last = Self.names[999]
    let list = "(function() local v = {} for i = 1, 300 do v[i] = '\(last)' end return v end)()"
    let text = "[" + [String](repeating: "\"\(last)\"", count: 300).joined(separator: ",") + "]"
    for limits in [Self.few, CrossingLimits()] {
      bridge.limits = limits
      let isEnough = limits.work > Self.few.work
      #expect(try bridge.cross(list)?.message == (isEnough ? nil : "Test.input: " + Self.refusal))
      #expect(try bridge.read(text)?.message == (isEnough ? nil : "Test.input: " + Self.refusal))
      if case .failure(let mismatch) = try bridge.write(list) { #expect(!isEnough && mismatch.message == "Test.output: " + Self.refusal) }
    }
  }

  @Test("a record of long names is told what is unknown in it, the first in the order of names, whole tables of it too")
  func unknown() throws {
    let type = ChainType.list(Self.record)
    let wrong = "(function() local a = \(Self.value) a.x = 1 a.y = 1 return { \(Self.value), a } end)()"
    #expect(try SchemaBridge.refusal(type, wrong).hasPrefix("Test.input[2].x: unknown field; known are 'nnn"))
    // To Swift's strings both are the same.
    let accent = try SchemaBridge.refusal(.record(["\u{E9}": .integer]), "{ ['e\u{301}'] = 1 }")
    #expect(accent.hasPrefix("Test.input[\"e\u{301}\"]: unknown field"))
  }

  @Test("what a message shows of a name or a value is short, however long it is")
  func long() throws {
    let accents = "'e' .. ('\u{301}'):rep(100000)"
    #expect(try SchemaBridge.refusal(.record(["a": .integer]), "{ [\(accents)] = 1 }").utf8.count < 300)
    #expect(try SchemaBridge.refusal(.map(.integer), "{ [\(accents)] = 'x' }").utf8.count < 300)
    let tagged = ChainType.union(.record(["kind": .choice("a")]), .record(["kind": .choice("b")]))
    #expect(try SchemaBridge.refusal(tagged, "{ kind = ('x'):rep(100000) }")
      == "Test.input.kind: expected one of \"a\", \"b\", got string (\"\(String(repeating: "x", count: 32))…\")")
    let values = (1...1_000).map { "v\($0)" }
    let message = try SchemaBridge.refusal(ChainType(.enumeration(values)), "'x'")
    #expect(message.hasPrefix("Test.input: expected one of \"v1\", \"v2\"") && message.hasSuffix("\"v100\", …, got string (\"x\")"))
  }
}
