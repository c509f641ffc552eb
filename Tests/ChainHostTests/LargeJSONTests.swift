import ChainBase
import ChainHost
import Testing

/// `json.encode` and `json.decode` of what is too large for one event of a lane.
@Suite("Large JSON in a script", .serialized)
struct LargeJSONTests {
  private func value(_ body: String, limits: String = "memory = '128MB'") async throws -> ChainValue {
    try await ChainHostTests.value(
      of: body,
      after: """
        local json = require "json"
        local function rows(n)
          local rows = {}
          for id = 1, n do rows[id] = { id = id, name = "row " .. id } end
          return rows
        end
        """, limits: limits)
  }

  @Test("is the same as what is done at once")
  func same() async throws {
    #expect(try await value("""
      local text = json.encode(rows(30000))
      local rows = json.decode(text)
      assert(#text > 900000 and #rows == 30000 and rows[30000].name == "row 30000")
      assert(json.encode(rows) == text)
      return { json.encode(rows[29999]), (select("#", json.decode(text))), (select("#", json.encode(rows))) }
      """) == [#"{"id":29999,"name":"row 29999"}"#, 1, 1])
  }

  @Test("what is wrong is an error at the author's line, as for a small value")
  func wrong() async throws {
    #expect(try await value("""
      local rows = rows(30000)
      rows[30000].name = print
      local _, encoding = pcall(json.encode, rows)
      local text = ("[" .. ("1,"):rep(100000) .. "x]")
      local _, decoding = pcall(function() return json.decode(text) end)
      local _, large = pcall(json.encode, { ("x"):rep(9000000), ("x"):rep(9000000) })
      return { encoding, decoding, large }
      """) == [
        "graph.lua:13: json.encode[30000].name: expected plain data, got function",
        "graph.lua:15: json.decode: not valid JSON at line 1, column 200002: expected a value, got 'x'",
        "graph.lua:16: json.encode: too large: more than 16777216 bytes of text in all (limits.output)",
      ])
  }

  @Test("works where a run cannot wait: in a callback of a library function, and in an author's coroutine")
  func anywhere() async throws {
    #expect(try await value("""
      local text = json.encode(rows(30000))
      local inside
      ("x"):gsub("x", function() inside = #json.decode(text) + #json.encode(rows(30000)) end)
      local wrapped = coroutine.wrap(function() coroutine.yield(#json.decode(text)) end)()
      local sorted = { 3, 1, 2 }
      table.sort(sorted, function(a, b) return #json.decode(text) > 0 and a < b end)
      return { inside == 30000 + #text, wrapped, sorted }
      """) == [true, 30000, [1, 2, 3]])
  }

  @Test("is no wait: no other run of the chainlet goes on before it has ended")
  func held() async throws {
    #expect(try await value("""
      local text = json.encode(rows(20000))
      self.n = 0
      chain.each({ 1, 2, 3, 4, 5 }, function()
        for i = 1, 4 do
          local before = self.n
          local n = #json.decode(text) + #json.encode(rows(20000))
          assert(self.n == before, "another run went on")
          self.n = before + 1
          chain.sleep(0)
        end
      end)
      return self.n
      """, limits: "memory = '128MB', cpu = 120") == 20)
  }

  @Test("counts for the limits: its time is the run's, its memory the state's")
  func limits() async throws {
    let spins = await failure { _ = try await value("local text = json.encode(rows(30000)) while true do json.decode(text) end", limits: "memory = '128MB', cpu = 0.5") }
    #expect(spins?.code == "cpu_limit")
    let grows = await failure { _ = try await value("return #json.decode('[' .. ('{},'):rep(100000) .. '{}]')", limits: "memory = '4MB'") }
    #expect(grows?.code == "memory_limit")
  }

  @Test("ends with its request, or with a timeout around it", arguments: 0..<12)
  func ended(_ step: Int) async throws {
    #expect(try await value("""
      local text = json.encode(rows(30000))
      local closed = 0
      for i = 1, 10 do
        pcall(chain.timeout, (i + \(step)) / 1000, function()
          local c <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
          while true do json.decode(text) json.encode(rows(5000)) end
        end)
      end
      return { closed, #json.decode(text) }
      """, limits: "memory = '128MB', cpu = 120") == [10, 30_000])
  }
}
