import LuaBridge
import Testing

/// Every entry of the bridge, against memory limits that shrink byte by byte: whatever the push at which memory runs
/// out, the state ends the script with a memory error, stays usable, and nothing leaks (the sanitizer looks).
@Suite("Memory limits at any push")
struct MemoryLimitTests {
  @Test("a large state is closed by whom it is given to, and by whoever drops that work; a small one at once", arguments: [1_000, 3_000_000])
  func closing(bytes: Int) throws {
    final class Works { var list: [@Sendable () -> Void] = [] }
    final class Witness {}
    let works = Works()
    weak var witness: Witness?
    do {
      let state = try LuaState()
      let owned = Witness()
      witness = owned
      state.own(owned)
      state.closer = { works.list.append($0) }
      let count: Int = try state.run("return #string.rep('x', \(bytes))")
      #expect(count == bytes)
    }
    #expect(works.list.count == (bytes > LuaState.largeState ? 1 : 0))
    #expect((witness != nil) == (bytes > LuaState.largeState))
    works.list = []
    #expect(witness == nil)
  }

  @Test("a host section within another refuses nothing, nor takes memory to say so: the outer one judges")
  func nested() throws {
    let lua = try LuaState(memoryLimit: 1 << 20)
    var isThrough = false
    #expect(throws: LuaError.self) {
      try lua.hostSection { stack throws(LuaError) in
        for position in 1...1_000 { try lua.hostSection { $0.push(text: String(repeating: "x", count: 2_000 + position)) } }
        isThrough = true
        #expect(lua.memoryUsed < 4 << 20)
        stack.setTop(max(0, stack.top - 500))
      }
    }
    #expect(isThrough)
    #expect(try lua.run("return 1") == 1)
  }

  static let scripts: [String] = [
    "local t = {} for i = 1, 40 do t[i] = { i, tostring(i) } end return #t",
    "return greet('Ada')",
    "local t = words(30) return #t",
    "local t = table_of(20) local n = 0 for _ in pairs(t) do n = n + 1 end return n",
    "local ok, e = pcall(fails, 1) return type(e)",
    "local ok, e = pcall(add, 1, 'x') return e",
    "local s = '' for i = 1, 30 do s = s .. greet(s:sub(1, 10)) end return #s",
    "local c = coroutine.wrap(function() for i = 1, 10 do coroutine.yield(greet(tostring(i))) end end) for i = 1, 10 do c() end return 1",
    "return call_back(function(x) return { x, greet(tostring(x)) } end)",
    "local ok = pcall(function() local t = {} while true do t[#t + 1] = greet('x') end end) return tostring(ok)",
    "return (string.rep('abc', 200):gsub('b', greet))",
    "return tostring(setmetatable({}, { __tostring = function() return greet('meta') end }))",
    "local x <close> = setmetatable({}, { __close = function() greet('closed') end }) return greet('open')",
    "return select('#', table.unpack(words(50)))",
  ]

  private func prepare(_ limit: Int) throws(LuaError) -> LuaState {
    let lua = try LuaState(memoryLimit: limit, seed: 1)
    try lua.register("greet") { (name: String) in "Hello, \(name)" }
    try lua.register("add") { (a: Double, b: Double) in a + b }
    try lua.register("words") { (n: Int) in (0..<n).map { "word \($0)" } }
    try lua.register("table_of") { (n: Int) in Dictionary(uniqueKeysWithValues: (0..<n).map { ("key \($0)", $0) }) }
    try lua.register("fails") { (n: Int) throws -> Int in throw LuaError(.runtime, String(repeating: "no ", count: n * 20)) }
    try lua.register("call_back") { (f: LuaFunction) throws -> [String] in try (f.call(7) as [String]) }
    return lua
  }

  @Test("end in a memory error and leave the state usable", arguments: scripts)
  func shrinking(script: String) throws {
    let whole = try prepare(8 << 20)
    let base = whole.memoryUsed
    let _: LuaAnything? = try? whole.run(script)
    let peak = max(base, min(whole.memoryPeak, base + 60_000))
    // Byte by byte at the top and at the bottom, and in odd steps between.
    let limits = Set((0..<300).map { peak - $0 } + (0..<300).map { base - $0 } + stride(from: max(0, base - 12_000), to: peak, by: 37))
    var refused = 0
    for limit in limits.sorted(by: >) {
      do {
        let lua = try prepare(limit)
        do {
          let _: LuaAnything = try lua.run(script, name: "stress")
        } catch { if error.kind == .memory { refused += 1 } }
        lua.memoryLimit = 8 << 20
        let seven: Int = try lua.run("return 3 + 4")
        #expect(seven == 7)
      } catch {
        #expect(error.kind == .memory)
        refused += 1
      }
    }
    #expect(refused > 0)
  }
}

extension MemoryLimitTests {
  @Test("a limit below nothing is a limit of nothing") func negative() {
    #expect(throws: LuaError.self) { _ = try LuaState(memoryLimit: -1) }
  }
}

/// Any value: read for its being there.
private struct LuaAnything: LuaReadable {
  static var expected: String { "anything" }
  static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> LuaAnything {
    _ = stack.describe(at: index)
    return LuaAnything()
  }
}
