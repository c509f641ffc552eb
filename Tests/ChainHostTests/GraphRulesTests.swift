import ChainBase
import ChainHost
import LuaBridge
import Testing

@Suite("The rules of a graph")
struct GraphRulesTests {
  private func check(_ texts: [String: String], _ change: (inout GraphSource) -> Void = { _ in }) -> GraphLoader.Outcome {
    var source = GraphSource(texts: texts)
    change(&source)
    return GraphLoader.check(source)
  }

  private func load(_ text: String) throws -> Graph { try GraphLoader.load(GraphSource(texts: ["graph.lua": text])) }

  private let head = "local chain = require 'chain'\nlocal t = chain.types\n"

  // MARK: Random graphs

  @Test("random graphs are planned as they were written, callees before callers", arguments: 0..<40)
  func randomGraphs(seed: UInt64) throws {
    var generator = Generator(state: seed &+ 1)
    let count = Int.random(in: 1...30, using: &generator)
    var text = head
    var written: [Int: Set<[String]>] = [:]
    for number in 0..<count {
      var groups: [String] = []
      var paths: Set<[String]> = []
      for need in 0..<Int.random(in: 0...4, using: &generator) where number > 0 {
        let target = Int.random(in: 0..<number, using: &generator)
        var value = "C\(target)"
        if Bool.random(using: &generator) { value += ":with { retries = 2 }" }
        var path = ["n\(need)"]
        for level in 0..<Int.random(in: 0...3, using: &generator) {
          value = "{ \(path[0]) = \(value) }"
          path.insert("g\(need)_\(level)", at: 0)
        }
        groups.append("\(path[0]) = \(value)")
        paths.insert(path)
      }
      written[number] = paths
      text += "local C\(number) = chain.chainlet 'C\(number)' { needs = { \(groups.joined(separator: ", ")) } }\nfunction C\(number):run() end\n"
    }
    text += "return C\(count - 1)\n"
    let graph = try load(text)
    #expect(graph.chainlets.map(\.name) == (0..<count).map { "C\($0)" })
    for (number, chainlet) in graph.chainlets.enumerated() { #expect(Set(chainlet.needs.map(\.path)) == written[number]) }
    for (position, index) in graph.live.enumerated() {
      for need in graph.chainlets[index].needs {
        let target = try #require(graph.index(of: need.target))
        #expect(try #require(graph.live.firstIndex(of: target)) < position)
      }
    }
    // Each lives in a state of its own, and declares there what it declared in the plan.
    for index in graph.live.suffix(3) {
      let live = try LiveChainlet.evaluate(graph.chainlets[index], in: graph, state: try LuaState(), native: nil)
      #expect(live.run != 0)
    }
    #expect(GraphDrawing.dot(graph).contains("\"entry C\(count - 1)\" -> \"C\(count - 1)\""))
  }

  @Test("a long chain of needs neither overflows a stack nor takes long")
  func longChain() throws {
    var text = head + "local C = chain.chainlet 'C0' {}\nfunction C:run() end\n"
    text += "for i = 1, 5000 do local N = chain.chainlet('C' .. i) { needs = { n = C } }\nfunction N:run() end\nC = N end\nreturn C\n"
    let graph = try load(text)
    #expect(graph.live.count == 5001)
    #expect(graph.live.first == 0)
  }

  // MARK: Files

  @Test("a factory's chainlets belong to the file that called it, wherever the factory is")
  func factories() throws {
    let graph = try GraphLoader.load(
      GraphSource(texts: [
        "graph.lua": head + "local make = require 'lib.factory'\nlocal inner = require 'inner'\nlocal A = make 'A'\nlocal B = make 'B'\nreturn { a = A, b = B, c = inner }",
        "lib/factory.lua": head + "return function(name)\n  local X = chain.chainlet(name) { output = t.string }\n  function X:run() return name end\n  return X\nend",
        "inner.lua": "local make = require 'lib.factory'\nreturn make 'C'",
      ]))
    #expect(graph.chainlets.map(\.file) == ["inner.lua", "graph.lua", "graph.lua"])
    #expect(graph.chainlets.map(\.place) == Array(repeating: SourcePlace(file: "lib/factory.lua", line: 4), count: 3))
    for chainlet in graph.chainlets {
      let state = try LuaState()
      let live = try LiveChainlet.evaluate(chainlet, in: graph, state: state, native: nil)
      try state.hostSection { _ = $0.push(kept: live.run) }
      try state.call(arguments: 0, results: 1)
      #expect(try state.hostSection { $0.text(at: -1) } == chainlet.name)
    }
  }

  @Test("a module is evaluated once, and its table is seen by every file of a state")
  func modulesOnce() throws {
    let outcome = check([
      "graph.lua": "local a = require 'a'\nlocal same = require('a') == a\nassert(same)\nassert(require 'math' == math)\nreturn require 'b'",
      "a.lua": "return {}",
      "b.lua": head + "assert(require 'a')\nlocal B = chain.chainlet 'B' {}\nfunction B:run() end\nreturn B",
    ])
    #expect(outcome.problems.isEmpty)
    #expect(outcome.graph?.bundle.files.map(\.path) == ["graph.lua", "a.lua", "b.lua"])
  }

  @Test("a declaration that depends on which state evaluates it fails the load of that state")
  func otherwise() throws {
    let graph = try GraphLoader.load(
      GraphSource(texts: [
        "graph.lua": "local n = require 'count'\nn.size = 5\nlocal A = require 'a'\nreturn A",
        "count.lua": "return { size = 1 }",
        "a.lua": head + "local n = require 'count'\nlocal A = chain.chainlet 'A' { scaling = { queue = n.size } }\nfunction A:run() end\nreturn A",
      ]))
    #expect(throws: Failure.self) {
      do {
        _ = try LiveChainlet.evaluate(graph.chainlets[0], in: graph, state: try LuaState(), native: nil)
      } catch let failure as Failure {
        #expect(failure.code == "invalid_graph")
        #expect(failure.message.hasPrefix("a.lua:4: A is declared otherwise here than when the graph was planned"))
        throw failure
      }
    }
  }

  @Test("require finds at run time only what was loaded; from a bundle, what the bundle has")
  func runTimeRequire() throws {
    let text = head + "local A = chain.chainlet 'A' { output = t.any }\nfunction A:run() return require('b').x, pcall(require, 'c') end\nlocal b = require 'b'\nreturn A"
    let graph = try GraphLoader.load(GraphSource(texts: ["graph.lua": text, "b.lua": "return { x = 7 }", "c.lua": "return 1"]))
    for graph in [graph, try GraphLoader.load(GraphSource(bundle: graph.bundle))] {
      let state = try LuaState()
      let live = try LiveChainlet.evaluate(graph.chainlets[0], in: graph, state: state, native: nil)
      try state.hostSection { _ = $0.push(kept: live.run) }
      try state.call(arguments: 0, results: 3)
      try state.hostSection { stack in
        #expect(stack.integer(at: 1) == 7)
        #expect(stack.boolean(at: 2) == false)
        #expect(stack.text(at: 3)?.contains("at run time require finds only what was loaded with it") == true)
      }
      #expect(graph.bundle.digest == (try GraphLoader.load(GraphSource(bundle: graph.bundle))).bundle.digest)
    }
  }

  @Test("two contents never have the same digest by the way they are put together")
  func digests() {
    var a = ContentDigest()
    a.add(sized: Array("ab".utf8))
    a.add(sized: Array("c".utf8))
    var b = ContentDigest()
    b.add(sized: Array("a".utf8))
    b.add(sized: Array("bc".utf8))
    #expect(a != b)
    // FNV-1a of 128 bits, from its published vectors.
    var empty = ContentDigest()
    #expect(empty.description == "6c62272e07bb014262b821756295c58d")
    empty.add("a".utf8)
    #expect(empty.description == "d228cb696f1a8caf78912b704e4a8964")
  }

  // MARK: Merging

  @Test("limits are a plain table", arguments: ["setmetatable({}, {})", "chain.const { cpu = 1 }"])
  func plainLimits(_ table: String) {
    let outcome = check(["graph.lua": head + "local A = chain.chainlet 'A' { limits = \(table) }\nfunction A:run() end\nreturn A\n"])
    #expect(outcome.problems.map(\.message) == ["limits is a plain table, got a table with a metatable"])
  }

  @Test("extending merges needs, limits and scaling by name, adds secrets, replaces the rest")
  func extending() throws {
    let graph = try load(
      head + """
        local X = chain.chainlet 'X' {}
        function X:run() end
        local A = chain.chainlet 'A' { input = { a = t.string }, output = t.string, needs = { x = X, g = { a = X } },
          secrets = { 'ONE' }, limits = { cpu = 2, memory = '1.5 MB' }, scaling = { queue = 3 }, doc = 'a' }
        function A:run() end
        function A:help() end
        local B = A:extend 'B' { input = { b = t.string }, needs = { y = X, g = { b = X } }, secrets = { 'TWO' },
          limits = { cpu = 3 }, scaling = { concurrency = 1 } }
        return B
        """)
    let b = graph.chainlets[2]
    #expect(b.parent == "A")
    #expect(b.input == ChainType(.record([.init(name: "b", type: ChainType(.string))])))
    #expect(b.output == ChainType(.string))
    #expect(b.needs.map(\.name) == ["g.a", "g.b", "x", "y"])
    #expect(b.secrets == ["ONE", "TWO"])
    #expect(b.limits.cpu == 3 && b.limits.memory == 1_572_864)
    #expect(b.scaling.concurrency == 1 && b.scaling.queue == 3)
    #expect(b.doc == "a")
    #expect(b.methods.keys.sorted() == ["help", "run"])
    #expect(graph.live.map { graph.chainlets[$0].name } == ["X", "B"])
  }

  // MARK: Configuration

  @Test("the configuration is checked; the last value wins; unknown names are errors")
  func configuration() throws {
    let text = head + "local cfg = chain.config { model = t.string { default = 'small' }, n = t.integer { default = 1 }, list = t.list(t.string) { default = {} } }\nlocal A = chain.chainlet 'A' { doc = cfg.model .. cfg.n .. #cfg.list }\nfunction A:run() end\nreturn A"
    func doc(_ values: [String: ConfigurationInput.Given]) -> (String?, [String]) {
      let outcome = check(["graph.lua": text]) { $0.configuration.values = values }
      return (outcome.graph?.chainlets[0].doc, outcome.problems.map(\.description))
    }
    #expect(doc([:]).0 == "small10")
    #expect(doc(["model": .text("7"), "n": .text("12")]).0 == "7120")
    #expect(doc(["n": .value(.number(3)), "list": .value(["a"])]).0 == "small31")
    #expect(doc(["n": .text("many")]).1.first?.hasPrefix("graph.lua:3: chain.config.n: the configured value \"many\" is no integer") == true)
    #expect(doc(["modle": .text("x")]).1 == ["'modle' is configured, but no chain.config declares it; did you mean 'model'?"])
  }

  // MARK: Patterns

  @Test("a pattern that string.find can meet anywhere without an error is taken, any other refused", arguments: 0..<400)
  func patterns(seed: UInt64) throws {
    var generator = Generator(state: seed &* 77 &+ 5)
    let pieces = ["a", "%", "[", "]", "^", "(", ")", "%b", "%f", "%1", ".", "*", "-", "$", "%a", "[a-z]", "()", "x"]
    let pattern = (0..<Int.random(in: 1...7, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
    let state = try LuaState()
    // Subjects made of the pattern's own characters reach most of it.
    let finder = try state.load(
      """
      local pattern = ...
      local subjects = { "", "a", "aa", "xa", "ax", "aaxx", "a]", "[a", "^a", "^", "*", "-", "$", "]", "b", "f" , "1", "aaaaaaaa" }
      for _, s in ipairs(subjects) do
        local ok, message = pcall(string.find, s, pattern)
        if not ok then return message end
      end
      return ""
      """, name: "p")
    let message: String = try finder.call(pattern)
    if message != "" { #expect(PatternSyntax.problem(in: Array(pattern.utf8)) != nil, "\(pattern): \(message)") }
  }

  @Test("damaged bytecode is refused, never trusted", arguments: 0..<200)
  func damagedBytecode(seed: UInt64) throws {
    var generator = Generator(state: seed &+ 99)
    let graph = try load(helloText)
    var code = try #require(graph.bundle.files.first).code
    #expect(throws: Never.self) { try BytecodeScan(code) }
    for _ in 0..<3 { code[Int.random(in: 0..<code.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator) }
    if Bool.random(using: &generator) { code.removeLast(Int.random(in: 1..<code.count, using: &generator)) }
    _ = try? BytecodeScan(code)
  }

  @Test("annotations have a class for each chainlet, its input, its needs, its own methods and fields")
  func annotations() throws {
    let graph = try load(
      head + """
        local Words = chain.chainlet 'Words' { input = { text = t.string, n = t.integer { default = 3 } }, output = t.stream(t.string, t.integer) }
        function Words:run(req, emit) emit(req.text) return 1 end
        local All = chain.chainlet 'All' { input = { kind = t.enum { 'a', 'b' } }, output = t.list({ word = t.string, n = t.optional(t.integer) }),
          needs = { words = Words, tools = { words = Words } }, secrets = { 'KEY' } }
        function All:run(req) self.seen = 1 return self:pick(req, 2) end
        function All:pick(req, ...) return {} end
        return All
        """)
    let text = LuaAnnotations.types(of: graph)
    for line in [
      "---@class chainlet.Words.input\n---@field n integer\n---@field text string\n", "---@class chainlet.Words.arguments\n---@field n? integer\n---@field text string\n",
      "---@alias chainlet.Words.item string\n", "---@overload fun(): chainlet.Words.item?\n",
      "---@field run fun(self: chainlet.Words, req: chainlet.Words.input, emit: fun(item: chainlet.Words.item)): integer\n",
      "---@field kind \"a\"|\"b\"\n", "---@field words fun(req: chainlet.Words.arguments, opts?: chain.CallOptions): chainlet.Words.stream\n",
      "---@field tools chainlet.All.tools\n", "---@field secrets { KEY: string }\n", "---@field pick fun(self: chainlet.All, req?: any, ...: any): any...\n",
      "---@field seen any\n", ": { n?: integer, word: string }[]\n",
    ] { #expect(text.contains(line), "\(line)\n in \(text)") }
  }
}

/// SplitMix64.
struct Generator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite("Hostile files")
struct HostileGraphTests {
  @Test(
    "end in a problem, quickly and in little memory",
    arguments: [
      "local r = {}; r.a, r.b = r, r; return chain.chainlet 'A' { input = r }",
      "local v = {}; v.a, v.b = v, v; return chain.chainlet 'A' { input = { a = t.any { default = v } } }",
      "local n = {}; n.a, n.b, n.c, n.d = n, n, n, n; return chain.chainlet 'A' { needs = n }",
      "local c = {}; c.a, c.b = c, c; return chain.const(c)",
      "local d = {}; for i = 1, 60 do d = { a = d, b = d } end; return chain.const(d)",
      "local x = t.string; for i = 1, 1000 do x = t.list(x) end; return chain.chainlet 'A' { output = x }",
      "local x = t.string; for i = 1, 1000 do x = x { min = 1 } end; return chain.chainlet 'A' { output = x }",
      "local function f() return f() + 1 end; f()",
      "return chain.chainlet(('A'):rep(1000000)) { [('b'):rep(1000000)] = 1 }",
      "return chain.chainlet 'A' { needs = setmetatable({}, { __index = function() while true do end end, __pairs = function() while true do end end }) }",
      "error(setmetatable({}, { __tostring = function() while true do end end }))",
      "return setmetatable({}, { __index = function() while true do end end })",
      "local all = {} for i = 1, 20000 do all['k' .. i] = 7 end return chain.chainlet 'A' { input = all }",
      "coroutine.wrap(function() chain.chainlet 'A' { inptu = 1 } error 'x' end)()",
      "local ok, value = pcall(require, 'nothing') return value.a.b.c(1) .. 2 + 3",
      "return chain.chainlet", "return chain", "return t", "return t.string", "return require", "return require 'chain'",
      "chain.types = nil; t.string = nil; return 1", "rawset(chain, 'chainlet', nil); return chain.chainlet 'A' {}",
      "local A = chain.chainlet 'A' {}; rawset(A, 'run', 1); return A",
      "local A = chain.chainlet 'A' {}; A[1] = 2; A[A] = A; A[true] = print; return A",
      "local A = chain.chainlet 'A' {}; return A.super.x", "local A = chain.chainlet 'A' {}; return A:extend() {}",
      "return chain.chainlet 'A' { needs = { a = chain.chainlet } }", "return t.list(t)", "for i = 1, 1e9 do pcall(error) end",
    ])
  func hostile(_ code: String) throws {
    var source = GraphSource(texts: ["graph.lua": "local chain = require 'chain'; local t = chain.types; " + code])
    source.timeLimit = 0.3
    source.memoryLimit = 64 << 20
    let clock = ContinuousClock()
    let start = clock.now
    let outcome = GraphLoader.check(source)
    let time = clock.now - start
    #expect(outcome.graph == nil && !outcome.problems.isEmpty)
    #expect(outcome.problems.allSatisfy { $0.description.utf8.count < 5_000 })
    #expect(time < .seconds(20))
  }
}
