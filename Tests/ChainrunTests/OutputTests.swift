import Testing

/// A graph of one chainlet: its output type, the body of its `run`, and more of its spec.
func graph(_ output: String, _ body: String, spec: String = "", above: String = "") -> String {
  """
  local chain = require "chain"
  local t = chain.types
  \(above)
  local Main = chain.chainlet "Main" { \(spec) \(output.isEmpty ? "" : "output = \(output)") }
  function Main:run(req, emit)
  \(body)
  end
  return Main
  """
}

@Suite("Output of a run")
struct OutputTests {
  @Test("the output is JSON and a newline", arguments: [
    ("t.string", #"return "a\n\"b\" ü""#, #""a\n\"b\" ü""#),
    ("t.integer", "return 7", "7"),
    ("t.number", "return 0.1", "0.1"),
    ("{ a = t.list(t.integer) }", "return { a = { 1, 2 } }", #"{"a":[1,2]}"#),
    ("t.optional(t.string)", "return nil", "null"),
    ("", "", "null"),
  ])
  func json(_ type: String, _ body: String, _ expected: String) throws {
    let outcome = try Program(["graph.lua": graph(type, body)]).run("graph.lua")
    #expect(outcome.output == expected + "\n")
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
  }

  @Test("bytes go raw to standard output, or to a file")
  func bytes() throws {
    let program = try Program(["graph.lua": graph("t.bytes", #"return "\0\255a""#), "out": "what was there before"])
    #expect(try program.shell("$chainrun graph.lua | od -An -tx1").output == " 00 ff 61\n")
    #expect(try program.run("graph.lua", "-o", "out").output == "")
    #expect(program.read("out") == [0, 255, 97])
  }

  @Test("-o takes any output; a run that fails leaves the file as it was")
  func outputFile() throws {
    let program = try Program(["graph.lua": graph("t.integer", "return 7"), "bad.lua": graph("", "error 'no'"), "old": "old"])
    #expect(try program.run("graph.lua", "--output", "new").status == 0)
    #expect(program.text("new") == "7\n")
    #expect(try program.run("bad.lua", "-o", "old").status == 1)
    #expect(program.text("old") == "old")
    #expect(try program.run("bad.lua", "-o", "never").status == 1)
    #expect(program.text("never") == nil)
  }

  @Test("a stream prints an item a line, then its result")
  func stream() throws {
    let items = "emit { n = 1 } emit { n = 2 }"
    #expect(try Program(["graph.lua": graph("t.stream { n = t.integer }", items)]).run("graph.lua").output == "{\"n\":1}\n{\"n\":2}\n")
    let outcome = try Program(["graph.lua": graph("t.stream({ n = t.integer }, t.string)", items + " return 'end'")]).run("graph.lua")
    #expect(outcome.output == "{\"n\":1}\n{\"n\":2}\n\"end\"\n")
  }

  @Test("items of a stream come as they are made, and stay when it fails")
  func brokenStream() throws {
    let outcome = try Program(["graph.lua": graph("t.stream(t.integer)", "emit(1) emit(2) error 'broken'")]).run("graph.lua")
    #expect(outcome.output == "1\n2\n")
    #expect(outcome.errors.contains("broken"))
    #expect(outcome.status == 1)
  }

  @Test("print and chain.log go to standard error, by their level")
  func logs() throws {
    let body = "print('one', 2) chain.log.debug('low') chain.log.warn('high')"
    let program = try Program(["graph.lua": graph("", body)])
    let outcome = try program.run("graph.lua")
    #expect(outcome.output == "null\n")
    #expect(outcome.errors == "info Main: one\t2\nwarning Main: high\n")
    #expect(try program.run("graph.lua", "--log-level", "warning").errors == "warning Main: high\n")
    #expect(try program.run("graph.lua", "--log-level", "debug").errors.contains("debug Main: low\n"))
    #expect(try program.run("graph.lua", "--log-level", "none").errors == "")
  }

  @Test("what a script logs is one line, whatever is in it")
  func controlCharactersOfLogs() throws {
    let outcome = try Program(["graph.lua": graph("", #"print('a\tb\nerror Main: forged\27[1A\r')"#)]).run("graph.lua")
    #expect(outcome.errors == #"info Main: a\#tb\nerror Main: forged\27[1A\13"# + "\n")
  }

  @Test("a failure is its message and the chain of calls, and ends with 1")
  func failure() throws {
    let above = """
      local Inner = chain.chainlet "Inner" { output = t.string }
      function Inner:run() error("no luck") end
      """
    let outcome = try Program(["graph.lua": graph("t.string", "return self.inner {}", spec: "needs = { inner = Inner },", above: above)])
      .run("graph.lua")
    #expect(outcome.errors.hasPrefix("chainrun: "))
    #expect(outcome.errors.contains("no luck"))
    #expect(outcome.errors.contains("in Inner"))
    #expect(outcome.errors.contains("in Main"))
    #expect(outcome.output == "")
    #expect(outcome.status == 1)
  }

  @Test("--timeout ends a request")
  func timeout() throws {
    let outcome = try Program(["graph.lua": graph("", "chain.sleep(1000)")]).run("graph.lua", "--timeout", "0.05")
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("chainrun: "))
  }

  @Test("several lanes run the same graph")
  func lanes() throws {
    #expect(try Program(["graph.lua": graph("t.integer", "return 7")]).run("graph.lua", "--lanes", "3").output == "7\n")
  }

  @Test("named entrypoints are chosen")
  func entries() throws {
    let text = """
      local chain = require "chain"
      local A = chain.chainlet "A" { output = chain.types.string }
      function A:run() return "a" end
      local B = A:extend "B" {}
      function B:run() return "b" end
      return { first = A, second = B }
      """
    let program = try Program(["graph.lua": text])
    #expect(try program.run("graph.lua", "--entry", "second").output == "\"b\"\n")
    let outcome = try program.run("graph.lua")
    #expect(outcome.errors == "chainrun: the graph has several entrypoints; choose one with --entry: first, second\n")
    #expect(outcome.status == 2)
  }
}
