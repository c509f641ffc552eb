import ChainHost

let host = ChainHost()
host.add(PrimitiveModule("weather") {
  Primitive("degrees") { (city: String) async throws -> Int in
    try await Task.sleep(for: .milliseconds(1))
    return city.count
  }
})
let chain = try await host.load(files: ["graph.lua": """
  local chain = require "chain"
  local weather = require "weather"
  local t = chain.types

  local Warmest = chain.chainlet "Warmest" { input = { cities = t.list(t.string) }, output = t.string }

  function Warmest:run(req)
    local degrees = chain.map(req.cities, weather.degrees)
    local best = 1
    for i, d in ipairs(degrees) do if d > degrees[best] then best = i end end
    return req.cities[best] .. ": " .. degrees[best]
  end

  return Warmest
  """])
if case .string(let warmest) = try await chain.run(["cities": ["Rome", "Copenhagen", "Oslo"]]) { print(warmest) }
do {
  _ = try await chain.run(["cities": ["Rome", 7]])
} catch { print(error.message) }
await host.shutdown()
