import ChainBase
import ChainHost
import Testing

/// One request may take the lane's time in many ways; a neighbour must not wait for all of it.
@Suite("Turns of requests", .serialized)
struct FairnessTests {
  /// Runs `body` as a chainlet's method, and requests of another chainlet beside it, one after the other.
  /// - Returns: in seconds, how long the first took, and the longest that one of the others did.
  private func waits(
    _ body: String, limits: String = "cpu = 60, memory = '256MB'", honest: String = "return req.n + 1", more: String = ""
  ) async throws -> (whole: Double, longest: Double) {
    let source = """
      local chain = require "chain"
      local t = chain.types
      local Take = chain.chainlet "Take" { input = { list = t.any }, output = t.integer, limits = { memory = "1GB" } }
      function Take:run(req) return #req.list end
      local function spin(seconds)
        local stop = os.clock() + seconds
        while os.clock() < stop do end
      end
      local function list(n)
        local list = {}
        for i = 1, n do list[i] = i end
        return list
      end
      local Long = chain.chainlet "Long" { output = t.any, needs = { take = Take }, limits = { \(limits) } }
      function Long:run()
      \(body)
      end
      local function nothing() end
      local Honest = chain.chainlet "Honest" {
        input = { n = t.integer }, output = t.integer, needs = { take = Take }, limits = { cpu = 2 },
      }
      function Honest:run(req)
        \(honest)
      end
      return { long = Long, honest = Honest }
      """
    return try await withChain(source) { chain in
      let clock = ContinuousClock()
      let request = Task { try await clock.measure { _ = try await chain.run([:], .init(entry: "long")) as ChainValue } }
      let beside = Task {
        var longest = Duration.zero
        while !Task.isCancelled {
          let n = Int64.random(in: 0..<1000)
          let begun = clock.now
          do {
            let answer: ChainValue = try await chain.run(["n": .integer(n)], .init(entry: "honest"))
            #expect(answer == .integer(n + 1))
          } catch { #expect((error as? Failure)?.code == "cancelled", "\(error)") }
          longest = max(longest, clock.now - begun)
          try? await Task.sleep(for: .milliseconds(1))
        }
        return longest
      }
      let whole = try await request.value
      beside.cancel()
      return (whole / .seconds(1), await beside.value / .seconds(1))
    }
  }

  @Test("many runs that are each shorter than a slice take turns with the runs of others")
  func shortRuns() async throws {
    let tasks = try await waits("for i = 1, 200 do chain.async(function() spin(0.008) end) end chain.sleep(2) return 1")
    #expect(tasks.longest < tasks.whole / 4, "\(tasks)")
    let items = try await waits("chain.each(list(200), function() spin(0.008) chain.sleep(0) end, { limit = 200 }) return 1")
    #expect(items.longest < items.whole / 4, "\(items)")
  }

  @Test("work in the background that starts itself again is one more that takes turns, however much there is of it")
  func background() async throws {
    let source = """
      local chain = require "chain"
      local Main = chain.chainlet "Main" { output = chain.types.integer, limits = { cpu = 60 } }
      function Main:run()
        local stop = os.clock() + 2
        local function work()
          if os.clock() > stop then return end
          local moment = os.clock() + 0.0009
          while os.clock() < moment do end
          chain.background(work)
        end
        for _ = 1, 60 do chain.background(work) end
        chain.sleep(2)
        return 1
      end
      local Other = chain.chainlet "Other" { output = chain.types.integer }
      function Other:run() return 1 end
      return { main = Main, other = Other }
      """
    try await withChain(source) { (chain: Chain) async throws -> Void in
      let others = try await answer(of: chain, [:]).others
      #expect(others > 100) // each after all of them: 54 ms, and so 37
    }
  }

  @Test("calls that hand the turn to each other give it to others, too")
  func handingOn() async throws {
    let calls = try await waits("for i = 1, 100 do spin(0.009) self.take { list = {} } end return 1")
    #expect(calls.longest < calls.whole / 4, "\(calls)")
  }

  @Test("what ends together has one slice for its `<close>` variables together", arguments: ["timeout", "failure", "end"])
  func closing(_ way: String) async throws {
    let inside = "local c <close> = setmetatable({}, { __close = function() spin(0.009) end }) chain.sleep(100)"
    let body = switch way {
    case "timeout": "pcall(chain.timeout, 0.2, function() chain.each(list(300), function() \(inside) end, { limit = 300 }) end)"
    case "failure":
      "pcall(chain.each, list(300), function(i) if i == 300 then chain.sleep(0.2) error('x') end \(inside) end, { limit = 300 })"
    default: "for i = 1, 300 do chain.async(function() \(inside) end) end chain.sleep(0.2)"
    }
    let closed = try await waits(body + " return 1", limits: "memory = '256MB', tasks = 1000")
    #expect(closed.whole < 1.5, "\(closed)") // each with a slice of its own: 3 s
    #expect(closed.longest < 1, "\(closed)")
  }

  @Test("values that cross in pieces take turns by request")
  func crossings() async throws {
    let calls = try await waits(
      """
      local l, m = list(150000), list(40)
      chain.each(m, function() self.take { list = l } end, { limit = 40 })
      return 1
      """, honest: "local n = self.take { list = list(20000) } return req.n + n - 19999")
    #expect(calls.longest < calls.whole / 4, "\(calls)")
  }

  @Test("what the host does for one run is not charged to the next")
  func blame() async throws {
    let work = try await waits(
      """
      local details = {}
      for i = 1, 20000 do details["key " .. i] = ("x"):rep(30) end
      for i = 1, 30 do
        chain.sleep(0.001)
        pcall(function() error(chain.failure { code = "busy", message = "m", details = details }) end)
        pcall(chain.all, details)
      end
      return 1
      """, honest: "for i = 1, 200 do chain.async(nothing):await() end return req.n + 1")
    #expect(work.longest < 30)
  }
}
