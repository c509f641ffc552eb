import ChainBase
import ChainHost
import ChainLoop
import Testing

/// A native function that blocks its lane until the test lets it go: what no primitive should do.
private final class Trap: Sendable {
  private struct State {
    var entered = 0
    var isOpen = false
    var after = 0
  }
  private let state = Monitor(State())

  var module: PrimitiveModule {
    let state = state
    return PrimitiveModule("trap") {
      Primitive("fall") { () -> Bool in
        state.withLock { $0.entered += 1 }
        state.broadcast()
        return state.wait { $0.isOpen ? true : nil }
      }
      Primitive("after") { () -> Bool in
        state.withLock { $0.after += 1 }
        return true
      }
    }
  }

  func open() {
    state.withLock { $0.isOpen = true }
    state.broadcast()
  }
  /// How often code went on behind the trap.
  var after: Int { state.withLock { $0.after } }
  var isEntered: Bool { state.withLock { $0.entered > 0 } }
}

private let source = """
  local chain = require "chain"
  local t = chain.types
  local trap = require "trap"
  local Stuck = chain.chainlet "Stuck" { input = { fall = t.boolean }, output = t.integer, limits = { cpu = 0.05 } }
  function Stuck:init() self.calls = 0 end
  function Stuck:run(req)
    self.calls = self.calls + 1
    if req.fall then
      pcall(trap.fall)
      trap.after()
    end
    return self.calls
  end
  local Main = chain.chainlet "Main" { input = { fall = t.boolean }, output = t.integer, needs = { stuck = Stuck } }
  function Main:run(req)
    local ok, result = pcall(self.stuck, { fall = req.fall })
    if not ok then trap.after() error(result) end
    return result
  end
  local Slow = chain.chainlet "Slow" { output = t.integer }
  function Slow:run() chain.sleep(60) return 1 end
  local Writer = chain.chainlet "Writer" { output = t.stream(t.integer) }
  function Writer:run(req, emit) for i = 1, 1e9 do emit(i) chain.sleep(0.001) end end
  return { main = Main, slow = Slow, writer = Writer }
  """

@Suite("Lost lanes")
struct LostLaneTests {
  private func failure(_ chain: Chain, _ entry: String, _ input: ChainValue = [:]) async -> Failure? {
    do throws(Failure) {
      _ = try await chain.run(input, .init(entry: entry))
      return nil
    } catch { return error }
  }

  @Test("a lane that does not come back is given up: its requests are answered, a fresh one serves, nobody waits for it")
  func replaced() async throws {
    let trap = Trap()
    let lines = Monitor<[LogLine]>([])
    let host = ChainHost(log: { line in lines.withLock { $0.append(line) } })
    host.add(trap.module)
    let chain = try await host.load(files: ["graph.lua": source])
    #expect(try await chain.run(["fall": false], .init(entry: "main")) == 1)
    async let bystander = failure(chain, "slow")
    var reader = try chain.stream([:], .init(entry: "writer")).makeAsyncIterator()
    let first = try await reader.next()
    #expect(first == .value(.integer(1)))
    let own = await failure(chain, "main", ["fall": true])
    #expect(own?.code == "timeout")
    #expect(own?.retry == false)
    #expect(own?.message.contains("Stuck did not come back from a native function, where nothing can end it, within 1 s after its limit of 0.05 s (limits.cpu)") == true, "\(String(describing: own))")
    let other = await bystander
    #expect(other?.code == "state_lost")
    #expect(other?.retry == true)
    do throws(Failure) {
      while try await reader.next() != nil {}
      Issue.record("the stream ended well")
    } catch { #expect(error.code == "state_lost") }
    #expect(host.lostLanes == 1)
    // The fresh lane has states that init alone made.
    #expect(try await chain.run(["fall": false], .init(entry: "main")) == 1)
    #expect(try await chain.run(["fall": false], .init(entry: "main")) == 2)
    let said = lines.withLock { $0 }
    #expect(said.contains { $0.level == .error && $0.chainlet == "Stuck" && $0.message.hasPrefix("lane 0 is lost: ") })
    await chain.close()
    await host.shutdown()
    trap.open()
    while host.lostLanes > 0 { try await Task.sleep(for: .milliseconds(1)) } // its thread has come back and left
    #expect(trap.after == 0, "code went on in a lane that was given up")
  }

  @Test("a load whose init does not come back fails, and so does nothing else")
  func stuckInit() async throws {
    let trap = Trap()
    let host = ChainHost(lanes: 2)
    host.add(trap.module)
    let sound = try await host.load(files: ["graph.lua": source])
    do {
      _ = try await host.load(files: ["graph.lua": """
        local chain = require "chain"
        local trap = require "trap"
        local Bad = chain.chainlet "Bad" { limits = { cpu = 0.05 } }
        function Bad:init() trap.fall() end
        function Bad:run() end
        return Bad
        """])
      Issue.record("it was loaded")
    } catch { #expect(error.message.contains("Bad did not come back"), "\(error)") }
    for _ in 0..<4 { _ = try await sound.run(["fall": false], .init(entry: "main")) }
    #expect(host.lostLanes == 1)
    trap.open()
    await host.shutdown()
  }

  @Test("a host that loses more lanes than it bears says so and refuses; the end waits for nobody")
  func tooMany() async throws {
    let trap = Trap()
    let told = Monitor<[Failure]>([])
    let host = ChainHost(mostLostLanes: 1, tooManyLost: { failure in told.withLock { $0.append(failure) } })
    host.add(trap.module)
    let chain = try await host.load(files: ["graph.lua": source])
    for _ in 0..<2 { #expect(await failure(chain, "main", ["fall": true])?.code == "timeout") }
    let refused = await failure(chain, "main", ["fall": false])
    #expect(refused?.code == "unavailable")
    #expect(refused?.message == "2 lanes are lost, more than the 1 that this host bears (mostLostLanes): restart the process")
    #expect(told.withLock { $0 } == [refused])
    await host.shutdown()
    trap.open()
  }

  @Test("a shutdown while a lane is stuck gives it up and ends")
  func shutdown() async throws {
    let trap = Trap()
    let host = ChainHost()
    host.add(trap.module)
    let chain = try await host.load(files: ["graph.lua": source])
    async let stuck = failure(chain, "main", ["fall": true])
    while !trap.isEntered { try await Task.sleep(for: .milliseconds(1)) }
    await host.shutdown()
    #expect(await stuck?.code == "timeout")
    trap.open()
  }
}
