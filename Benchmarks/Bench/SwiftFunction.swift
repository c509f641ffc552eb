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

// An async Swift function that does not suspend (at most 1 microsecond) follows as soon as chains can be given
// primitives: there is no public way yet to hand one to a chainlet.
