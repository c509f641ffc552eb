import ChainBase
import ChainHost
import ChainLoop
import Testing

private let source = """
  local chain = require "chain"
  local t = chain.types
  local Worker = chain.chainlet "Worker" {
    input = { what = t.string }, output = t.integer, limits = { cpu = 0.3, memory = "1MB" },
  }
  function Worker:init() self.calls = 0 end
  function Worker:run(req)
    self.calls = self.calls + 1
    if req.what == "spin" then while true do pcall(function() while true do end end) end end
    if req.what == "fill" then local t = {} while true do pcall(function() t[#t + 1] = ("x"):rep(100) .. #t end) end end
    if req.what == "wait" then chain.sleep(0.1) end
    return self.calls
  end
  local Main = chain.chainlet "Main" { input = { what = t.string }, output = t.integer, needs = { worker = Worker:with { retries = 5 } } }
  function Main:run(req) return self.worker { what = req.what } end
  return Main
  """

@Suite("Kills")
struct KillTests {
  @Test("a killed call fails alone; the next one is served by a state that init alone made", arguments: [("spin", "cpu_limit"), ("fill", "memory_limit")])
  func rebuilt(what: String, code: String) async throws {
    try await withChain(source) { (chain: Chain) async throws -> Void in
      #expect(try await chain.run(["what": "count"]) == 1)
      #expect(try await chain.run(["what": "count"]) == 2)
      do {
        _ = try await chain.run(["what": .string(what)])
        Issue.record("it was not killed")
      } catch { #expect((error as? Failure)?.code == code) }
      #expect(try await chain.run(["what": "count"]) == 1)
    }
  }

  @Test("a run that waits in the killed state finishes in it")
  func waitingFinishes() async throws {
    let host = ChainHost()
    let gate = Gate()
    host.add(gate.module)
    let chain = try await host.load(files: ["graph.lua": source.replacing("chain.sleep(0.1)", with: "require('gate').pass()")])
    let waiting = Task { try await chain.run(["what": "wait"]) }
    await gate.arrival()
    let spun = try? await chain.run(["what": "spin"])
    let next = try await chain.run(["what": "count"])
    gate.open()
    let counted = try await waiting.value
    await host.shutdown()
    #expect(spun == nil)
    #expect(next == 1)
    #expect(counted == 2) // of the old state: the waiting call and the one that spun
  }

  @Test("a retired state that makes room for a later one lives until the run that spins in it has ended")
  func lostState() async throws {
    try await withChain(source) { (chain: Chain) async throws -> Void in
      func outcome(_ what: String) async -> String {
        do { return "\(try await chain.run(["what": .string(what)]))" } catch { return error.code }
      }
      for _ in 0..<5 {
        await withTaskGroup(of: String.self) { group in
          for _ in 0..<3 { group.addTask { await outcome("spin") } }
          _ = await group.next() // its state is retired; the others spin in it
          _ = await outcome("fill") // the state that came after is retired too
          for await other in group { #expect(["cpu_limit", "state_lost"].contains(other)) }
        }
        #expect(try await chain.run(["what": "count"]) == 1)
      }
    }
  }

  @Test("many kills, one after the other and at once: an honest call succeeds, or may be tried again")
  func manyKills() async throws {
    try await withChain(source) { (chain: Chain) async throws -> Void in
      await withTaskGroup(of: String?.self) { group in
        for i in 0..<60 {
          group.addTask {
            let what = i % 6 == 0 ? "fill" : i % 6 == 1 ? "spin" : "count"
            do throws(Failure) {
              _ = try await chain.run(["what": .string(what)])
              return what == "count" ? nil : "\(what) ended well"
            } catch {
              let isLost = error.code == Failure.Code.stateLost // with a state in which others were killed twice
              let isFull = error.code == Failure.Code.memoryLimit && error.message.hasSuffix("for its input") // they share a state
              return isLost || isFull || what != "count" ? nil : "\(what) got \(error)"
            }
          }
        }
        for await wrong in group { #expect(wrong == nil) }
      }
      _ = try await chain.run(["what": "count"])
    }
  }

  @Test("a chainlet whose init fails after a kill answers unavailable, and recovers")
  func rebuildFails() async throws {
    let host = ChainHost()
    let inits = Monitor(0)
    let gate = Gate()
    host.add(PrimitiveModule("count") { Primitive("init") { () -> Int in inits.withLock { $0 += 1; return $0 } } })
    host.add(gate.module)
    let chain = try await host.load(files: ["graph.lua": """
      local chain = require "chain"
      local t = chain.types
      local count, gate = require "count", require "gate"
      local Main = chain.chainlet "Main" { input = { spin = t.boolean }, output = t.integer, limits = { cpu = 0.2 }, scaling = { concurrency = 1 } }
      function Main:init()
        self.n = count.init()
        if self.n == 2 then error("no disk") end
      end
      function Main:run(req)
        if req.spin then gate.pass() while true do end end
        return self.n
      end
      return Main
      """])
    func outcome(_ spin: Bool) async -> String {
      do { return "\(try await chain.run(["spin": .boolean(spin)]) == 3)" } catch { return error.code }
    }
    async let killed = outcome(true)
    await gate.arrival()
    async let waiting = outcome(false)
    while await host.census().reduce(0, { $0 + $1.queued }) == 0 { try await Task.sleep(for: .milliseconds(1)) }
    gate.open()
    let (first, queued) = await (killed, waiting)
    let later = await outcome(false)
    await host.shutdown()
    #expect([first, queued, later] == ["cpu_limit", "unavailable", "true"])
  }

  @Test("an output is written where the state has hardly room left: names of it are copied on the way")
  func fullState() async throws {
    let host = ChainHost()
    let chain = try await host.load(files: ["graph.lua": """
      local chain = require "chain"
      local t = chain.types
      local Main = chain.chainlet "Main" { input = { count = t.integer }, output = t.map(t.integer), limits = { memory = "256KB" } }
      function Main:run(req)
        local map = {}
        for i = 1, req.count do map[i .. ("x"):rep(1000)] = i end
        return map
      end
      return Main
      """])
    var ends: Set<String> = []
    for count in 100..<240 {
      do throws(Failure) {
        let text = try await chain.run(json: Array(#"{"count":\#(count)}"#.utf8))
        #expect(text.count > count * 1_000)
        ends.insert("ok")
      } catch { ends.insert(error.code) }
    }
    await host.shutdown()
    #expect(ends == ["ok", "memory_limit"], "not both sides of the limit were reached")
  }
}

/// A primitive that chainlets wait in until the test opens it.
private final class Gate: Sendable {
  private let state = Monitor((arrived: false, isOpen: false))

  var module: PrimitiveModule {
    let state = state
    return PrimitiveModule("gate") {
      Primitive("pass") { () async throws -> Bool in
        state.withLock { $0.arrived = true }
        while !state.withLock({ $0.isOpen }) { try await Task.sleep(for: .milliseconds(1)) }
        return true
      }
    }
  }

  func open() { state.withLock { $0.isOpen = true } }
  func arrival() async { while !state.withLock({ $0.arrived }) { try? await Task.sleep(for: .milliseconds(1)) } }
}
