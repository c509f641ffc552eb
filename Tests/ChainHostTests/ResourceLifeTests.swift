import ChainBase
import ChainHost
import ChainLoop
import ChainTesting
import Testing

/// Property 16: no resource is freed in use, all are freed when unused, and one is loaded at a time.
@Suite("The life of resources")
struct ResourceLifeTests {
  /// Every opening and closing of one object, and what was wrong with them.
  private final class Ledger: Sendable {
    struct State {
      var open: Set<Int> = []
      var next = 0
      var openings = 0
      var uses = 0
      var problems: [String] = []
    }
    let state = Monitor(State())

    func opened() -> Int {
      state.withLock { state in
        state.next += 1
        state.openings += 1
        if !state.open.isEmpty { state.problems.append("two are open at once") }
        state.open.insert(state.next)
        return state.next
      }
    }
    func closed(_ id: Int) {
      state.withLock { state in if state.open.remove(id) == nil { state.problems.append("\(id) is closed twice") } }
    }
    func used(_ id: Int) {
      state.withLock { state in
        state.uses += 1
        if !state.open.contains(id) { state.problems.append("\(id) is used after it was closed") }
      }
    }
  }

  private struct Options: ChainRecord { var name: String }
  private final class Thing: Sendable {
    let id: Int
    init(_ id: Int) { self.id = id }
  }

  private func module(_ ledger: Ledger) -> PrimitiveModule {
    PrimitiveModule("things") {
      ResourceType("thing", options: Options.self, open: { _ in Thing(ledger.opened()) }, close: { ledger.closed($0.id) })
        .method("use") { (thing: Thing, turns: Int) async throws -> Int in
          for _ in 0..<turns {
            await Task.yield()
            ledger.used(thing.id) // also when the call that asked has gone
          }
          return thing.id
        }
    }
  }

  private static let graph = """
    local chain = require "chain"
    local t = chain.types
    local things = require "things"
    local Main = chain.chainlet "Main" {
      input = { turns = t.integer, pause = t.number }, output = t.integer, uses = { thing = things.thing { name = "x" } },
    }
    function Main:run(req)
      self.thing:use(1)
      chain.sleep(req.pause)
      return self.thing:use(req.turns)
    end
    return Main
    """

  @Test("none is closed in use, all are closed when unused, one is open at a time", arguments: 1...100)
  func life(seed: UInt64) throws {
    let environment = SimulatedEnvironment(seed: seed, faults: seed % 2 == 1 ? .drawn(seed: seed) : .none)
    let ledger = Ledger()
    let module = module(ledger)
    try environment.run(limit: 5_000_000) {
      let host = ChainHost(lanes: 2, environment: environment)
      host.add(module)
      host.resourceGrace = [0, 0.01, 30][Int(seed % 3)]
      try await withThrowingTaskGroup(of: Void.self) { group in
        for client in 0..<3 {
          group.addTask {
            for round in 0..<4 {
              let chain = try await host.load(files: ["graph.lua": ResourceLifeTests.graph])
              try await withThrowingTaskGroup(of: Void.self) { requests in
                for request in 0..<3 {
                  requests.addTask {
                    var options = Chain.RequestOptions()
                    // Some are out of time while the object still works for them.
                    if (client + round + request) % 3 == 0 { options.timeout = environment.random() % 3_000_000 }
                    let pause = Double(environment.random() % 4) / 1_000
                    let turns = Int64(environment.random() % 20)
                    do throws(Failure) { _ = try await chain.run(["turns": .integer(turns), "pause": .number(pause)], options) } catch {
                      guard error.code == "timeout" else { throw error }
                    }
                  }
                }
                try await requests.waitForAll()
              }
              await chain.close()
            }
          }
        }
        try await group.waitForAll()
      }
      await host.shutdown()
    }
    _ = environment.runUntilIdle()
    let state = ledger.state.withLock { $0 }
    #expect(state.problems == [])
    #expect(state.open == [])
    #expect(state.uses > 0)
    if seed % 3 == 2 { #expect(state.openings == 1) } // within the grace period nothing is loaded twice
  }
}
