import ChainHost
import Floors
import LuaBridge

/// Lua calls a typed Swift closure, registered by `register`, beside an empty C function. What the Swift function takes
/// more, for one call with an integer that it gives back.
let swiftFunction = Benchmark("swift-function") { bench in
  let lua = try LuaState()
  try lua.register("add_one") { (n: Int) in n + 1 }
  let loop: LuaFunction = try lua.run("local f = add_one return function(n) for i = 1, n do f(i) end end")
  let calls = bench.times(2_000_000)
  try await bench.compare(
    Comparison(
      name: "swift-function", unit: "ns", limit: .excess(35),
      floor: { floor_empty_function(Int32(calls)) },
      ours: {
        try await nanoseconds { let _: LuaNothing = try loop.call(calls) } / Double(calls)
      }))
}

/// A chainlet calls a primitive that does not wait, beside an empty C function; what it takes more.
let primitive = Benchmark("primitive") { bench in
  let source = """
    local chain = require "chain"
    local add_one = require("bench").add_one
    local t = chain.types
    local Caller = chain.chainlet "Caller" { input = { calls = t.integer }, output = t.integer, limits = { cpu = 1000 } }
    function Caller:run(req)
      for n = 1, req.calls do add_one(n) end
      return add_one(req.calls)
    end
    return Caller
    """
  let host = ChainHost()
  host.add(PrimitiveModule("bench") { Primitive("add_one") { (n: Int) in n + 1 } })
  let chain = try await host.load(files: ["graph.lua": source])
  let calls = bench.times(2_000_000)
  try await bench.compare(
    Comparison(
      name: "primitive", unit: "ns", limit: .excess(100),
      floor: { floor_empty_function(Int32(calls)) },
      ours: {
        try await nanoseconds {
          let answer = try await chain.run(["calls": .integer(Int64(calls))])
          guard answer == .integer(Int64(calls) + 1) else { throw BenchFailure("\(answer)") }
        } / Double(calls)
      }))
  await host.shutdown()
}

/// A chainlet calls an async Swift function that does not suspend; all of one call.
let asyncFunction = Benchmark("async-function") { bench in
  let source = """
    local chain = require "chain"
    local bench = require "bench"
    local t = chain.types
    local Caller = chain.chainlet "Caller" { input = { calls = t.integer }, output = t.integer, limits = { cpu = 1000 } }
    function Caller:run(req)
      local answer = 0
      for n = 1, req.calls do answer = bench.identity(n) end
      return answer
    end
    return Caller
    """
  let host = ChainHost()
  host.add(PrimitiveModule("bench") { Primitive("identity") { (n: Int) async throws -> Int in n } })
  let chain = try await host.load(files: ["graph.lua": source])
  let calls = bench.times(100_000)
  try await bench.measure("async-function", unit: "ns", limit: 1000) {
    try await nanoseconds {
      let answer = try await chain.run(["calls": .integer(Int64(calls))])
      guard answer == .integer(Int64(calls)) else { throw BenchFailure("\(answer)") }
    } / Double(calls)
  }
  await host.shutdown()
}
