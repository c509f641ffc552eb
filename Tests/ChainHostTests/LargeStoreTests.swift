import ChainBase
import ChainHost
import Testing

/// Values in a `chain.store` that are too much work for one event of a lane.
@Suite("Large values in a store", .serialized)
struct LargeStoreTests {
  private static func graph(_ body: String, store: String = "{}", limits: String = "memory = '256MB', cpu = 60") -> String {
    """
    local chain = require "chain"
    local t = chain.types
    local function rows(n)
      local rows = {}
      for id = 1, n do rows[id] = { id = id, name = "row " .. id } end
      return rows
    end
    local function names(n)
      local names = {}
      for id = 1, n do names["name " .. id] = id end
      return names
    end
    local Main = chain.chainlet "Main" { output = t.any, uses = { kept = chain.store \(store) }, limits = { \(limits) } }
    function Main:run()
    \(body)
    end
    local Other = chain.chainlet "Other" { output = t.integer }
    function Other:run() return 1 end
    return { main = Main, other = Other }
    """
  }

  private func value(_ body: String) async throws -> ChainValue {
    try await withChain(Self.graph(body)) { try await $0.run([:], .init(entry: "main")) }
  }

  @Test("are the same when they come back, by each way in and out")
  func same() async throws {
    #expect(try await value("""
      local function check(rows, n)
        assert(#rows == n)
        for id = 1, n do assert(rows[id].id == id and rows[id].name == "row " .. id) end
      end
      self.kept:set("rows", rows(40000))
      check(self.kept:get("rows"), 40000)
      assert(self.kept:add("more", rows(30000)) and not self.kept:add("more", rows(20000)))
      check(self.kept:get("more"), 30000)
      check(self.kept:fetch("made", function() return rows(20000) end), 20000)
      check(self.kept:fetch("made", function() error("there is one") end), 20000)
      self.kept:set("names", names(60000))
      local count = 0
      for name, id in pairs(self.kept:get("names")) do
        assert(name == "name " .. id)
        count = count + 1
      end
      return count
      """) == 60_000)
  }

  @Test("those who wait for one that is made all get it")
  func fetched() async throws {
    #expect(try await value("""
      local function ask() return #self.kept:fetch("rows", function() chain.sleep(0.01) return rows(20000) end) end
      return chain.map({ 1, 2, 3, 4 }, ask)
      """) == [20_000, 20_000, 20_000, 20_000])
  }

  @Test("let others go on", arguments: [
    "for _ = 1, 10 do self.kept:set('k', kept) end", "for _ = 1, 10 do self.kept:add('k', kept) self.kept:delete('k') end",
    "self.kept:set('k', kept) for _ = 1, 10 do self.kept:get('k') end",
    "for i = 1, 5 do self.kept:fetch('k' .. i, function() return kept end) self.kept:fetch('k' .. i, error) end",
  ])
  func neighbours(body: String) async throws {
    for value in ["rows(60000)", "names(190000)"] {
      try await withChain(Self.graph("local kept = \(value)\n\(body)", limits: "memory = '512MB', cpu = 60")) { chain in
        let others = try await answer(of: chain, [:]).others
        #expect(others > 100)
      }
    }
  }

  @Test("one that is wrong deep inside is told by its place, and leaves what was there")
  func wrong() async throws {
    #expect(try await value("""
      local large = rows(40000)
      self.kept:set("rows", 1)
      large[39999].name = print
      local ok, why = pcall(function() self.kept:set("rows", large) end)
      return { ok, tostring(why):gsub("^.-bad", "bad"), self.kept:get("rows") }
      """) == [false, "bad argument #2 to 'set': value[39999].name: expected plain data, got function", 1])
    #expect(try await value("""
      local large = rows(70000)
      local ok, why = pcall(function() self.kept:set("rows", large) end)
      local held = {}
      for i = 1, 200000 do held[i] = held end
      local ok2, why2 = pcall(function() self.kept:set("rows", held) end)
      return { tostring(why):gsub("^.-bad", "bad"), (tostring(why2):gsub("^.-bad", "bad")) }
      """) == [
        "bad argument #2 to 'set': the value is too large: at most 200000 values and 16777216 bytes",
        "bad argument #2 to 'set': the value is nested deeper than 64 tables, or holds itself",
      ])
  }

  @Test("no other run of the chainlet changes one while it is read")
  func held() async throws {
    #expect(try await value("""
      local large, isKept = rows(40000), false
      chain.all {
        set = function() self.kept:set("rows", large) isKept = true end,
        change = function()
          for id = 1, 40000 do
            if isKept then break end
            large[id].id = -id
            if id % 100 == 0 then chain.sleep(0) end
          end
        end,
      }
      local changed = 0
      for id, row in ipairs(self.kept:get("rows")) do if row.id == -id then changed = changed + 1 end end
      return changed % 100
      """) == 0)
  }

  @Test("a chainlet without room for one fails with its limit, and serves the next request")
  func memory() async throws {
    let source = """
      local chain = require "chain"
      local t = chain.types
      local kept = chain.store {}
      local Main = chain.chainlet "Main" { output = t.any, uses = { kept = kept }, limits = { memory = '128MB' } }
      function Main:run()
        local rows = {}
        for id = 1, 60000 do rows[id] = { id = id, name = "row " .. id } end
        self.kept:set("rows", rows)
      end
      local Tight = chain.chainlet "Tight" { input = { key = t.string }, output = t.any, uses = { kept = kept }, limits = { memory = '4MB' } }
      function Tight:run(input) return self.kept:get(input.key) or 1 end
      return { main = Main, tight = Tight }
      """
    try await withChain(source) { (chain: Chain) async throws -> Void in
      _ = try await chain.run([:], .init(entry: "main")) as ChainValue
      #expect(await failure { _ = try await chain.run(["key": "rows"], .init(entry: "tight")) as ChainValue }?.code == "memory_limit")
      #expect(try await chain.run(["key": "none"], .init(entry: "tight")) == 1)
    }
  }

  @Test("a request may end in the midst of one", arguments: 0..<8)
  func ended(step: Int) async throws {
    let body = """
      local kept = rows(60000)
      for i = 1, 3 do
        self.kept:set("k", kept)
        self.kept:get("k")
        self.kept:fetch("k" .. i, function() return kept end)
      end
      return 1
      """
    try await withChain(Self.graph(body)) { (chain: Chain) async throws -> Void in
      let late = await failure { _ = try await chain.run([:], .init(entry: "main", timeout: UInt64(20 + step * 25) * 1_000_000)) as ChainValue }
      #expect(late == nil || late?.code == "timeout", "\(String(describing: late))")
      let task = Task { try await chain.run([:], .init(entry: "main")) as ChainValue }
      try await Task.sleep(for: .milliseconds(15 + step * 20))
      task.cancel()
      let ended = await failure { _ = try await task.value }
      #expect(ended == nil || ended?.code == "cancelled", "\(String(describing: ended))")
      #expect(try await chain.run([:], .init(entry: "main")) == 1)
    }
  }
}
