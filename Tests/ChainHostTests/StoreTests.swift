import ChainBase
import ChainHost
import Testing

/// A graph of one chainlet that uses these resources.
func graph(using uses: String, _ body: String) -> String {
  """
  local chain = require "chain"
  local t = chain.types
  local Main = chain.chainlet "Main" { output = t.any, uses = { \(uses) } }
  function Main:run()
    \(body)
  end
  return Main
  """
}

/// What one chainlet that uses these resources returns.
func run(using uses: String, _ body: String) async throws -> ChainValue {
  try await withChain(graph(using: uses, body)) { try await $0.run([:]) }
}

@Suite("Stores")
struct StoreTests {
  @Test("values are set, added, counted and deleted")
  func values() async throws {
    let value = try await run(using: "s = chain.store {}", """
      local s = self.s
      s:set("a", { x = { 1, 2 }, s = "t" })
      s:set("raw", "\\255\\0")
      return { s:get("a"), s:get("none") == nil, s:add("a", 1), s:add("b", 1), s:incr("n"), s:incr("n", 4), s:incr("n", 0.5),
        s:delete("a"), s:delete("a"), s:get("a") == nil, #s:get("raw") }
      """)
    #expect(value == [["s": "t", "x": [1, 2]], true, false, true, 1, 5, 5.5, true, false, true, 2])
  }

  @Test("the least recently used values go first, and a value has its time")
  func bounds() async throws {
    let value = try await run(using: "s = chain.store { max_items = 2 }", """
      local s = self.s
      s:set("t", 1, 0)
      local gone = s:get("t") == nil
      s:set("a", 1) s:set("b", 2) s:get("a") s:set("c", 3)
      return { s:get("a"), s:get("b") == nil, gone }
      """)
    #expect(value == [1, true, true])
    #expect(await message("s = chain.store { max_bytes = 200 }", "self.s:set('a', ('x'):rep(1000))").contains("max_bytes"))
    #expect(await message("s = chain.store {}", "self.s:set('a', print)").hasPrefix("graph.lua:5: bad argument #2 to 'set': value: expected plain data, got function"))
    #expect(await message("s = chain.store {}", "self.s:set(1, 2)").hasPrefix("graph.lua:5: bad argument #1 to 'set': a key is a string, got integer (1)"))
  }

  @Test("a key is its bytes: texts that look alike are different ones, and so are bytes that are no text")
  func keys() async throws {
    let value = try await run(using: "s = chain.store {}", """
      local s, keys = self.s, { "\\u{E9}", "e\\u{301}", "\\255", "\\254", "", "\\0" }
      for i, key in ipairs(keys) do s:set(key, i) end
      local found = {}
      for i, key in ipairs(keys) do found[i] = s:get(key) end
      return found
      """)
    #expect(value == [1, 2, 3, 4, 5, 6])
  }

  @Test("a key of more than 1 MB is refused by every method")
  func longKeys() async throws {
    let value = try await run(using: "s = chain.store {}", """
      local s, key, long = self.s, ("k"):rep(1048576), ("k"):rep(1048577)
      s:set(key, 1)
      local said = { s:get(key) }
      for _, method in ipairs { "get", "set", "add", "incr", "delete", "fetch" } do
        local _, why = pcall(s[method], s, long, method ~= "incr" and function() end or 1)
        said[#said + 1] = tostring(why):match("bad argument.*")
      end
      return said
      """)
    let refused = ["get", "set", "add", "incr", "delete", "fetch"].map {
      ChainValue.string("bad argument #1 to '\($0)': a key has at most 1048576 bytes, got 1048577")
    }
    #expect(value == .list([1] + refused))
  }

  @Test("what is used least goes first, whatever was deleted, set again or expired between")
  func order() async throws {
    let value = try await run(using: "s = chain.store { max_items = 4 }", """
      local s = self.s
      for _, key in ipairs { "a", "b", "c", "d" } do s:set(key, key) end
      s:delete("b") s:set("a", 1) s:set("e", 1, 0) s:get("e") s:get("c") s:set("f", 1) s:set("g", 1)
      local left = {}
      for _, key in ipairs { "a", "b", "c", "d", "e", "f", "g" } do
        if s:get(key) ~= nil then left[#left + 1] = key end
      end
      return left
      """)
    #expect(value == ["a", "c", "f", "g"])
  }

  @Test("the place of what cannot be kept is named, and made only then")
  func places() async throws {
    func refusal(_ value: String) async -> String { await message("s = chain.store {}", "self.s:set('a', \(value))") }
    #expect(await refusal("{ { x = { 1, { y = print } } } }").contains("value[1].x[2].y: expected plain data, got function"))
    #expect(await refusal("{ [('k'):rep(100)] = print }").contains("value[\"\(String(repeating: "k", count: 40))…\"]: expected plain data"))
    #expect(await refusal("{ a = { 1, b = 2 } }").contains("value.a: a table is a list or has names for keys, not both"))
    #expect(await refusal("{ { [1.5] = 1 } }").contains("value[1]: the key number (1.5) belongs to no list without holes"))
    #expect(await refusal("{ [7] = 1 }").contains("value: the key integer (7) belongs to no list without holes"))
    let value = try await run(using: "s = chain.store {}", """
      local list, backwards = {}, {}
      for i = 1, 190000 do list[i] = i end
      for i = 100, 1, -1 do backwards[i] = i end
      self.s:set("long", { [("x"):rep(8000000)] = list })
      self.s:set("backwards", backwards)
      local _, read = next(self.s:get("long"))
      return { #read, read[190000], #self.s:get("backwards"), self.s:get("backwards")[37] }
      """)
    #expect(value == [190000, 190000, 100, 37])
  }

  @Test("a tensor is kept by reference")
  func tensors() async throws {
    let value = try await run(using: "s = chain.store {}", """
      local tensor = require "tensor"
      self.s:set("x", tensor.new { 1, 2, 3 })
      self.s:set("pair", { name = "p", x = tensor.new { { 4 } } })
      return { self.s:get("x"):table(), self.s:get("pair").x:table() }
      """)
    #expect(value == [[1, 2, 3], [[4]]])
  }

  @Test("a tensor larger than what may be copied is kept too, as far as max_bytes goes")
  func largeTensors() async throws {
    let keep = """
      local tensor = require "tensor"
      self.s:set("large", { name = "x", x = tensor.zeros { 5000, 1000 } })
      return #self.s:get("large").x
      """
    #expect(try await run(using: "s = chain.store { max_bytes = 30000000 }", keep) == 5000)
    #expect(await message("s = chain.store { max_bytes = 10000000 }", keep).contains("(max_bytes)"))
  }

  private func message(_ uses: String, _ body: String) async -> String { await failure(of: graph(using: uses, body))?.message ?? "none" }
}
