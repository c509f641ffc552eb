import ChainBase
import ChainHost
import Testing

/// Several real lanes under thousands of requests, with cancellations, timeouts, streams and spinners: for
/// ThreadSanitizer above all.
@Suite("Lanes under load, in the real environment")
struct LanesUnderLoadTests {
  private static let source = """
    local chain = require "chain"
    local t = chain.types
    local Leaf = chain.chainlet "Leaf" { input = { i = t.integer }, output = t.integer }
    function Leaf:run(req)
      if req.i % 7 == 0 then chain.sleep(0.001) end
      return req.i
    end
    local Serial = chain.chainlet "Serial" { input = { i = t.integer }, output = t.integer, scaling = { concurrency = 1 } }
    function Serial:run(req)
      local held = self.n or 0
      if req.i % 50 == 0 then for i = 1, 3e6 do end end
      if (self.n or 0) ~= held then error("an update was interleaved") end
      self.n = held + 1
      return req.i
    end
    local Writer = chain.chainlet "Writer" { input = { i = t.integer }, output = t.stream(t.integer) }
    function Writer:run(req, emit) for k = 1, 50 do emit(req.i * 100 + k) end end
    local Main = chain.chainlet "Main" {
      input = { i = t.integer }, output = t.integer, needs = { leaf = Leaf, serial = Serial, writer = Writer },
      scaling = { queue = 100000 },
    }
    function Main:run(req)
      if req.i % 11 == 0 then while true do pcall(chain.sleep, 0.001) end end
      if req.i % 97 == 0 then while true do end end
      local out = chain.map({ 1, 2, 3 }, function(k) return self.leaf { i = req.i + k } end)
      for k = 1, 3 do assert(out[k] == req.i + k) end
      local n = 0
      for x in self.writer { i = req.i } do
        n = n + 1
        assert(x == req.i * 100 + n)
        if n == 20 then break end
      end
      return self.serial { i = req.i }
    end
    return { main = Main, writer = Writer }
    """

  @Test("thousands of requests, some cancelled, some spinning, on three lanes", .timeLimit(.minutes(2)))
  func load() async throws {
    let host = ChainHost(lanes: 3)
    let chain = try await host.load(files: ["graph.lua": LanesUnderLoadTests.source])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in 0..<20 {
        group.addTask { try await LanesUnderLoadTests.ask(chain, client) }
      }
      try await group.waitForAll()
    }
    await host.shutdown()
  }

  private static func ask(_ chain: Chain, _ client: Int) async throws {
    for round in 0..<100 {
      let i = client * 100 + round
      let input: ChainValue = ["i": .integer(Int64(i))]
      if i % 5 == 0 {
        var count = 0
        for try await item in try chain.stream(input, .init(entry: "writer")) {
          count += 1
          #expect(item == .value(.integer(Int64(i * 100 + count))))
          if i % 10 == 0, count == 7 { break }
        }
      } else if i % 11 == 0 || i % 97 == 0 {
        let endless = Task { try await chain.run(input, .init(entry: "main", timeout: i % 2 == 0 ? 20_000_000 : nil)) }
        try await Task.sleep(for: .milliseconds(5))
        if i % 2 == 1 { endless.cancel() }
        let failure = await #expect(throws: Failure.self) { try await endless.value }
        #expect(failure?.code == (i % 2 == 1 ? "cancelled" : "timeout"))
      } else {
        let value = try await chain.run(input, .init(entry: "main"))
        #expect(value == .integer(Int64(i)))
      }
    }
  }
}
