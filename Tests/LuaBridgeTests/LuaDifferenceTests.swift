import CStockLua
import Foundation
import LuaBridge
import Testing

/// Library functions in the sandbox against stock Lua's, by Tests/LuaDifference/cases.lua. CHAINRUN_CASES sets how many
/// (scripts/lua-difference: a million).
@Suite("The sandbox's libraries against stock Lua's")
struct LuaDifferenceTests {
  @Test("no case differs")
  func same() throws {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOf: tests.appending(path: "LuaDifference/cases.lua"), encoding: .utf8)
    let environment = ProcessInfo.processInfo.environment
    let count = environment["CHAINRUN_CASES"].flatMap { Int($0) } ?? 5_000
    let first = environment["CHAINRUN_FIRST_CASE"].flatMap { Int($0) } ?? 1
    let stock = try #require(text.withCString { stock_open($0, text.utf8.count) })
    defer { stock_close(stock) }
    let lua = try LuaState()
    let ours: LuaFunction = try lua.run(text, name: "cases.lua")
    let bound = Array(": a string may have 16 MB".utf8) // ours says it, behind Lua's message
    var differences = 0
    for number in first..<(first + count) {
      var length = 0
      let bytes = try #require(stock_case(stock, Int64(number), &length))
      let expected = [UInt8](UnsafeRawBufferPointer(start: bytes, count: length))
      let actual: LuaBytes = try ours.call(number)
      guard actual.bytes.replacing(bound, with: []) != expected else { continue }
      differences += 1
      guard differences <= 20 else { break }
      Issue.record("case \(number): stock \(String(decoding: expected, as: UTF8.self)); ours \(String(decoding: actual.bytes, as: UTF8.self))")
    }
  }
}

private struct LuaBytes: LuaReadable {
  let bytes: [UInt8]
  static var expected: String { "string" }
  static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> LuaBytes {
    LuaBytes(bytes: [UInt8](stack.bytes(at: index)))
  }
}
