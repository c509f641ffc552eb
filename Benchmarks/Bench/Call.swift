import ChainHost
import Floors

/// One call from chainlet to chainlet with a record of a string, an integer and a list of ten, both ways checked,
/// beside two plain Lua states and unchecked copies. The loop runs inside one request.
let call = Benchmark("call") { bench in
  let source = """
    local chain = require "chain"
    local t = chain.types
    local Greet = chain.chainlet "Greet" {
      input = { name = t.string, n = t.integer, list = t.list(t.integer) }, output = t.string,
    }
    function Greet:run(req) return "Hello, " .. req.name end
    local Caller = chain.chainlet "Caller" {
      input = { calls = t.integer }, output = t.integer, needs = { greet = Greet }, limits = { cpu = 1000 },
    }
    function Caller:run(req)
      local length = 0
      for n = 1, req.calls do
        length = length + #self.greet { name = "Ada", n = n, list = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } }
      end
      return length
    end
    return Caller
    """
  let calls = bench.times(100_000)
  try await withChain(source) { chain in
    try await bench.compare(
      Comparison(
        name: "call", unit: "ns", limit: .ratio(1.25),
        floor: { floor_call(Int32(calls)) },
        ours: {
          try await nanoseconds {
            let length = try await chain.run(["calls": .integer(Int64(calls))])
            guard length == .integer(Int64(calls) * 10) else { throw BenchFailure("\(length)") }
          } / Double(calls)
        }))
  }
}
