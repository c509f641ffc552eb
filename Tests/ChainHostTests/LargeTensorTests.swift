import ChainBase
import ChainHost
import Testing

/// Tensor functions that are too much work for one event of a lane, and what bounds them.
@Suite("Large tensors in a script", .serialized)
struct LargeTensorTests {
  private static func graph(_ body: String, limits: String = "memory = '128MB'") -> String {
    """
    local chain = require "chain"
    local tensor = require "tensor"
    local t = chain.types
    local Main = chain.chainlet "Main" { output = t.any, limits = { \(limits) } }
    function Main:run()
    \(body)
    end
    local Other = chain.chainlet "Other" { output = t.integer }
    function Other:run() return 1 end
    return { main = Main, other = Other }
    """
  }

  private func value(_ body: String, limits: String = "memory = '128MB'") async throws -> ChainValue {
    try await withChain(Self.graph(body, limits: limits)) { try await $0.run([:], .init(entry: "main")) }
  }

  private func failure(_ body: String, limits: String) async -> Failure? {
    do { _ = try await value(body, limits: limits) } catch { return error as? Failure }
    return nil
  }

  @Test("give what they give at once, whatever is worked out", arguments: [
    ("tensor.range(1, 1500000):sum()", "1125000750000"), ("tensor.range(1, 1500000):max()", "1500000"),
    ("tensor.range(1, 1500000):argmax()", "1500000"), ("tensor.range(1, 1500000):mean()", "750000.5"),
    ("(tensor.ones({ 1500000 }) ^ 2.5):sum()", "1500000.0"), ("(-tensor.ones({ 1500000 }, 'int8')):sum()", "-1500000"),
    ("tensor.ones({ 1500000 }) == tensor.ones({ 1500000 })", "true"), ("tensor.ones({ 1500000 }) == tensor.zeros({ 1500000 })", "false"),
    ("tensor.ones({ 1000, 1500 }):transpose():reshape(-1):sum()", "1500000.0"),
    ("(tensor.ones({ 1000, 1500 }):transpose() + tensor.ones({ 1000 })):sum()", "3000000.0"),
    ("tensor.ones({ 300, 300 }):matmul(tensor.ones({ 300, 300 })):sum()", "27000000.0"),
    ("tensor.ones({ 120, 120 }, 'int16'):matmul(tensor.ones({ 120, 120 }, 'int16')):sum()", "1728000"),
    ("tensor.concat({ tensor.range(1, 700000), tensor.range(1, 700000) }):sum()", "490000700000"),
    ("tensor.stack({ tensor.range(1, 700000), tensor.range(1, 700000) }, 2).shape[2]", "2"),
    ("select(2, tensor.range(1, 200000):top_k(100)):at(1)", "200000"), ("tensor.range(1, 300000):softmax():argmax()", "300000"),
    ("tensor.from_npy(tensor.range(1, 1500000):npy()):sum()", "1125000750000"), ("#tensor.ones({ 1500000 }):table()", "1500000"),
    ("tensor.ones({ 200000 }):take(tensor.ones({ 200000 }, 'int64')):sum()", "200000.0"),
    ("tensor.where(tensor.ones({ 1500000 }):gt(0), 1, 2):sum()", "1500000"), ("tensor.ones({ 1500000 }):cast('float16'):sum()", "inf"),
    ("tensor.zeros({ 300000 }):pick({ seed = 1 }) < 300000", "true"),
    ("tensor.ones({ 2, 300, 2000 }):mean_pool(tensor.ones({ 2, 300 })):sum()", "4000.0"),
  ])
  func same(code: String, expected: String) async throws {
    #expect(try await value("return tostring((\(code)))") == .string(expected))
  }

  @Test("long lists become tensors")
  func lists() async throws {
    #expect(try await value("""
      local list = {}
      for i = 1, 100000 do list[i] = i end
      local x = tensor.new { list, list, list }
      list[99999] = "x"
      local _, problem = pcall(tensor.new, list)
      list[99999] = 300
      local _, misfit = pcall(tensor.new, list, "uint8")
      return { x:sum(), problem, misfit }
      """) == [
        15_000_150_000, #"graph.lua:10: bad argument #1 to 'new': numbers or lists of them expected, got string ("x")"#,
        "graph.lua:12: bad argument #1 to 'new': value 256, 256, does not fit uint8",
      ])
  }

  @Test("what is wrong is an error at the author's line")
  func wrong() async throws {
    #expect(try await value("""
      local x = tensor.ones { 1500, 1500 }
      local _, problem = pcall(function() return x:cast("float64"):softmax():matmul(x[1]:slice(1, 7)) end)
      return problem
      """) == "graph.lua:7: matmul: 1500x1500 by 7: the inner dimensions 1500 and 7 differ")
  }

  @Test("are done, up to a bound, where a run cannot wait, as in a message handler of xpcall; wherever it can, anything is")
  func anywhere() async throws {
    #expect(try await value("""
      local x = tensor.ones { 1000, 1500 }
      local product, sorted = nil, { 3, 1, 2 };
      ("x"):gsub("x", function() product = #x:matmul(x:transpose()) end)
      table.sort(sorted, function(a, b) return (x + 1):sum() > 0 and a < b end)
      local wrapped = coroutine.wrap(function() coroutine.yield((x + 1):sum()) end)()
      local _, sum = xpcall(error, function() return (x + 1):sum() end)
      local _, problem = xpcall(error, function() return select(2, pcall(x.matmul, x, x:transpose())) end)
      return { product, sorted[3], wrapped, sum, (problem:match("matmul: too much work at once, about %d+ steps where at most 16777216 are done")) ~= nil }
      """) == [1000, 3, 3_000_000.0, 3_000_000.0, true])
  }

  @Test("are no waits: no other run of the chainlet goes on before they have ended")
  func held() async throws {
    #expect(try await value("""
      self.n = 0
      chain.each({ 1, 2, 3, 4, 5 }, function()
        for i = 1, 3 do
          local before = self.n
          local sum = tensor.range(1, 1500000):sum()
          assert(self.n == before, "another run went on")
          self.n = before + 1
          chain.sleep(0)
        end
      end)
      return self.n
      """) == 15)
  }

  @Test("count for the limits: their time is the run's, and their memory the state's, all that is alive at one time")
  func limits() async throws {
    let long = await failure("local x = tensor.ones({ 3000, 3000 }, 'int8') return x:matmul(x):sum()", limits: "memory = '128MB', cpu = 0.5")
    #expect(long?.code == "cpu_limit")
    #expect(long?.trace.first?.place == SourcePlace(file: "graph.lua", line: 6))
    for body in [
      "local x = tensor.ones { 1500, 1500 } return (x / 2):sum()", // 9 MB each
      "local x = tensor.ones { 1000, 1000 } return x:cast('float64'):sum()",
      "local x = tensor.range(1, 1000000, 1, 'float32') return x:top_k(100):sum()", // has room for one, and not for the order
      "local x, l = tensor.ones({ 500, 500 }):transpose(), {} for i = 1, 1000 do l[i] = x end return #tensor.concat(l)",
      "local x = { 1, 1 } for _ = 1, 14 do x = { x, x, x, x } end return #tensor.new(x)",
      "return #tensor.zeros { 1 << 31, 0 }:table()",
    ] { #expect(await failure(body, limits: "memory = '10MB', cpu = 30")?.code == "memory_limit", "\(body)") }
    #expect(try await value("""
      local sum = 0
      for i = 1, 20 do sum = sum + (tensor.ones { 1000, 500 } * 2):sum() end
      return sum
      """, limits: "memory = '8MB'") == 20_000_000.0) // what is not alive any more does not count
  }

  @Test("end with a timeout around them", arguments: 0..<8)
  func ended(_ step: Int) async throws {
    #expect(try await value("""
      local x = tensor.ones({ 1000, 1000 }, "int8")
      local closed = 0
      for i = 1, 10 do
        pcall(chain.timeout, (i + \(step)) / 1000, function()
          local c <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
          while true do (x + 1):sum() x:matmul(x) end
        end)
      end
      return { closed, x:sum() }
      """, limits: "memory = '128MB', cpu = 30") == [10, 1_000_000])
  }

  @Test("let others on their lane go on", arguments: [
    "local x = tensor.ones({ 600, 600 }, 'int8') return x:matmul(x):sum()", "local x = tensor.ones { 2000, 2000 } return x:matmul(x):sum()",
    "local list = {} for i = 1, 1000 do list[i] = i end local all = {} for i = 1, 1000 do all[i] = list end return #tensor.new(all)",
    "local v, p = tensor.range(1, 500000):top_k(100) return #p", "return #tensor.ones({ 1000000 }):table()",
  ])
  func neighbours(body: String) async throws {
    try await withChain(Self.graph(body, limits: "memory = '256MB', cpu = 60")) { chain in
      let others = try await answer(of: chain, [:]).others
      #expect(others > 1)
    }
  }
}
