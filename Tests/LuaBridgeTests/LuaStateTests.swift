import LuaBridge
import Testing

@Suite("A Lua state")
struct LuaStateTests {
  @Test("runs a chunk and reads its result")
  func runsChunk() throws {
    let lua = try LuaState()
    let n: Int = try lua.run("return 1 + 1")
    #expect(n == 2)
    let words: [String] = try lua.run("return { 'a', 'b' }")
    #expect(words == ["a", "b"])
  }

  @Test("calls a registered Swift function, and a wrong call names position, function and cause")
  func callsSwift() throws {
    let lua = try LuaState()
    try lua.register("add") { (a: Double, b: Double) in a + b }
    let sum: Double = try lua.run("return add(1, 2)")
    #expect(sum == 3)
    #expect(throws: LuaError.self) { try lua.run("return add(1, '7')", name: "t.lua") }
    do { try lua.run("return add(1, '7')", name: "t.lua") } catch {
      #expect(error.message == "t.lua:1: bad argument #2 to 'add': number expected, got string (\"7\")")
    }
  }

  @Test("a memory limit stops a chunk and leaves the state usable")
  func memoryLimit() throws {
    let lua = try LuaState(memoryLimit: 1 << 20)
    do {
      try lua.run("local t = {} while true do t[#t + 1] = {} end")
      Issue.record("it ended")
    } catch { #expect(error.kind == .memory) }
    let n: Int = try lua.run("return 7")
    #expect(n == 7)
  }

  @Test("globals are sealed: a write and an undefined read name the nearest name")
  func sealedGlobals() throws {
    let lua = try LuaState()
    func message(_ code: String) -> String {
      do { try lua.run(code, name: "g.lua"); return "" } catch { return error.message }
    }
    #expect(message("x = 1") == "g.lua:1: cannot assign global 'x': globals are sealed; write 'local x', or keep it in self")
    #expect(message("string = 1").contains("cannot assign global 'string'"))
    #expect(message("return tabel.concat({})") == "g.lua:1: global 'tabel' is not defined; did you mean 'table'?")
    #expect(message("string.rep = 1") == "g.lua:1: cannot set 'rep' in string: it is read-only")
    #expect(message("rawset(string, 'rep', 1)").contains("read-only"))
  }
}
