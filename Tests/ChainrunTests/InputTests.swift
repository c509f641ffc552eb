import Testing

/// Prints its input back, with a field of every type.
let echo = """
  local chain = require "chain"
  local t = chain.types
  local Echo = chain.chainlet "Echo" {
    input = {
      text = t.optional(t.string), words = t.optional(t.list(t.string)), n = t.optional(t.integer),
      x = t.optional(t.number), flag = t.optional(t.boolean), mood = t.optional(t.enum { "good", "bad" }),
      either = t.optional(t.union(t.integer, t.string)), any = t.any, data = t.optional(t.bytes),
      map = t.optional(t.map(t.integer)), numbers = t.optional(t.list(t.integer)),
    },
    output = t.any,
  }
  function Echo:run(req)
    if req.data then req.data = #req.data end
    return req
  end
  return Echo
  """

@Suite("Input from the command line")
struct InputTests {
  @Test("a field is taken as its type wants it", arguments: [
    (["text=Ada"], #"{"text":"Ada"}"#),
    (["text=7"], #"{"text":"7"}"#),
    (["text="], #"{"text":""}"#),
    (["text=a=b"], #"{"text":"a=b"}"#),
    (["text=\"quoted\""], #"{"text":"\"quoted\""}"#),
    (["text=@@ada"], #"{"text":"@ada"}"#),
    (["n=7"], #"{"n":7}"#),
    (["n=-7"], #"{"n":-7}"#),
    (["x=1.5"], #"{"x":1.5}"#),
    (["flag=true"], #"{"flag":true}"#),
    (["mood=good"], #"{"mood":"good"}"#),
    (["either=7"], #"{"either":7}"#),
    (["either=seven"], #"{"either":"seven"}"#),
    (["any={\"a\":[1,2]}"], #"{"any":{"a":[1,2]}}"#),
    (["map={\"a\":1}"], #"{"map":{"a":1}}"#),
    (["words=[\"a\",\"b\"]"], #"{"words":["a","b"]}"#),
    (["words=a", "words=7"], #"{"words":["a","7"]}"#),
    (["numbers=1", "numbers=2"], #"{"numbers":[1,2]}"#),
    (["numbers=[3]"], #"{"numbers":[3]}"#),
    ([], "{}"),
  ])
  func words(_ words: [String], _ expected: String) throws {
    let outcome = try Program(["graph.lua": echo]).run(["graph.lua"] + words)
    #expect(outcome.errors == "")
    #expect(outcome.output == expected + "\n")
    #expect(outcome.status == 0)
  }

  @Test("@ reads a file, or standard input: a string as it is, bytes as they are, other types as JSON")
  func files() throws {
    let program = try Program(["graph.lua": echo, "a.txt": "one\ntwo\n", "n.json": "\u{FEFF} [1, 2] "])
    try program.write([0, 255, 254], to: "raw")
    #expect(try program.run("graph.lua", "text=@a.txt").output == #"{"text":"one\ntwo\n"}"# + "\n")
    #expect(try program.run("graph.lua", "numbers=@n.json").output == #"{"numbers":[1,2]}"# + "\n")
    #expect(try program.run("graph.lua", "data=@raw").output == #"{"data":3}"# + "\n")
    #expect(try program.run("graph.lua", "text=@-", input: "typed").output == #"{"text":"typed"}"# + "\n")
    #expect(try program.run("graph.lua", "words=@a.txt", "words=b").output == #"{"words":["one\ntwo\n","b"]}"# + "\n")
  }

  @Test("--input takes the whole as JSON, from a file, from standard input")
  func whole() throws {
    let program = try Program(["graph.lua": echo, "in.json": #"{"n": 1}"#])
    #expect(try program.run("graph.lua", "--input", #"{"n": 1}"#).output == #"{"n":1}"# + "\n")
    #expect(try program.run("graph.lua", #"--input={"n": 1}"#).output == #"{"n":1}"# + "\n")
    #expect(try program.run("graph.lua", "--input", "@in.json").output == #"{"n":1}"# + "\n")
    #expect(try program.run("graph.lua", "--input", "-", input: #"{"n": 1}"#).output == #"{"n":1}"# + "\n")
    #expect(try program.run("graph.lua", "--input", "@-", input: #"{"n": 1}"#).output == #"{"n":1}"# + "\n")
    #expect(try program.run("--input", #"{"n": 1}"#, "graph.lua").output == #"{"n":1}"# + "\n")
    #expect(try program.run("run", "graph.lua", "n=1").output == #"{"n":1}"# + "\n")
  }

  @Test("bad input is said in one sentence, and ends with 1", arguments: [
    (["txet=a"], "Echo has no input 'txet'; did you mean 'text'?"),
    (["zzzzzzzz=a"], "Echo has no input 'zzzzzzzz'; there are: "),
    (["n=seven"], #"Echo.input.n: expected integer, got "seven""#),
    (["n=\"7\""], "Echo.input.n: expected integer, got string"),
    (["n=1", "n=2"], "Echo.input.n: it is given 2 times and is no list"),
    (["words=Ada"], #"a list is JSON: words='["Ada"]'"#),
    (["any=Ada"], #"a text is written with quotes: any='"Ada"'"#),
    (["data=abc"], "bytes are base64 in quotes, or a file: data=@FILE"),
    (["mood=odd"], #"Echo.input.mood: expected one of "good", "bad""#),
    (["text=@none.txt"], "Echo.input.text: there is no file none.txt"),
    (["text=@."], "Echo.input.text: . is a folder"),
    (["text=@binary"], "Echo.input.text: binary is not UTF-8 text"),
    (["--input", "{"], "Echo.input: not valid JSON at line 1"),
    (["--input", "in.json"], "--input in.json: this is no JSON; a file is written @in.json"),
    (["--input", "@none.json"], "--input: there is no file none.json"),
    (["--input", "[1]"], "Echo.input: expected record, got"),
    (["--input", #"{"a": 1}"#], "Echo.input.a: unknown field; did you mean"),
    (["--input", #"{"any": "# + String(repeating: "[", count: 100) + String(repeating: "]", count: 100) + "}"], "nested deeper than 64"),
    (["any=" + String(repeating: "[", count: 100) + String(repeating: "]", count: 100)], "nested deeper than 64"),
    (["text=@large"], "too large: more than 16777216 bytes"),
  ])
  func badInput(_ words: [String], _ expected: String) throws {
    let program = try Program(["graph.lua": echo])
    try program.write([0xFF, 0xFE, 0], to: "binary")
    if words == ["text=@large"] { try program.write([UInt8](repeating: 97, count: 17 << 20), to: "large") }
    let outcome = try program.run(["graph.lua"] + words)
    #expect(outcome.errors.contains(expected), "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("chainrun: "))
    #expect(outcome.output == "")
    #expect(outcome.status == 1)
  }

  @Test("a word that is not UTF-8 is refused, not mended")
  func invalidText() throws {
    let outcome = try Program(["graph.lua": echo]).shell("$chainrun graph.lua text=$'\\xff'")
    #expect(outcome.errors == "chainrun: word 2 of the command is not UTF-8 text; give such data as a file, NAME=@FILE\n")
    #expect(outcome.status == 2)
  }

  @Test("wrong use ends with 2 and points to the help", arguments: [
    (["graph.lua", "word"], "'word' is no NAME=VALUE"),
    (["graph.lua", "--nonsense"], "nonsense"),
    (["chekc", "graph.lua"], "did you mean 'chainrun check'?"),
    (["graph.lua", "n=1", "--input", "{}"], "--input gives the whole input"),
    (["graph.lua", "--timeout", "soon"], "timeout"),
    (["graph.lua", "--timeout", "-1"], "timeout"),
    (["graph.lua", "--timeout", "1e-12"], "--timeout takes seconds, from 0.001"),
    (["graph.lua", "--lanes", "0"], "--lanes takes a number from 1 to 256"),
    (["graph.lua", "--entry", "Ehco"], "there is no such entrypoint; did you mean 'Echo'?"),
    (["graph.lua", "--set", "x"], "--set x: expected NAME=VALUE"),
    (["graph.lua", "--config", "none.json"], "--config: there is no file none.json"),
    (["graph.lua", "--log-level", "loud"], "log-level"),
    (["graph.lua", "-o", "none/out"], "none/out cannot be written: No such file or directory"),
    (["--timeout", "3"], "<graph>"),
    (["check"], "<graph>"),
    (["draw", "graph.lua", "--format", "png"], "format"),
  ])
  func wrongUse(_ words: [String], _ expected: String) throws {
    let outcome = try Program(["graph.lua": echo]).run(words)
    #expect(outcome.errors.contains(expected), "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("chainrun: "))
    #expect(outcome.output == "")
    #expect(outcome.status == 2)
  }
}

@Suite("Input streams from the command line")
struct InputStreamTests {
  private let source = """
    local chain = require "chain"
    local t = chain.types
    local function entry(name, item, show)
      local E = chain.chainlet(name) { input = { items = t.stream(item) }, output = t.stream(t.string) }
      function E:run(req, emit) for x in req.items do emit(show(x)) end end
      return E
    end
    return {
      words = entry("Words", t.string, function(x) return "<" .. x .. ">" end),
      points = entry("Points", { x = t.integer }, function(p) return "x" .. p.x end),
      bytes = entry("Bytes", t.bytes, function(b) return tostring(#b) end),
    }
    """

  @Test("texts, files and standard input become items: lines, JSON texts, pieces")
  func sources() throws {
    let program = try Program(["graph.lua": source, "more.txt": "three\nfour", "big.bin": String(repeating: "x", count: 100_000)])
    #expect(try program.run("graph.lua", "--entry", "words", "items=one", "items=@@two", "items=@more.txt").output
      == "\"<one>\"\n\"<@two>\"\n\"<three>\"\n\"<four>\"\n")
    #expect(try program.run("graph.lua", "--entry", "words", "items=@-", input: "a\r\n\nb").output == "\"<a>\"\n\"<>\"\n\"<b>\"\n")
    #expect(try program.run("graph.lua", "--entry", "points", "items=@-", input: "{\"x\":1}\n\n{\"x\":2}\n").output == "\"x1\"\n\"x2\"\n")
    #expect(try program.run("graph.lua", "--entry", "bytes", "items=@big.bin").output == "\"65536\"\n\"34464\"\n")
  }

  @Test("what is wrong with an item is said with its file and line")
  func mistakes() throws {
    let program = try Program(["graph.lua": source])
    let syntax = try program.run("graph.lua", "--entry", "points", "items=@-", input: "{\"x\":1}\n{\"x\":\n")
    #expect(syntax.status == 1)
    #expect(syntax.errors.contains("Points.input.items: standard input:2: "))
    let type = try program.run("graph.lua", "--entry", "points", "items=@-", input: "{\"x\":1}\n{\"x\":\"y\"}\n")
    #expect(type.errors.contains("Points.input.items[2].x: expected integer, got string"))
    let missing = try program.run("graph.lua", "--entry", "words", "items=@none.txt")
    #expect(missing.status == 1)
    #expect(missing.errors.contains("there is no file none.txt"))
  }
}
