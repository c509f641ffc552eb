import ChainBase
import ChainHost
import LuaBridge
import Testing

@Suite("A value that crosses from state to state")
struct SchemaCrossingTests {
  typealias Bridge = SchemaBridge

  @Test("a record with a list arrives equal, and as other tables")
  func record() throws {
    let bridge = try Bridge(.record(["name": .string, "n": .integer, "list": .list(.integer)]))
    for n in 1...3 {
      #expect(try bridge.cross("{ name = 'Ada', n = \(n), list = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } }") == nil)
      #expect(try bridge.ask("it.name .. it.n .. #it.list .. it.list[10]") == "Ada\(n)1010")
    }
    #expect(try bridge.cross("{ list = {}, n = 2.0, name = '' }") == nil)
    #expect(try bridge.ask("math.type(it.n)") == "integer")
  }

  @Test("the message names the place, what was expected and what came")
  func messages() throws {
    let type = ChainType.record(["names": .list(.string), "size": .optional(.integer)])
    #expect(try Bridge.refusal(type, "{ names = { 'a', 'b', 7 } }") == "Test.input.names[3]: expected string, got integer (7)")
    #expect(try Bridge.refusal(type, "{ names = 'a' }") == "Test.input.names: expected list, got string (\"a\")")
    #expect(try Bridge.refusal(type, "{ naems = {} }") == "Test.input.naems: unknown field; did you mean 'names'?")
    #expect(try Bridge.refusal(type, "{ names = {}, zzz = 1 }") == "Test.input.zzz: unknown field; known are 'names', 'size'")
    #expect(try Bridge.refusal(type, "{}") == "Test.input.names: missing field, expected list")
    #expect(try Bridge.refusal(type, "7") == "Test.input: expected record, got integer (7)")
    #expect(try Bridge.refusal(type, "nil") == "Test.input: expected record, got nil")
    #expect(try Bridge.refusal(type, "{ names = {}, size = 1.5 }") == "Test.input.size: expected integer, got number (1.5)")
    #expect(try Bridge.refusal(type, "{ names = {}, [1] = 2 }") == "Test.input: expected fields with names, got a key that is an integer (1)")
    #expect(try Bridge.refusal(.record(["my key": .integer]), "{ ['my key'] = true }") == "Test.input[\"my key\"]: expected integer, got boolean (true)")
  }

  @Test("numbers keep their subtype but under t.integer")
  func numbers() throws {
    let bridge = try Bridge(.number)
    #expect(try bridge.cross("3") == nil)
    #expect(try bridge.ask("math.type(it)") == "integer")
    #expect(try bridge.cross("3.0") == nil)
    #expect(try bridge.ask("math.type(it)") == "float")
    #expect(try Bridge.refusal(.integer, "2^53") == "")
    #expect(try Bridge.refusal(.integer, "2^63") != "")
    #expect(try Bridge.refusal(.integer, "math.mininteger + 0.0") == "")
    #expect(try Bridge.refusal(.integer, "'1'") == "Test.input: expected integer, got string (\"1\")")
    #expect(try Bridge.refusal(.number, "0/0").hasPrefix("Test.input: expected a finite number, got number ("))
    #expect(try Bridge.refusal(.number, "1/0") == "Test.input: expected a finite number, got number (inf)")
    #expect(try Bridge.refusal(ChainType.number.with { $0.finite = false }, "0/0") == "")
    #expect(try Bridge.refusal(.any, "{ x = 1/0 }") == "Test.input.x: expected a finite number, got number (inf)")
  }

  @Test("bounds: characters, entries, items, bytes, values")
  func bounds() throws {
    #expect(try Bridge.refusal(ChainType.string.bounded(1, 3), "'äöü'") == "")
    #expect(try Bridge.refusal(ChainType.string.bounded(1, 3), "'äöüx'") == "Test.input: expected at most 3 characters, got 4")
    #expect(try Bridge.refusal(ChainType.string.bounded(1), "''") == "Test.input: expected at least 1 character, got 0")
    #expect(try Bridge.refusal(ChainType.integer.bounded(0, 10), "11") == "Test.input: expected at most 10, got integer (11)")
    #expect(try Bridge.refusal(ChainType.integer.bounded(0), "-1") == "Test.input: expected at least 0, got integer (-1)")
    #expect(try Bridge.refusal(ChainType.number.bounded(0.5), "0.25") == "Test.input: expected at least 0.5, got number (0.25)")
    #expect(try Bridge.refusal(ChainType.number.bounded(0.5), "0") == "Test.input: expected at least 0.5, got integer (0)")
    #expect(try Bridge.refusal(ChainType.integer.bounded(nil, 0x1p62), "math.maxinteger") != "")
    #expect(try Bridge.refusal(ChainType.list(.integer).bounded(nil, 2), "{1,2,3}") == "Test.input: expected at most 2 items, got 3")
    #expect(try Bridge.refusal(ChainType.map(.integer).bounded(1), "{}") == "Test.input: expected at least 1 entry, got 0")
    #expect(try Bridge.refusal(ChainType.map(.integer).bounded(1), "{ a = json.null }") == "Test.input: expected at least 1 entry, got 0")
    #expect(try Bridge.refusal(ChainType.bytes.bounded(nil, 2), "'\\xff\\xff\\xff'") == "Test.input: expected at most 2 bytes, got 3")
    #expect(try Bridge.refusal(ChainType.blob.bounded(5), "blob") == "Test.input: expected at least 5 bytes, got 4")
  }

  @Test("patterns are Lua patterns, looked for anywhere unless anchored, in bounded time")
  func patterns() throws {
    func type(_ pattern: String) -> ChainType { ChainType.string.with { $0.pattern = pattern } }
    #expect(try Bridge.refusal(type("^%w+$"), "'abc1'") == "")
    #expect(try Bridge.refusal(type("^%w+$"), "'a b'") == "Test.input: expected string that matches \"^%w+$\", got string (\"a b\")")
    for (pattern, text) in [
      ("%d", "ab1"), ("a.-b", "xxaxxbxx"), ("(%a)%1", "xaabb"), ("%f[%w]the%f[%W]", "in the end"), ("%b()", "f(a(b))"),
      ("^[^%s]*$", "abc"), ("[%]-]", "a-"), ("a?b", "b"), ("()x()", "x"), ("", ""), ("$", "abc"), ("[a-c]+$", "zzabc"), ("%.", "."),
    ] {
      #expect(try Bridge.refusal(type(pattern), "'\(text)'") == "", "\(pattern) in \(text)")
      let lua = try LuaState()
      let found: Bool = try lua.run("return string.find('\(text)', '\(pattern)') ~= nil")
      #expect(found)
    }
    for (pattern, text) in [("%d", "abc"), ("^b", "ab"), ("(%a)%1", "abab"), ("%b()", "(("), ("%f[%w]the%f[%W]", "other"), ("[^a]", "aaa")] {
      #expect(try Bridge.refusal(type(pattern), "'\(text)'") != "", "\(pattern) in \(text)")
    }
    let slow = try Bridge.refusal(type("^.-.-.-.-.-.-.-x$"), "('a'):rep(2000)")
    #expect(slow.hasSuffix("looking for the pattern takes too many steps"))
  }

  @Test("text must be UTF-8, bytes need not")
  func utf8() throws {
    for bad in ["\\xff", "\\xc0\\x80", "\\xed\\xa0\\x80", "\\xf4\\x90\\x80\\x80", "\\xe2\\x82", "abcdefgh\\x80", "\\xe0\\x80\\x80", "\\xf0\\x80\\x80\\x80"] {
      for prefix in ["", "('a'):rep(100) .. "] {
        #expect(try Bridge.refusal(.string, "\(prefix)'\(bad)'") == "Test.input: expected text in UTF-8, got a string of other bytes")
        #expect(try Bridge.refusal(.bytes, "\(prefix)'\(bad)'") == "")
        #expect(try Bridge.refusal(.any, "\(prefix)'\(bad)'") != "")
        #expect(try Bridge.refusal(.map(.integer), "{ [\(prefix)'\(bad)'] = 1 }") != "")
      }
    }
    for good in ["", "é", "€", "😀", "\\u{10FFFF}", "\\0", "\\u{D7FF}\\u{E000}"] {
      #expect(try Bridge.refusal(.string, "'\(good)'") == "")
      #expect(try Bridge.refusal(.string, "('x'):rep(77) .. '\(good)' .. ('y'):rep(33)") == "")
    }
  }

  @Test("lists have positions 1 to n and nothing else, in whatever order they were made")
  func lists() throws {
    let type = ChainType.list(.integer)
    let bridge = try Bridge(type)
    #expect(try bridge.cross("(function() local l = {} for i = 9, 1, -1 do l[i] = i end return l end)()") == nil)
    #expect(try bridge.ask("table.concat(it, ',')") == "1,2,3,4,5,6,7,8,9")
    #expect(try Bridge.refusal(type, "{ 1, nil, 3 }") == "Test.input: expected list without holes, got nothing at position 2")
    #expect(try Bridge.refusal(type, "{ 1, 2, x = 3 }") == "Test.input: expected list, got table with the key string (\"x\")")
    #expect(try Bridge.refusal(type, "{ [0] = 1 }") != "")
    #expect(try Bridge.refusal(type, "{ [1] = 1, ['2'] = 2, [3] = 3 }") != "")
    #expect(try Bridge.refusal(type, "{ [1] = 1, [1.5] = 2 }") != "")
    #expect(try Bridge.refusal(type, "{ [2] = 1 }") == "Test.input: expected list without holes, got nothing at position 1")
    #expect(try Bridge.refusal(type, "{}") == "")
    #expect(try Bridge.refusal(type, "{ json.null }") == "Test.input[1]: expected integer, got json.null")
  }

  @Test("absence: null equals absent in records and maps; defaults fill; any may be missing")
  func absence() throws {
    let type = ChainType.record([
      "a": .optional(.string), "b": ChainType.integer.with { $0.defaultValue = 10 }, "c": .any,
      "d": .optional(ChainType.record(["x": ChainType.integer.with { $0.defaultValue = 1 }])),
    ])
    let bridge = try Bridge(type)
    #expect(try bridge.cross("{}") == nil)
    #expect(try bridge.ask("it.a == nil and it.b == 10 and it.c == nil and it.d == nil") == true)
    #expect(try bridge.cross("{ a = json.null, b = json.null, c = json.null, d = {} }") == nil)
    #expect(try bridge.ask("it.a == nil and it.b == 10 and it.c == nil and it.d.x == 1") == true)
    #expect(try Bridge.refusal(.record(["a": .string]), "{ a = json.null }") != "")
    let map = try Bridge(.map(.integer))
    #expect(try map.cross("{ a = 1, b = json.null }") == nil)
    #expect(try map.ask("it.a == 1 and it.b == nil and next(it, next(it)) == nil") == true)
    let filled = ChainType.record(["r": ChainType.record(["x": ChainType.integer.with { $0.defaultValue = 5 }]).with { $0.defaultValue = .record([]) }])
    let nested = try Bridge(filled)
    #expect(try nested.cross("{}") == nil)
    #expect(try nested.ask("it.r.x") == 5)
  }

  @Test("nothing: an empty input, an optional or any output")
  func nothing() throws {
    #expect(try Bridge.refusal(.empty, "nil") == "")
    #expect(try Bridge.refusal(.empty, "{}") == "")
    #expect(try Bridge.refusal(.empty, "{ x = 1 }") == "Test.input.x: unknown field; the record has none")
    #expect(try Bridge.refusal(.optional(.string), "nil") == "")
    #expect(try Bridge.refusal(.any, "nil") == "")
    #expect(try Bridge.refusal(.string, "nil") == "Test.input: expected string, got nil")
  }

  @Test("any takes plain data only, keeps json.array and takes json.null in lists")
  func any() throws {
    let bridge = try Bridge(.any)
    #expect(try bridge.cross("{ 1, json.null, { a = 'x' }, json.array(), {}, blob }") == nil)
    #expect(try bridge.text() == #"[1,null,{"a":"x"},[],{},"YmxvYg=="]"#)
    #expect(try Bridge.refusal(.any, "{ f = { pcall } }") == "Test.input.f[1]: expected plain data, got function")
    #expect(try Bridge.refusal(.any, "coroutine.create(pcall)") == "Test.input: expected plain data, got thread")
    #expect(try Bridge.refusal(.any, "{ 1, x = 2 }") != "")
    #expect(try Bridge.refusal(.any, "{ 1, nil, 3 }") == "Test.input: expected list without holes, got nothing at position 2")
    #expect(try Bridge.refusal(.any, "{ [true] = 1 }") != "")
    #expect(try Bridge.refusal(.any, "(function() local a = json.array() a.x = 1 return a end)()") != "")
  }

  @Test("depth 64 is the last that is allowed, and a table that contains itself is refused")
  func depth() throws {
    func nested(_ depth: Int) -> String { "(function() local t = 1 for i = 1, \(depth) do t = { t } end return t end)()" }
    #expect(try Bridge.refusal(.any, nested(64)) == "")
    #expect(try Bridge.refusal(.any, nested(65)).hasSuffix("nested deeper than 64 tables (does a table contain itself?)"))
    let loop = try Bridge.refusal(.any, "(function() local t = {} t.t = t return t end)()")
    #expect(loop == "Test.input" + String(repeating: ".t", count: 8) + "….t.t: nested deeper than 64 tables (does a table contain itself?)")
    var type = ChainType.integer
    for _ in 0..<64 { type = .list(type) }
    #expect(try Bridge.refusal(type, nested(64)) == "")
    #expect(try Bridge.refusal(.list(type), nested(65)) != "")
  }

  @Test("size: values and bytes are limited, shared tables count each time, and the code says whose fault it is")
  func size() throws {
    let bridge = try Bridge(.any)
    let shared = "(function() local t = { 1, 2 } for i = 1, 40 do t = { t, t } end return t end)()"
    #expect(try bridge.cross(shared)?.message == "Test.input: too large: more than 200000 values in all")
    #expect(try bridge.cross(shared)?.code == "too_large")
    bridge.limits = CrossingLimits(direction: .output)
    #expect(try bridge.cross(shared)?.code == "output_limit")
    #expect(try bridge.cross("pcall")?.code == "bad_output")
    bridge.limits = CrossingLimits(bytes: 1000)
    #expect(try bridge.cross("{ ('x'):rep(600), ('y'):rep(600) }")?.message == "Test.input: too large: more than 1000 bytes of text in all")
    #expect(try bridge.cross("{ ('x'):rep(500), ('y'):rep(500) }") == nil)
    let large = try Bridge(.list(.string))
    #expect(try large.cross("(function() local l = {} for i = 1, 200000 do l[i] = '' end return l end)()")?.code == "too_large")
  }

  @Test("an enumeration answers with its values in declared order")
  func enumeration() throws {
    #expect(try Bridge.refusal(.choice("small", "large"), "'large'") == "")
    #expect(try Bridge.refusal(.choice("small", "large"), "'medium'") == "Test.input: expected one of \"small\", \"large\", got string (\"medium\")")
    let long = String(repeating: "x", count: 60)
    #expect(try Bridge.refusal(.choice("a", long), "('x'):rep(60)") == "")
    #expect(try Bridge.refusal(.choice("a", long), "('x'):rep(61)") != "")
    #expect(try Bridge.refusal(.record([long: .integer]), "{ [('x'):rep(60)] = 1 }") == "")
  }

  @Test("a union takes the first member that fits; a tag chooses the member that the message is about")
  func union() throws {
    let shapes = ChainType.union(
      .record(["kind": .choice("circle"), "r": .number]), .record(["kind": .choice("box"), "w": .number, "h": .number]))
    #expect(try Bridge.refusal(shapes, "{ kind = 'box', w = 1, h = 2 }") == "")
    #expect(try Bridge.refusal(shapes, "{ kind = 'circle', r = 'x' }") == "Test.input.r: expected number, got string (\"x\")")
    #expect(try Bridge.refusal(shapes, "{ kind = 'box', w = 1 }") == "Test.input.h: missing field, expected number")
    #expect(try Bridge.refusal(shapes, "{ kind = 'bax' }") == "Test.input.kind: expected one of \"circle\", \"box\", got string (\"bax\")")
    #expect(try Bridge.refusal(shapes, "{}") == "Test.input.kind: missing field, expected one of \"circle\", \"box\"")
    #expect(try Bridge.refusal(shapes, "7") == "Test.input: expected record, got integer (7)")
    let mixed = ChainType.union(.integer, .string, .list(.integer))
    let bridge = try Bridge(mixed)
    #expect(try bridge.cross("1.0") == nil)
    #expect(try bridge.ask("math.type(it)") == "integer")
    #expect(try Bridge.refusal(mixed, "{ 1, 'x' }") == "Test.input[2]: expected integer, got string (\"x\")")
    #expect(try Bridge.refusal(mixed, "true") == "Test.input: expected integer, string or list, got boolean (true)")
    #expect(try Bridge.refusal(.union(.list(.integer), .list(.string)), "{ 'a', 'b' }") == "")
  }

  @Test("metatables of values are never run")
  func raw() throws {
    let bridge = try Bridge(.record(["a": .optional(.integer), "l": .list(.integer)]))
    let trap = "setmetatable({ l = setmetatable({ 1 }, { __index = function() error('ran') end, __len = function() return 9 end }) }, { __index = function() error('ran') end, __pairs = error })"
    #expect(try bridge.cross(trap) == nil)
    #expect(try bridge.ask("#it.l == 1 and it.a == nil and getmetatable(it) == nil") == true)
  }

  @Test("both sides may be one state, and one stack")
  func sameStack() throws {
    let type = ChainType.record(["a": .list(.any), "m": .map(.integer), "u": .union(.integer, .record(["x": .string])), "z": .optional(.string)])
    let bridge = try Bridge(type)
    let value = try bridge.first.load("return { a = { 1, {}, { k = 'v' } }, m = { x = 1, y = json.null }, u = { x = 's' } }")
    try bridge.first.hostSection { stack throws(LuaError) in try value.push(to: stack) }
    try bridge.first.call(arguments: 0, results: 1)
    try bridge.first.hostSection { stack in
      let top = stack.top
      _ = stack.ensure(bridge.program.stackDepth * 2)
      for _ in 0..<3 {
        let crossed = LuaToLua.crossing(
          bridge.program, from: stack, at: top, binding: bridge.source, to: stack, binding: bridge.source, limits: bridge.limits)
        #expect(crossed)
        #expect(stack.top == top + 1)
        #expect(!stack.rawEqual(top, top + 1))
        var buffer = ByteBuffer()
        #expect(throws: Never.self) {
          try JSONWriter.write(
            bridge.program, from: stack, at: -1, binding: bridge.source, into: &buffer, limits: bridge.limits, root: "Test")
        }
        #expect(buffer.string == #"{"a":[1,{},{"k":"v"}],"m":{"x":1},"u":{"x":"s"}}"#)
        stack.setTop(top)
      }
      stack.pop()
    }
  }

  @Test("a blob crosses by reference")
  func blobs() throws {
    let bridge = try Bridge(.record(["b": .blob]))
    #expect(try bridge.cross("{ b = blob }") == nil)
    #expect(try bridge.ask("#it.b .. it.b:string() .. it.b:sub(2, -2) .. it.b:sub(-1) .. it.b:sub(0) .. it.b:sub(5) .. it.b:sub(3, 2)") == "4bloblobblob")
    #expect(try bridge.ask("tostring(it.b)") == "blob (4 bytes)")
    #expect(try bridge.ask("getmetatable(it.b)") == false)
    #expect(try Bridge.refusal(.blob, "'text'") == "Test.input: expected blob, got string (\"text\")")
    #expect(try Bridge.refusal(.blob, "json.null") == "Test.input: expected blob, got json.null")
  }
}
