import ChainHost
import Floors

private let width = 1000

/// A thousand calls at once by `chain.map` with `limit = 1000`, beside plain Lua states in which all callers yield their
/// record before the first is answered. Nanoseconds of one call.
let fanOut = Benchmark("fan-out") { bench in
  let source = """
    local chain = require "chain"
    local t = chain.types
    local Greet = chain.chainlet "Greet" {
      input = { name = t.string, n = t.integer, list = t.list(t.integer) }, output = t.string,
      scaling = { concurrency = \(width) },
    }
    function Greet:run(req) return "Hello, " .. req.name end
    local All = chain.chainlet "All" {
      input = { rounds = t.integer }, output = t.integer, needs = { greet = Greet }, limits = { cpu = 1000 },
    }
    function All:run(req)
      local numbers = {}
      for n = 1, \(width) do numbers[n] = n end
      local count = 0
      for _ = 1, req.rounds do
        local lines = chain.map(numbers, function(n)
          return self.greet { name = "Ada", n = n, list = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } }
        end, { limit = \(width) })
        count = count + #lines
      end
      return count
    end
    return All
    """
  let rounds = bench.times(100)
  try await withChain(source) { chain in
    try await bench.compare(
      Comparison(
        name: "fan-out", unit: "ns", limit: .ratio(1.4),
        floor: { floor_fan_out(Int32(width), Int32(rounds)) },
        ours: {
          try await nanoseconds {
            let count = try await chain.run(["rounds": .integer(Int64(rounds))])
            guard count == .integer(Int64(rounds * width)) else { throw BenchFailure("\(count)") }
          } / Double(rounds * width)
        }))
  }
}

/// The hello chain with a thousand names beside the same chain in a Python framework (truss, its local run), request by
/// request. Nanoseconds of one greeting.
let fanOutPython = Benchmark("fan-out-python", needsPython: true) { bench in
  let source = """
    local chain = require "chain"
    local t = chain.types
    local SayHello = chain.chainlet "SayHello" { input = { name = t.string }, output = t.string }
    function SayHello:run(req) return "Hello, " .. req.name end
    local HelloAll = chain.chainlet "HelloAll" {
      input = { names = t.list(t.string) }, output = t.string, needs = { say_hello = SayHello },
    }
    function HelloAll:run(req)
      local lines = chain.map(req.names, function(name)
        return self.say_hello { name = name }
      end, { limit = \(width) })
      return table.concat(lines, "\\n")
    end
    return HelloAll
    """
  let requests = 20
  let peer = try Peer("hello_chain.py", [String(width)])
  let input = Array(#"{"names":[\#((1...width).map { #""name \#($0)""# }.joined(separator: ","))]}"#.utf8)
  try await withChain(source) { chain in
    try await bench.compare(
      Comparison(
        name: "fan-out-python", unit: "ns", limit: .shown,
        floor: { try peer.measure(requests) / Double(width) },
        ours: {
          try await nanoseconds {
            for _ in 0..<requests { _ = try await chain.run(json: input) }
          } / Double(requests * width)
        }))
  }
}
