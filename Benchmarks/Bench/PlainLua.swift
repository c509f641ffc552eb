import ChainHost
import Floors

/// What all limits cost Lua code that calls nobody, beside plain Lua: the same chunk, loops and patterns.
func plainLua(_ bench: Bench) async throws {
  let loops = """
    local primes = {}
    for n = 2, \(bench.times(1_000_000)) do
      local is_prime = true
      for i = 1, #primes do
        local prime = primes[i]
        if prime * prime > n then break end
        if n % prime == 0 then is_prime = false break end
      end
      if is_prime and #primes < 1000 then primes[#primes + 1] = n end
    end
    local function fibonacci(n) if n < 2 then return n end return fibonacci(n - 1) + fibonacci(n - 2) end
    fibonacci(\(bench.once ? 10 : 27))
    """
  let patterns = """
    local find, match, gsub, gmatch = string.find, string.match, string.gsub, string.gmatch
    local text = ("The quick brown fox, aged 7, jumps over 12 lazy dogs at https://example.org/a/b?c=1; "):rep(20)
    for _ = 1, \(bench.times(200)) do
      for word in gmatch(text, "%a+") do end
      for key, value in gmatch(text, "(%w+)=(%w+)") do end
      gsub(text, "%s+", " ")
      gsub(text, "(%a)(%a*)", "%2%1")
      find(text, "[xyz]%d+$")
      find(text, "https?://[%w./]-z")
      match(text, "^(.-),%s*aged%s+(%d+)")
    end
    """
  for (name, chunk, most) in [("limits-plain-loops", loops, 1.05), ("limits-plain-patterns", patterns, 1.4)] {
    try await withChain(graph(chunk)) { chain in
      try await bench.compare(
        Comparison(
          name: name, unit: "ms", limit: .ratio(most),
          floor: {
            let spent = floor_plain(chunk)
            guard spent >= 0 else { throw BenchFailure("the chunk fails in plain Lua") }
            return spent / 1e6
          },
          ours: { try await nanoseconds { _ = try await chain.run([:]) } / 1e6 }))
    }
  }
}

private func graph(_ chunk: String) -> String {
  """
  local chain = require "chain"
  local Main = chain.chainlet "Main" { limits = { cpu = 1000 } }
  function Main:run()
  \(chunk)
  end
  return Main
  """
}
