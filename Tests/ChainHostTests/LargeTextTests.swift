import ChainBase
import ChainHost
import Testing

/// What `require "text"` does with more than fits into one event of a lane.
@Suite("Large texts in a script", .serialized)
struct LargeTextTests {
  private func value(_ body: String, limits: String = "memory = '64MB'") async throws -> ChainValue {
    try await ChainHostTests.value(
      of: body,
      after: """
        local text = require "text"
        local function repeated(part, bytes) return part:rep(bytes // #part) end
        """, limits: limits)
  }

  @Test("is done as with a short one, whatever window it is looked at through")
  func same() async throws {
    #expect(try await value("""
      local part = "It's 3.14 o'clock, naïve user: don't stop! Is e\u{301} 今天天气很好? Yes.  "
      local short, long = text.words(part), text.words(part:rep(900))
      local sentences = text.sentences(part:rep(900))
      assert(#long == 900 * #short and #sentences == 900 * #text.sentences(part))
      for i, word in ipairs(long) do assert(word == short[(i - 1) % #short + 1], word) end
      local normal = text.normalize(part)
      assert(text.normalize(part:rep(900)) == normal:rep(900) and normal ~= part)
      local chunks = text.chunks(part:rep(900), { size = 200, overlap = 90 })
      local one = text.sentences(part)
      for _, chunk in ipairs(chunks) do assert(chunk:find(one[1], 1, true) == 1 or chunk:find(one[2], 1, true) == 1, chunk) end
      return { #long > 9000, #chunks > 400, long[#long] }
      """) == [true, true, "Yes"])
  }

  @Test("what belongs together is not cut where the window ends")
  func edges() async throws {
    #expect(try await value("""
      for shift = 1, 64 do
        local words = text.words(("x"):rep(shift) .. " " .. repeated("don't 3.1415 can't ", 40000))
        for _, word in ipairs(words) do
          assert(word == "don't" or word == "3.1415" or word == "can't" or #word == shift, word)
        end
        local letters = ("y"):rep(shift) .. repeated("e\\u{323}\\u{301}", 10000)
        assert(#text.normalize(letters) == shift + 10000 // 5 * 5, #text.normalize(letters))
      end
      return #text.words(("a"):rep(100000))
      """, limits: "memory = '64MB', cpu = 60") == 7)
  }

  @Test("what is wrong is an error at the author's line")
  func wrong() async throws {
    #expect(try await value("""
      local _, bytes = pcall(function() return text.words(repeated("a b ", 100000) .. "\\xff") end)
      local _, form = pcall(function() return text.normalize(repeated("a b ", 100000), "nfx") end)
      return { bytes, form }
      """) == [
        "graph.lua:7: bad argument #1 to 'words': string of valid UTF-8 expected",
        "graph.lua:8: bad argument #2 to 'normalize': one of nfc, nfd, nfkc, nfkd expected, got string (\"nfx\")",
      ])
  }

  private let refusal =
    "graph.lua:8: text.words: this takes too long where Lua cannot pause, such as in a metamethod that a library function uses: "
    + "there the text may have 262144 bytes and the result 4194304; do it before or after"

  @Test("is done where a run cannot wait if it is not too long, and refused otherwise")
  func anywhere() async throws {
    #expect(try await value("""
      local function inside(bytes)
        local value = setmetatable({}, { __index = function() return #text.words(repeated("a b ", bytes)) end })
        return pcall(function() return table.concat({ value[1], table.unpack(value, 1, 1) }, ",") end)
      end
      local _, short = inside(40000)
      local _, long = inside(400000)
      return { short, long }
      """) == ["20000,20000", .string(refusal)])
  }

  @Test("is no wait, and ends with its request or a timeout around it")
  func heldAndEnded() async throws {
    #expect(try await value("""
      local long = repeated("One two. ", 60000)
      self.n = 0
      chain.each({ 1, 2, 3 }, function()
        local before = self.n
        local words = #text.words(long)
        assert(self.n == before and words == 2 * (60000 // 9), "another run went on")
        self.n = before + 1
      end)
      local ok = pcall(chain.timeout, 0.01, function() while true do text.sentences(long) end end)
      return { self.n, ok, #text.chunks("a b", { size = 1 }) }
      """) == [3, false, 2])
  }
}
