import ChainHost
import Floors

/// A caller that sends the same value to a chainlet that gives it back, so often: it crosses twice, and is checked twice.
private func echo(type: String, value: String) -> String {
  """
  local chain = require "chain"
  local t = chain.types
  local T = \(type)
  local Echo = chain.chainlet "Echo" { input = { value = T }, output = T }
  function Echo:run(req) return req.value end
  local Caller = chain.chainlet "Caller" {
    input = { calls = t.integer }, output = t.integer, needs = { echo = Echo }, limits = { cpu = 1000, memory = "256MB" },
  }
  function Caller:run(req)
    local value = \(value)
    local length = 0
    for n = 1, req.calls do length = length + #self.echo { value = value } end
    return length
  end
  return Caller
  """
}

/// One megabyte of text to another chainlet and back, checked to be UTF-8 both ways, beside a plain copy of the bytes.
let copyString = Benchmark("copy-string") { bench in
  let calls = bench.times(200)
  for (name, text) in [("copy-string", "plain text, "), ("copy-string-utf8", "naïve café ☕ ")] {
    try await withChain(echo(type: "t.string", value: "('\(text)'):rep(\(1 << 20) // \(text.utf8.count))")) { chain in
      try await bench.compare(
        Comparison(
          name: name, unit: "ns", limit: .ratio(1.3),
          floor: { floor_copy_string(text, Int32(calls)) },
          ours: {
            try await nanoseconds { _ = try await chain.run(["calls": .integer(Int64(calls))]) } / Double(calls)
          }))
    }
  }
}

/// A list of 10,000 records of three fields to another chainlet and back, checked both ways, beside a plain copy.
let copyList = Benchmark("copy-list") { bench in
  let records = 10_000
  let calls = bench.times(20)
  let list = """
    (function()
        local list = {}
        for i = 1, \(records) do list[i] = { id = i, name = "record " .. i, score = i / 2 } end
        return list
      end)()
    """
  try await withChain(echo(type: "t.list { id = t.integer, name = t.string, score = t.number }", value: list)) {
    chain in
    try await bench.compare(
      Comparison(
        name: "copy-list", unit: "ns", limit: .ratio(1.3),
        floor: { floor_copy_list(Int32(records), Int32(calls)) },
        ours: {
          try await nanoseconds { _ = try await chain.run(["calls": .integer(Int64(calls))]) } / Double(calls)
        }))
  }
}
