import ChainBase
import ChainHost
import LuaBridge
import Testing

let helloText = """
  local chain = require "chain"
  local t = chain.types

  local SayHello = chain.chainlet "SayHello" {
    input  = { name = t.string { min = 1 } },
    output = t.string,
  }

  function SayHello:run(req)
    return self:greeting() .. req.name
  end

  function SayHello:greeting() return "Hello, " end

  local HelloAll = chain.chainlet "HelloAll" {
    input  = { names = t.list(t.string) },
    output = t.string,
    needs  = { say_hello = SayHello:with { timeout = 30 } },
  }

  function HelloAll:run(req)
    return SayHello.greeting()
  end

  local Loud = SayHello:extend "Loud" { limits = { memory = "1MB" } }
  function Loud:greeting() return Loud.super.greeting(self):upper() end

  return { all = HelloAll, loud = Loud }
  """

@Suite("A chainlet in its own state")
struct GraphLiveTests {
  private func call(_ live: LiveChainlet, _ state: LuaState, name: String) throws -> String {
    try state.hostSection { stack in
      _ = stack.push(kept: live.run)
      stack.pushTable()
      stack.pushTable()
      _ = stack.push(kept: live.classReference)
      stack.rawSet(-2, field: "__index")
      stack.setMetatable(of: -2)
      stack.pushTable()
      stack.push(text: name)
      stack.rawSet(-2, field: "name")
    }
    try state.call(arguments: 2, results: 1)
    return try state.hostSection { stack in
      defer { stack.pop() }
      return stack.text(at: -1) ?? stack.describe(at: -1)
    }
  }

  @Test("is planned, evaluated, and its methods can be called; what it extends lives with it")
  func liveEvaluation() throws {
    let graph = try GraphLoader.load(GraphSource(texts: ["graph.lua": helloText]))
    #expect(graph.chainlets.map(\.name) == ["SayHello", "HelloAll", "Loud"])
    #expect(graph.entrypoints.map(\.name) == ["all", "loud"])
    let need = try #require(graph.chainlets[1].needs.first)
    #expect(need.path == ["say_hello"] && need.target == "SayHello" && need.timeout == 30 && need.retries == 0)
    #expect(graph.chainlets[2].limits.memory == 1 << 20)
    #expect(graph.chainlets[2].input == graph.chainlets[0].input)
    #expect(graph.live.map { graph.chainlets[$0].name } == ["SayHello", "HelloAll", "Loud"])

    let state = try LuaState()
    let loud = try LiveChainlet.evaluate(graph.chainlets[2], in: graph, state: state, native: nil)
    #expect(try call(loud, state, name: "Ada") == "HELLO, Ada")
    let other = try LuaState()
    let all = try LiveChainlet.evaluate(graph.chainlets[1], in: graph, state: other, native: nil)
    do { print(try call(all, other, name: "x")) } catch { #expect("\(error)".contains("SayHello.greeting cannot be called directly: each chainlet has a state of its own; declare needs = { say_hello = SayHello }")) }
  }

  @Test("a file that never ends loading is stopped")
  func endless() throws {
    var source = GraphSource(texts: ["graph.lua": "while true do end"])
    source.timeLimit = 0.2
    let problems = GraphLoader.check(source).problems
    #expect(problems.first?.message.contains("does not end") == true)
  }
}
