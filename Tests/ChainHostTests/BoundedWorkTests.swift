import ChainBase
import ChainHost
import Foundation
import Testing

/// What a type asks of a value may take far longer than the value is large: patterns, unions, tables that fit nothing.
@Suite("The work of checking a value", .serialized)
struct BoundedWorkTests {
  private static let source = """
    local chain = require "chain"
    local t = chain.types
    local limits = { memory = "256MB", cpu = 120 }
    local Words = t.list(t.string { pattern = "a*a*a*b" })
    local Patient = chain.chainlet "Patient" { input = { words = Words }, output = t.integer, limits = limits }
    function Patient:run(req) return #req.words end

    local Nested = t.string
    for i = 1, 13 do Nested = t.union(t.list(Nested), t.list(Nested)) end
    local Tree = chain.chainlet "Tree" { input = { tree = Nested }, output = t.integer, limits = limits }
    function Tree:run(req) return 1 end

    local Slow = t.union(
      { name = t.string { pattern = "^(.-)%s+$" }, mode = t.string { default = "slow" } },
      { name = t.string, mode = t.string { default = "any" } })
    local Mode = chain.chainlet "Mode" { input = { v = Slow }, output = t.string, limits = limits }
    function Mode:run(req) return req.v.mode end

    local Text = chain.chainlet "Text" {
      input = { text = t.optional(t.string), count = t.optional(t.integer) }, output = t.string, limits = limits,
    }
    function Text:run(req)
      if req.count then return ("\\1"):rep(req.count) end
      return #req.text .. " " .. req.text:sub(1, 1)
    end

    local Other = chain.chainlet "Other" { output = t.integer }
    function Other:run() return 1 end

    local Main = chain.chainlet "Main" {
      input = { what = t.string, n = t.optional(t.integer) }, output = t.any, limits = limits,
      needs = { patient = Patient, tree = Tree, mode = Mode },
    }
    local what = {}
    local function words(n)
      local words = {}
      for i = 1, n do words[i] = ("a"):rep(45) .. "xb" end
      return words
    end
    function what.patient(self, n) return self.patient { words = words(n) } end
    function what.mode(self, n)
      return self.mode { v = { name = "x" .. (" "):rep(n) .. "y " } }
    end
    function what.tree(self, n)
      local tree = {}
      for i = 1, n do tree[i] = "leaf" end
      tree[n + 1] = 1
      for i = 2, 13 do tree = { tree } end
      local ok, failure = pcall(self.tree, { tree = tree })
      return failure.message
    end
    function what.fields(self, n)
      local fields = {}
      for i = 1, n do fields["field " .. i] = true end
      local ok, failure = pcall(self.patient, fields)
      return failure.message
    end
    function what.numbers(self, n)
      local words = {}
      for i = 1, n do words[i] = 1 end
      local ok, failure = pcall(self.patient, { words = words })
      return failure.message
    end
    function Main:run(req) return what[req.what](self, req.n) end

    return { main = Main, patient = Patient, tree = Tree, text = Text, other = Other }
    """

  private static func ask(_ chain: Chain, _ what: String, _ n: Int64) async throws -> (answer: ChainValue, others: Int) {
    try await answer(of: chain, ["what": .string(what), "n": .integer(n)])
  }

  @Test("a pattern that is slow for every text of a list lets others go on, between chainlets and from outside")
  func patterns() async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      let (answer, others) = try await Self.ask(chain, "patient", 100)
      #expect(answer == 100)
      #expect(others > 1)
      let words = ChainValue.list([ChainValue](repeating: .string(String(repeating: "a", count: 45) + "xb"), count: 100))
      #expect(try await chain.run(["words": words], .init(entry: "patient")) == 100)
      #expect(try await chain.run(json: (["words": words] as ChainValue).json, .init(entry: "patient")) == Array("100".utf8))
    }
  }

  @Test("a union of unions whose members are all tried lets others go on, and has an end")
  func unions() async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      let (answer, others) = try await Self.ask(chain, "tree", 1_000)
      #expect(answer == "Tree.input: too large to be checked: its type has unions, patterns or names that are tried too often")
      #expect(others > 1)
      var tree = ChainValue.list([ChainValue](repeating: "leaf", count: 1_000) + [1])
      for _ in 2...13 { tree = [tree] }
      for json in [true, false] {
        do {
          if json { _ = try await chain.run(json: (["tree": tree] as ChainValue).json, .init(entry: "tree")) } else {
            let _: ChainValue = try await chain.run(["tree": tree], .init(entry: "tree"))
          }
          Issue.record("it was taken")
        } catch {
          #expect((error as? Failure)?.code == "too_large" && (error as? Failure)?.message == answer.text)
        }
      }
    }
  }

  @Test("a member of a union that takes more than one event's work is still the first that fits")
  func slowMember() async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      for n in [1, 300, 700] { #expect(try await Self.ask(chain, "mode", Int64(n)).answer == "slow", "\(n) spaces") }
    }
  }

  @Test("long tokens of JSON let others go on: escapes, spaces, digits; so does writing what must be escaped")
  func tokens() async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      let million = 1_000_000
      func read(_ text: String) async throws -> String {
        do { return String(decoding: try await chain.run(json: Array(text.utf8), .init(entry: "text")), as: UTF8.self) } catch {
          return error.message
        }
      }
      #expect(try await read(#"{"text":"\#(String(repeating: #"\u0041"#, count: million))"}"#) == "\"\(million) A\"")
      #expect(try await read(#"{"text":\#(String(repeating: " ", count: 8 * million))"b"}"#) == "\"1 b\"")
      #expect(try await read(#"{"count":\#(String(repeating: "1", count: 8 * million))}"#)
        == "Text.input.count: expected a number of fewer than 4096 characters, got a longer one")
      #expect(try await read(#"{"count":1\#(String(repeating: "0", count: 300))}"#).contains("expected integer"))
      #expect(try await read(String(repeating: " ", count: 8 * million) + "x").contains("line 1, column 8000001"))
      let text = try await read(#"{"count":\#(million)}"#)
      #expect(text.utf8.count == 6 * million + 2 && text.hasPrefix(#""\u0001\u0001"#))
    }
  }

  @Test("a huge table that fits nothing is refused at its first entries")
  func tables() async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      #expect(try await Self.ask(chain, "fields", 50_000).answer == "Patient.input[\"field 1\"]: unknown field; known are 'words'")
      #expect(try await Self.ask(chain, "numbers", 1_000_000).answer == "Patient.input: too large: more than 200000 values in all")
    }
  }

  @Test("a file that no longer ends when its state is made again holds up nobody else")
  func fileThatSpins() async throws {
    let end = Int(Date().timeIntervalSince1970) + 3
    let source = """
      local chain = require "chain"
      local t = chain.types
      if os.time() >= \(end) then while true do end end
      local Bad = chain.chainlet "Bad" { limits = { cpu = 0.1 } }
      function Bad:run() while true do end end
      return Bad
      """
    let graph = """
      local chain = require "chain"
      local t = chain.types
      local Other = chain.chainlet "Other" {}
      function Other:run() for _ = 1, 100 do chain.sleep(0.01) end end
      return { bad = require "bad", other = Other }
      """
    let host = ChainHost()
    let chain = try await host.load(files: ["graph.lua": graph, "bad.lua": source])
    try await Task.sleep(for: .seconds(max(0, Double(end) - Date().timeIntervalSince1970) + 0.1))
    let killed = await failure { _ = try await chain.run([:], .init(entry: "bad")) as ChainValue }
    let taken = try await ContinuousClock().measure { _ = try await chain.run([:], .init(entry: "other")) as ChainValue }
    let later = await failure { _ = try await chain.run([:], .init(entry: "bad")) as ChainValue }
    await host.shutdown()
    #expect(killed?.code == "cpu_limit")
    #expect(later?.code == "unavailable")
    #expect(later?.message == "Bad is being rebuilt, and that fails: evaluating bad.lua does not end: it ran for 5 s at bad.lua:3")
    #expect(taken < .seconds(4)) // of which it sleeps one; the file runs for five
  }
}

extension ChainValue {
  fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
}
