import ChainBase
import ChainHost
import ChainTensors
import LuaBridge
import Testing

@Suite("require \"tensor\"") struct TensorModuleTests {
  /// What a Lua expression gives, as text, with `tensor` at hand; its error when it fails.
  private func ask(_ code: String, limit: Int = 64 << 20) throws -> String {
    let state = try LuaState(memoryLimit: limit, seed: 7)
    try state.hostSection { stack in
      stack.pushRealGlobals()
      _ = BuiltInModule.push("tensor", onto: stack, of: state)
      stack.rawSet(-2, field: "tensor")
      stack.pop()
    }
    do {
      return try state.run("""
        local function show(v)
          if type(v) == "userdata" then return show(v:table()) end
          if type(v) ~= "table" then return type(v) == "number" and string.format("%.6g", v) or tostring(v) end
          local all = {}
          for i, x in ipairs(v) do all[i] = show(x) end
          return "{" .. table.concat(all, " ") .. "}"
        end
        local function all(...)
          local shown = {}
          for i = 1, select("#", ...) do shown[i] = show((select(i, ...))) end
          return table.concat(shown, " ")
        end
        \(code.contains("return") ? code : "return all(\(code))")
        """)
    } catch { return error.message }
  }

  @Test("values are looked at as a Lua person expects", arguments: [
    ("tensor.new { {1, 2}, {3, 4} }", "{{1 2} {3 4}}"), ("#tensor.new { {1, 2}, {3, 4}, {5, 6} }", "3"),
    ("tostring(tensor.new { {1, 2.5} })", "tensor float32 1x2"), ("tensor.new { 1, 2 }.dtype", "int64"),
    ("tensor.new({ true, false }).dtype", "bool"), ("tensor.new({ 1, 2 }, 'float16').dtype", "float16"),
    ("tensor.new({ {1, 2}, {3, 4} })[2]", "{3 4}"), ("tensor.new({ {1, 2}, {3, 4} })[2][1]", "3"),
    ("tensor.new({ 7, 8, 9 })[-1]", "9"), ("tensor.new({ {1, 2}, {3, 4} }):at(-1, 2)", "4"),
    ("tensor.new({ {1, 2}, {3, 4} }).shape", "{2 2}"), ("tensor.new({ {1, 2} }).rank, tensor.new({ {1, 2} }).count", "2 2"),
    ("tensor.new { 1, 2, 3, 4, 5 }:slice(2, 4)", "{2 3 4}"), ("tensor.new { 1, 2, 3, 4, 5 }:slice(-2)", "{4 5}"),
    ("tensor.new { 1, 2, 3, 4, 5 }:slice(1, -1, 1, 2)", "{1 3 5}"), ("tensor.new { {1, 2, 3}, {4, 5, 6} }:slice(2, 9, 2)", "{{2 3} {5 6}}"),
    ("tensor.new { {1, 2, 3}, {4, 5, 6} }:take({ -1, 1 }, 2)", "{{3 1} {6 4}}"), ("tensor.is(tensor.zeros { 1 }), tensor.is(1)", "true false"),
    ("tensor.zeros({ 2 }, 'int8'), tensor.ones { 1, 2 }, tensor.full({ 2 }, 7)", "{0 0} {{1 1}} {7 7}"),
    ("tensor.range(1, 4), tensor.range(0, 1, 0.25)", "{1 2 3 4} {0 0.25 0.5 0.75 1}"), ("tensor.range(3, 1, -1), tensor.range(1, 0)", "{3 2 1} {}"),
    ("tensor.from_bytes('\\1\\2\\3\\4', 'uint8', { 2, 2 })", "{{1 2} {3 4}}"), ("#tensor.ones({ 3 }):bytes()", "12"),
    ("tensor.from_npy(tensor.range(1, 3):npy())", "{1 2 3}"), ("tensor.new(5):item()", "5"),
  ])
  func values(code: String, expected: String) throws { #expect(try ask(code) == expected) }

  @Test("operators and functions work with tensors and numbers", arguments: [
    ("tensor.new { 1, 2 } + tensor.new { 10, 20 }", "{11 22}"), ("1 - tensor.new { 1, 2 }", "{0 -1}"), ("tensor.new { 1, 2 } * 2.5", "{2.5 5}"),
    ("tensor.new { 1, 2 } / 2", "{0.5 1}"), ("2 ^ tensor.new { 1.0, 3 }", "{2 8}"), ("-tensor.new { 1, -2 }", "{-1 2}"),
    ("tensor.new { 1, 2 } == tensor.new { 1, 2 }, tensor.new { 1 } == tensor.new { 2 }, tensor.new { 1 } == 1", "true false false"),
    ("tensor.new { {1}, {2} } + tensor.new { 10, 20 }", "{{11 21} {12 22}}"),
    ("tensor.gt(tensor.new { 1, 3 }, 2), tensor.new({ 1, 3 }):le(1)", "{false true} {true false}"),
    ("tensor.where(tensor.new { true, false }, 1, tensor.new { 5, 6 })", "{1 6}"), ("tensor.maximum(tensor.new { 1, 5 }, 3)", "{3 5}"),
    ("tensor.new { {1, 2}, {3, 4} }:sum(), tensor.new { {1, 2}, {3, 4} }:sum(1), tensor.new { {1, 2}, {3, 4} }:mean(-1, true)", "10 {4 6} {{1.5} {3.5}}"),
    ("tensor.new { {1, 2}, {3, 4} }:max({ 1, 2 }), tensor.new { 3, 9, 1 }:argmax(), tensor.new { {3, 9}, {4, 1} }:argmax(1)", "4 2 {2 1}"),
    ("tensor.new { 3, 9, 1, 7 }:top_k(2)", "{9 7} {2 4}"), ("tensor.new { 0.0, 0.0 }:softmax()", "{0.5 0.5}"),
    ("tensor.new { 3.0, 4 }:normalize()", "{0.6 0.8}"), ("tensor.new { 1.0, 0 }:cosine(tensor.new { 1.0, 1 })", "0.707107"),
    ("tensor.new { {1, 2}, {3, 4} }:matmul(tensor.new { 1, 1 })", "{3 7}"), ("tensor.new { -1.5, 0.5, 2 }:clip(-1, 1)", "{-1 0.5 1}"),
    ("tensor.new { {{1.0, 2}, {3, 4}} }:mean_pool(tensor.new { {1, 0} })", "{{1 2}}"), ("tensor.new { 1, 2, 3, 4 }:reshape(2, -1):transpose()", "{{1 3} {2 4}}"),
    ("tensor.concat({ tensor.new { 1 }, tensor.new { 2, 3 } })", "{1 2 3}"), ("tensor.stack({ tensor.new { 1, 2 }, tensor.new { 3, 4 } }, 2)", "{{1 3} {2 4}}"),
    ("tensor.new { 1, 2 }:expand(2):broadcast { 2, 2 }", "{{1 1} {2 2}}"), ("tensor.new { {1, 2} }:squeeze()", "{1 2}"), ("tensor.new { 1.7, -1.7 }:cast 'int32'", "{1 -1}"),
    ("tensor.pick(tensor.new { 0.0, 9, 1 }, { temperature = 0 }), tensor.new({ 0.0, 9, 1 }):pick { top_k = 1 }", "1 1"),
    ("tensor.new({ 1.0, 1, 1, 1 }):pick { seed = 3 } == tensor.new({ 1.0, 1, 1, 1 }):pick { seed = 3 }", "true"),
  ])
  func operations(code: String, expected: String) throws { #expect(try ask(code) == expected) }

  @Test("mistakes are said at the line where they are", arguments: [
    ("tensor.new { 1, 2, 3 }[4]", "position 4 is out of bounds for tensor int64 3, which has 3 positions"),
    ("tensor.new { 1, 2, 3 }[0]", "position 0 is out of bounds for tensor int64 3, which has 3 positions"),
    ("tensor.new { 1, 2 }:at(1, 2)", "bad argument #3 to 'at': tensor int64 2 has 1 axes"),
    ("tensor.new { {1, 2} }:at(1, 3)", "bad argument #3 to 'at': position 3 is out of bounds for tensor int64 1x2, whose axis 2 has 2 positions"),
    ("tensor.new { {1, 2} }:sum(3)", "bad argument #2 to 'sum': there is no axis 3 in tensor int64 1x2, which has axes 1 to 2"),
    ("tensor.new { {1, 2} }:sumo(3)", "a tensor has no 'sumo'; did you mean 'sum'?"),
    ("tensor.new { {1, 2}, {3} }", "bad argument #1 to 'new': a list of 1 where the others have 2"),
    ("tensor.new { {1, 2}, 3 }", "bad argument #1 to 'new': some of the lists hold numbers where others hold lists"),
    ("tensor.new { 'x' }", "bad argument #1 to 'new': numbers or lists of them expected, got string (\"x\")"),
    ("tensor.new({ 300 }, 'int8')", "bad argument #1 to 'new': value 1, 300, does not fit int8"),
    ("tensor.new({ 1 }, 'flaot32')", "bad argument #2 to 'new': there is no element type 'flaot32'; did you mean 'float32'?"),
    ("tensor.new { 1 } + 'x'", "bad argument #2 to 'add': tensor or number expected, got string (\"x\")"),
    ("tensor.new { 1, 2 } + tensor.new { 1, 2, 3 }", "add: 2 and 3 do not fit: 2 and 3 differ, and neither is 1"),
    ("tensor.new({ {1.0, 2} }):matmul(tensor.new { {1.0, 2} })", "matmul: 1x2 by 1x2: the inner dimensions 2 and 1 differ"),
    ("tensor.new { 1.0 }:pick { topk = 1 }", "bad argument #2 to 'pick': unknown option 'topk'; did you mean 'top_k'?"),
    ("tensor.matmul(1, 2)", "bad argument #1 to 'matmul': tensor expected, got integer (1)"),
  ])
  func mistakes(code: String, expected: String) throws { #expect(try ask(code) == "chunk:13: \(expected)") }

  @Test("a closed tensor is gone for the script, and for its account")
  func closing() throws {
    #expect(try ask("local x = tensor.ones { 4 } x:close() x:close() return tostring(x)") == "a closed tensor")
    #expect(try ask("local x = tensor.ones { 4 } x:close() return x:sum()") == "chunk:13: bad argument #1 to 'sum': tensor expected, got a closed tensor")
    #expect(try ask("local x = tensor.ones { 4 } x:close() return 1 + x") == "chunk:13: bad argument #2 to 'add': tensor or number expected, got a closed tensor")
    #expect(try ask("local x = tensor.ones { 4 } do local y <close> = x end return tostring(x)") == "a closed tensor")
    // 3 MB each: without closing, a state of 4 MB could not hold two of them until they are collected.
    #expect(try ask("local last for i = 1, 20 do last = tensor.ones { 750000 } if i < 20 then last:close() end end return tostring(#last)", limit: 4 << 20) == "750000")
  }

  @Test("bytes of tensors count toward the limit, once for all views, and are collected in time")
  func memory() throws {
    let limit = 4 << 20
    #expect(try ask("local x = tensor.ones { 750000 } local y = x:reshape(750, 1000) local z = y:transpose() return tostring(z)", limit: limit) == "tensor float32 1000x750")
    #expect(try ask("for i = 1, 50 do local x = tensor.ones { 750000 } end return 'fine'", limit: limit) == "fine")
    #expect(try ask("for i = 1, 5000 do local x = tensor.ones { 5000 } end return 'fine'", limit: limit) == "fine")
    let refused = LuaError.noMemory.message
    #expect(try ask("local x, y = tensor.ones { 750000 }, tensor.ones { 750000 } return 'fine'", limit: limit) == refused)
    #expect(try ask("return tensor.zeros { 1000000000000 }", limit: limit) == refused)
    #expect(try ask("local x = tensor.ones { 1500 } return x:expand(1) + x:expand(2)", limit: limit) == refused)
    #expect(try ask("return tensor.ones({ 1 }):broadcast(1000000000):table()", limit: limit) == refused)
  }

  @Test("tensors that a run lets go make room, though each of them outlives the collector's next look")
  func answers() async throws {
    let host = ChainHost()
    host.add(PrimitiveModule("engine") {
      Primitive("run") { (count: Int) async throws -> Tensor in try Tensor([Float](repeating: 1, count: count), shape: [count]) }
    })
    let chain = try await host.load(files: ["graph.lua": """
      local chain = require "chain"
      local engine = require "engine"
      local t = chain.types
      local Main = chain.chainlet "Main" { input = { list = t.list(t.integer) }, output = t.integer, limits = { memory = "16MB" } }
      function Main:run(req)
        local last
        for _ = 1, 20 do last = engine.run(50000) end
        return #last
      end
      return Main
      """])
    let list = ChainValue.list((0..<128).map { .integer($0) })
    for _ in 0..<50 { #expect(try await chain.run(["list": list]) == 50000) }
    await host.shutdown()
  }

  @Test("a chain computes with tensors, and its needs share them")
  func inChain() async throws {
    try await withChain("""
      local chain, tensor = require "chain", require "tensor"
      local t = chain.types
      local weights = tensor.new { {1.0, 0}, {0, 2} }
      local Scale = chain.chainlet "Scale" { input = { x = t.tensor("float32", { "n", 2 }) }, output = t.tensor("float32", { "n", 2 }) }
      function Scale:run(req) return req.x:matmul(weights) end
      local Main = chain.chainlet "Main" { input = { x = t.tensor("float32", { "n", 2 }) }, output = t.list(t.number), needs = { scale = Scale } }
      function Main:run(req) return self.scale({ x = req.x }):sum(1):table() end
      return Main
      """
    ) { (chain: Chain) async throws -> Void in
      let reply = try await chain.run(["x": [[1, 2], [3, 4]]])
      #expect(reply == [4.0, 12.0])
    }
  }
}

@Suite("The annotations of the module tensor") struct TensorAnnotationTests {
  @Test("name every function and method, and no other")
  func names() {
    let text = LuaAnnotations.tensor
    func fields(of name: String) -> Set<String> {
      guard let start = text.firstRange(of: "---@class \(name)\n") else { return [] }
      let lines = text[start.upperBound...].split(separator: "\n", omittingEmptySubsequences: false).prefix { $0.hasPrefix("---@") }
      return Set(lines.filter { $0.hasPrefix("---@field ") && $0.contains(" fun(") }.map { String($0.split(separator: " ")[1]) })
    }
    let methods = Set(TensorFunctions.methods.map(\.0) + ["pick"])
    #expect(fields(of: "chain.Tensor") == methods.union(["close"]))
    #expect(fields(of: "tensor") == methods.union(TensorFunctions.constructors.map(\.0)))
  }
}
