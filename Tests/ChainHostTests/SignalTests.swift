import ChainBase
import ChainHost
import ChainLoop
import Foundation
import Testing

private let source = """
  local chain = require "chain"
  local engine = require "engine"
  local t = chain.types
  local Worker = chain.chainlet "Worker" { input = { n = t.integer }, output = t.integer }
  function Worker:run(req)
    local list = {}
    for i = 1, 200 do list[i] = (i * 7919) % 1009 end
    table.sort(list)
    for i = 2, 200 do if list[i - 1] > list[i] then error("not sorted") end end
    local letters = 0
    for word in ("a bc def "):rep(40):gmatch("%a+") do letters = letters + #word end
    local sum = 0
    for v in coroutine.wrap(function() for i = 1, 50 do coroutine.yield(i) end end) do sum = sum + v end
    local answers = chain.map({ 1, 2, 3, 4 }, function(x) return engine.square(x) + engine.double(x) + engine.hop(x) end)
    local engines = 0
    for _, v in ipairs(answers) do engines = engines + v end
    local ok, message = pcall(error, "mine", 0)
    if ok or message ~= "mine" then error("another error than mine") end
    return letters + sum + engines + req.n
  end
  local Main = chain.chainlet "Main" { input = { n = t.integer }, output = t.integer, needs = { worker = Worker } }
  function Main:run(req) return self.worker { n = req.n } end
  local Spin = chain.chainlet "Spin" { output = t.integer, limits = { cpu = 0.05 } }
  function Spin:run() while true do pcall(function() while true do end end) end end
  return { main = Main, spin = Spin }
  """

/// The watchdog's signal, sent to lanes at any moment: in the VM, in primitives, in the allocator, in the loop.
/// `scripts/signals` runs it for longer.
@Suite("Signals at random moments", .serialized)
struct SignalTests {
  static let seconds = ProcessInfo.processInfo.environment["SIGNALS_SECONDS"].flatMap(Double.init) ?? 3

  private static func modules(_ environment: RealEnvironment) -> PrimitiveModule {
    PrimitiveModule("engine") {
      Primitive("double") { (n: Int) -> Int in n * 2 }
      // As an engine does: work on a thread of its own, then back to the lane.
      Primitive("square") { (n: Int) async throws -> Int in
        await withCheckedContinuation { (continuation: CheckedContinuation<Int, Never>) in
          environment.runOnWorker {
            var sum = 0
            for _ in 0..<n { sum += n }
            continuation.resume(returning: sum)
          }
        }
      }
      Primitive("hop") { (n: Int) async throws -> Int in
        await Task.yield()
        return n + 1
      }
    }
  }

  @Test("change no result and end only offenders", .timeLimit(.minutes(5)))
  func harmless() async throws {
    let environment = RealEnvironment()
    let host = ChainHost(lanes: 2, environment: environment)
    host.add(SignalTests.modules(environment))
    let chain = try await host.load(files: ["graph.lua": source])
    let end = Date(timeIntervalSinceNow: SignalTests.seconds)
    let sender = Thread {
      while Date() < end {
        for _ in 0..<100 {
          host.sendSignals()
          let next = environment.now() + UInt64.random(in: 0..<50_000)
          while environment.now() < next {}
        }
        usleep(UInt32.random(in: 0..<300))
      }
    }
    sender.start()
    let wrong: [String] = await withTaskGroup(of: [String].self) { group in
      for client in 0..<6 { group.addTask { await SignalTests.honest(chain, client, until: end) } }
      group.addTask { await SignalTests.offending(chain, until: end) }
      var all: [String] = []
      for await some in group { all += some }
      return all
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    #expect(await host.signalsSeen() > 100)
    #expect(host.lostLanes == 0)
    await host.shutdown()
  }

  private static func honest(_ chain: Chain, _ client: Int, until end: Date) async -> [String] {
    var wrong: [String] = []
    var n = Int64(client) << 32
    repeat {
      n += 1
      do throws(Failure) {
        let answer = try await chain.run(["n": .integer(n)], .init(entry: "main"))
        if answer != .integer(n + 1579) { wrong.append("\(answer) and not \(n + 1579)") }
      } catch { wrong.append("\(error)") }
    } while Date() < end && wrong.count < 5
    return wrong
  }

  private static func offending(_ chain: Chain, until end: Date) async -> [String] {
    var wrong: [String] = []
    repeat {
      do throws(Failure) {
        wrong.append("an endless loop returned \(try await chain.run([:], .init(entry: "spin")))")
      } catch { if error.code != Failure.Code.cpuLimit { wrong.append("an endless loop ended with \(error)") } }
    } while Date() < end && wrong.count < 5
    return wrong
  }
}
