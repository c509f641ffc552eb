import Testing

@Suite("check, draw, types, help, version")
struct CommandTests {
  let good = graph("t.string", "return 'x'")

  @Test("check says that all is well")
  func checkGood() throws {
    let outcome = try Program(["graph.lua": good]).run("check", "graph.lua")
    #expect(outcome.output == "graph.lua: 1 chainlet, 1 entrypoint (Main), no problems\n")
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
  }

  @Test("check prints every problem with its line and what to do, and ends with 3")
  func checkBad() throws {
    let text = """
      local chain = require "chain"
      local t = chain.types
      local A = chain.chainlet "A" { inputs = { x = t.string } }
      function A:run() end
      local B = chain.chainlet "B" { output = t.strnig }
      function B:rnu() end
      return A
      """
    let outcome = try Program(["graph.lua": text]).run("check", "graph.lua")
    #expect(outcome.output.contains("graph.lua:3: A.inputs: unknown key"))
    #expect(outcome.output.contains("did you mean 'input'?"))
    #expect(outcome.output.contains("  3 | local A ="))
    #expect(outcome.output.contains("did you mean t.string?") || outcome.output.contains("did you mean 'string'?"))
    #expect(outcome.output.contains("errors"))
    #expect(outcome.status == 3)
  }

  @Test("what a script writes into a problem adds no line and moves no cursor")
  func controlCharacters() throws {
    let forged = try Program(["graph.lua": #"error('\27[2J\ngraph.lua: no problems', 0)"#]).run("check", "graph.lua")
    #expect(forged.output.hasPrefix(#"graph.lua:1: \27[2J\ngraph.lua: no problems"# + "\n"))
    #expect(forged.output.hasSuffix("\ngraph.lua: 1 error\n"))
    #expect(!forged.output.contains("\u{1B}") && forged.output.split(separator: "\n").count == 4)
    let excerpt = try Program(["graph.lua": "local name = '\u{1B}[1A\u{9B}2J' .. missing"]).run("check", "graph.lua")
    #expect(excerpt.output.contains(#"  1 | local name = '\27[1A\1552J' .. missing"#))
    #expect(!excerpt.output.contains("\u{1B}") && !excerpt.output.contains("\u{9B}"))
  }

  @Test("a warning does not fail a check, unless it is strict")
  func warnings() throws {
    let text = """
      local chain = require "chain"
      local cache = {}
      local Put = chain.chainlet "Put" {}
      function Put:run() cache.x = 1 end
      local Get = chain.chainlet "Get" { needs = { put = Put } }
      function Get:run() self.put {} return cache.x end
      return Get
      """
    let program = try Program(["graph.lua": text])
    let outcome = try program.run("check", "graph.lua")
    #expect(outcome.output.contains("warning: "))
    #expect(outcome.output.hasSuffix("1 warning\n"))
    #expect(outcome.status == 0)
    #expect(try program.run("check", "graph.lua", "--strict").status == 3)
  }

  @Test("graphs that cannot be loaded end with 3 and one clear sentence", arguments: [
    ("none.lua", "there is no file none.lua"),
    (".", ". is a folder"),
    ("binary.lua", "binary"),
    ("syntax.lua", "syntax.lua:1"),
    ("nothing.lua", "nothing.lua"),
    ("number.lua", "number.lua"),
    ("twice.lua", "two chainlets of this name"),
    ("endless.lua", "loading does not end"),
    ("large.lua", "larger than a source file may be"),
  ])
  func unloadable(_ file: String, _ expected: String) throws {
    let program = try Program([
      "syntax.lua": "local = 1", "nothing.lua": "", "number.lua": "return 7", "endless.lua": "while true do end",
      "twice.lua": """
        local chain = require "chain"
        local A = chain.chainlet "A" {}
        function A:run() end
        local B = chain.chainlet "A" {}
        function B:run() end
        return A
        """,
    ])
    try program.write([0x1B] + Array("Lua".utf8) + [0x54, 0, 0x19, 0x93], to: "binary.lua")
    if file == "large.lua" { try program.write([UInt8](repeating: 32, count: 2 << 20), to: "large.lua") }
    let outcome = try program.run(file)
    #expect(outcome.errors.contains(expected), "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("chainrun: "))
    #expect(outcome.output == "")
    #expect(outcome.status == 3)
  }

  @Test("draw writes Mermaid, DOT, and SVG where graphviz is")
  func draw() throws {
    let program = try Program(["graph.lua": good])
    #expect(try program.run("draw", "graph.lua").output.hasPrefix("flowchart LR\n"))
    #expect(try program.run("draw", "graph.lua", "--format", "dot").output.hasPrefix("digraph chain {\n"))
    #expect(try program.run("draw", "graph.lua", "-o", "graph.mmd").output == "")
    #expect(program.text("graph.mmd")?.contains("Main") == true)
    #expect(try program.run("draw", "none.lua").status == 3)
    let without = try program.run("draw", "graph.lua", "--format", "svg", "-o", "graph.svg", environment: ["PATH": "/nowhere"])
    #expect(without.errors.contains("svg needs graphviz, and there is no 'dot' on the path"))
    #expect(without.status == 1)
    #expect(program.text("graph.svg") == nil)
    if try program.shell("command -v dot").status == 0 {
      #expect(try program.run("draw", "graph.lua", "--format", "svg").output.contains("<svg"))
    }
  }

  @Test("types writes the files of editors beside the graph, and keeps the author's settings")
  func types() throws {
    let program = try Program(["app/graph.lua": good])
    let written = "app/.chainrun/chain.lua\napp/.chainrun/json.lua\napp/.chainrun/tensor.lua\napp/.chainrun/text.lua\napp/.chainrun/types.lua\n"
    #expect(try program.run("types", "app/graph.lua").output == written + "app/.emmyrc.json\n")
    #expect(program.text("app/.chainrun/types.lua")?.contains("---@class chainlet.Main") == true)
    #expect(program.text("app/.chainrun/chain.lua")?.contains("---@meta chain") == true)
    try program.write(Array("{}".utf8), to: "app/.emmyrc.json")
    #expect(try program.run("types", "app/graph.lua").output == written)
    #expect(program.text("app/.emmyrc.json") == "{}")
  }

  @Test("without words, and with --help, it teaches")
  func help() throws {
    let program = try Program()
    let outcome = try program.run()
    #expect(outcome.output.contains("chainrun graph.lua name=Ada"))
    #expect(outcome.output.contains("check"))
    #expect(outcome.status == 0)
    #expect(try program.run("--help").output == outcome.output)
    #expect(try program.run("help", "run").output.contains("--timeout"))
    #expect(try program.run("run", "--help").output.contains("--timeout"))
    #expect(try program.run("check", "--help").output.contains("--strict"))
  }

  @Test("--version names ours, the Lua and the libuv that run")
  func version() throws {
    let lines = try Program().run("--version").output.split(separator: "\n")
    #expect(lines.first == "chainrun 0.1.0")
    #expect(lines.dropFirst().first?.hasPrefix("Lua 5.4.") == true)
    #expect(lines.dropFirst(2).first?.hasPrefix("libuv 1.") == true)
  }

  @Test("completions for shells", arguments: ["bash", "zsh", "fish"])
  func completions(_ shell: String) throws {
    let outcome = try Program().run("--generate-completion-script", shell)
    #expect(outcome.output.contains("chainrun"))
    #expect(outcome.status == 0)
  }
}
