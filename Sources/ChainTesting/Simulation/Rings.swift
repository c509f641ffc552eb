import ChainBase
import ChainHost
import ChainLoop

/// Property 4: calls that wait for themselves fail soon, and only they.
enum Rings {
  /// Bodies whose runs wait for themselves, each in a way of its own.
  private static let kinds: [String] = [
    // Two locks, crosswise, in tasks.
    """
    local a, b = chain.mutex(), chain.mutex()
    chain.all {
      x = function() local h <close> = a:lock() chain.sleep(0.01) local i <close> = b:lock() return 1 end,
      y = function() local h <close> = b:lock() chain.sleep(0.01) local i <close> = a:lock() return 1 end,
    }
    """,
    // A lock that its own run holds.
    "local m = chain.mutex() local h <close> = m:lock() local i <close> = m:lock()",
    // A longer ring of locks.
    """
    local locks = {}
    for i = 1, 5 do locks[i] = chain.mutex() end
    chain.each({ 1, 2, 3, 4, 5 }, function(i)
      local h <close> = locks[i]:lock()
      chain.sleep(0.005)
      local j <close> = locks[i % 5 + 1]:lock()
    end)
    """,
    // Tasks that await each other, and one that awaits itself.
    """
    local a, b
    a = chain.async(function() chain.sleep(0.001) b:await() end)
    b = chain.async(function() chain.sleep(0.001) a:await() end)
    a:await()
    """,
    "local t t = chain.async(function() chain.sleep(0.001) t:await() end) t:await()",
    // A stream that is not read, whose writer's slot the next one needs.
    """
    local first = self.writer { n = 100 }
    first()
    for x in self.writer { n = 100 } do end
    """,
    // The same behind the bound of a need.
    """
    local first = self.bounded { n = 100 }
    first()
    for x in self.bounded { n = 100 } do end
    """,
    // A writer that waits for what its reader would do afterwards.
    """
    local m = chain.mutex()
    local h <close> = m:lock()
    for x in chain.stream(function(emit) local i <close> = m:lock() emit(1) end) do end
    """,
    // A callee that reads what its caller only writes afterwards.
    """
    local m = chain.mutex()
    local h <close> = m:lock()
    self.reader { xs = chain.stream(function(emit) emit(1) local i <close> = m:lock() emit(2) end) }
    """,
    // Locks of one self, crosswise in two requests.
    """
    self.a, self.b = self.a or chain.mutex(), self.b or chain.mutex()
    local swap = req.id % 2 == 0
    local h <close> = (swap and self.a or self.b):lock()
    chain.sleep(0.01)
    local i <close> = (swap and self.b or self.a):lock()
    """,
  ]

  static let property = Simulation.Property(
    name: "rings", number: 4, sentence: "Rings of streams, locks or awaits fail within 2 s; bystanders succeed.", seeds: 1_100,
    draw: { chance, scale in
      var world = World()
      let count = Int(chance.within(1...4))
      let chosen = (0..<count).map { _ in Int(chance.below(UInt64(kinds.count))) }
      world.source = source(chosen)
      world.instructionsPerSlice = Int32(chance.within(100...2_000))
      for (index, kind) in chosen.enumerated() {
        // The kind that spans two requests needs both.
        for twin in 0..<(kind == kinds.count - 1 ? 2 : 1) {
          world.clients.append(Client(id: index * 2 + twin, entry: "ring\(index)"))
        }
      }
      world.clients = Array(world.clients.prefix(max(2, scale.clients)))
      for id in 100..<(100 + Int(chance.within(1...6))) {
        world.clients.append(Client(id: id, entry: "bystander", start: chance.below(1_500_000_000)))
      }
      return world
    },
    body: { stage in
      let began = stage.environment.now()
      let results = Monitor<[String: [Bool]]>([:])
      await stage.serve(stage.world.clients) { client, outcome in
        guard client.id >= 100 else {
          let gaveWay = judgeRing(stage, client, outcome, began: began)
          return results.withLock { $0[client.entry, default: []].append(gaveWay) }
        }
        guard case .value(.integer(Int64(client.id))) = outcome else { return stage.violation("bystander \(client.id) got \(outcome)") }
      }
      for (entry, broken) in results.withLock({ $0 }) {
        stage.expect(broken.contains(true), "nobody on the ring of \(entry) failed")
      }
    })

  /// Whether the client's request was the one that gave way.
  private static func judgeRing(_ stage: Stage, _ client: Client, _ outcome: Stage.Outcome, began: UInt64) -> Bool {
    let took = stage.environment.now() - began
    stage.expect(took < 2_100_000_000, "the ring of \(client.entry) took \(took) ns")
    guard case .failure(let failure) = outcome else { return false }
    stage.expect(failure.code == Failure.Code.deadlock, "the ring of \(client.entry) got \(failure)")
    return true
  }

  private static func source(_ chosen: [Int]) -> String {
    var text = """
      local chain = require "chain"
      local t = chain.types
      local Free = chain.chainlet "Free" { input = { n = t.integer }, output = t.stream(t.integer) }
      function Free:run(req, emit) for i = 1, req.n do emit(i) end end
      local Reader = chain.chainlet "Reader" { input = { xs = t.stream(t.integer) } }
      function Reader:run(req) for x in req.xs do end end
      local Bystander = chain.chainlet "Bystander" {
        input = { id = t.integer, k = t.integer }, output = t.integer, needs = { free = Free },
      }
      function Bystander:run(req)
        local m = chain.mutex()
        chain.each({ 1, 2, 3 }, function() local h <close> = m:lock() chain.sleep(0.7) end)
        for x in self.free { n = 40 } do if x % 10 == 0 then chain.sleep(0.4) end end
        return req.id
      end

      """
    for (index, kind) in chosen.enumerated() {
      text += """
        local Writer\(index) = chain.chainlet "Writer\(index)" { input = { n = t.integer }, output = t.stream(t.integer), scaling = { concurrency = 1 } }
        function Writer\(index):run(req, emit) for i = 1, req.n do emit(i) end end
        local Ring\(index) = chain.chainlet "Ring\(index)" {
          input = { id = t.integer, k = t.integer },
          needs = { writer = Writer\(index), bounded = Free:with { concurrency = 1 }, reader = Reader },
        }
        function Ring\(index):run(req)
        \(kinds[kind])
        end

        """
    }
    let entries = chosen.indices.map { "ring\($0) = Ring\($0)" }.joined(separator: ", ")
    return text + "return { bystander = Bystander, \(entries) }\n"
  }
}
