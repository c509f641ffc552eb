import ChainBase
import ChainHost
import Foundation
import Synchronization
import Testing

/// Values too large for one event of a lane: they cross in pieces, and nobody may see that but by not waiting.
@Suite("Large crossings", .serialized)
struct LargeCrossingTests {
  private static let graph = """
    local chain = require "chain"
    local t = chain.types
    local Rows = t.list { id = t.integer, name = t.string, score = t.number, tag = t.optional(t.any) }
    local limits = { memory = "256MB" }

    local Same = chain.chainlet "Same" { input = { rows = Rows }, output = { rows = Rows }, limits = limits }
    function Same:run(req) return req end

    local Count = chain.chainlet "Count" { input = { rows = Rows }, output = t.integer, limits = limits }
    function Count:run(req) return #req.rows end

    local Tight = chain.chainlet "Tight" { input = { rows = Rows }, output = t.integer, limits = { memory = "2MB" } }
    function Tight:run(req) return #req.rows end

    local Outer = chain.chainlet "Outer" {
      input = { rows = Rows, tight = t.optional(t.boolean) }, output = { rows = Rows }, limits = limits,
      needs = { same = Same, count = Count, tight = Tight },
    }
    function Outer:run(req)
      if req.tight then
        local ok, failure = pcall(self.tight, { rows = req.rows })
        assert(not ok and failure.code == "memory_limit", failure)
      end
      local result = self.same { rows = req.rows }
      assert(#result.rows == self.count { rows = req.rows } and result.rows ~= req.rows)
      return result
    end

    local Wrong = chain.chainlet "Wrong" { output = { rows = Rows }, limits = limits, needs = { count = Count } }
    function Wrong:run(req)
      local rows = {}
      for id = 1, 20000 do rows[id] = { id = id, name = "n" .. id, score = id } end
      rows[19999].score = "high"
      local ok, failure = pcall(self.count, { rows = rows })
      assert(not ok and failure.message == 'Count.input.rows[19999].score: expected number, got string ("high")', failure.message)
      return { rows = rows }
    end

    local Shared = chain.chainlet "Shared" { input = { write = t.optional(t.integer) }, output = t.list(t.integer), limits = limits }
    function Shared:init()
      self.list = {}
      for i = 1, 50000 do self.list[i] = 0 end
    end
    function Shared:run(req)
      if not req.write then return self.list end
      for i = 1, 50000 do self.list[i] = req.write end
      self.list["k" .. req.write] = nil
      return {}
    end

    local Table = chain.chainlet "Table" { input = { count = t.integer }, output = t.map(t.integer), limits = limits }
    function Table:run(req)
      local map = {}
      for i = 1, req.count do map["key " .. i] = i end
      return map
    end

    return { same = Same, outer = Outer, tight = Tight, wrong = Wrong, shared = Shared, table = Table }
    """

  private static func rows(_ count: Int) -> [UInt8] {
    let rows = (1...count).map { #"{"id":\#($0),"name":"row \#($0)","score":\#(Double($0) + 0.5)}"# }
    return Array(#"{"rows":[\#(rows.joined(separator: ","))]}"#.utf8)
  }

  private static func withChain(_ body: (Chain) async throws -> Void) async throws {
    let host = ChainHost()
    let chain = try await host.load(files: ["graph.lua": graph])
    try await body(chain)
    while await !host.census().allSatisfy(\.isAtRest) { try await Task.sleep(for: .milliseconds(1)) }
    await host.shutdown()
  }

  @Test("text in and out, and from state to state and back, is the same as what crosses at once")
  func same() async throws {
    try await Self.withChain { (chain: Chain) async throws -> Void in
      let text = Self.rows(30_000)
      #expect(text.count > 1 << 20)
      #expect(try await chain.run(json: text, .init(entry: "same")) == text)
      #expect(try await chain.run(json: text, .init(entry: "outer")) == text)
    }
  }

  @Test("values written in Swift, in and out, are the same too")
  func values() async throws {
    try await Self.withChain { (chain: Chain) async throws -> Void in
      let rows = (1...20_000).map { id -> ChainValue in
        ["id": .integer(Int64(id)), "name": "row", "score": 0.5, "tag": id % 3 == 0 ? .list([.integer(1), .boolean(true)]) : "t"]
      }
      guard case .list(let answered)? = try await chain.run(["rows": .list(rows)], .init(entry: "outer"))["rows"] else {
        throw TestFailure("no rows")
      }
      #expect(answered.count == rows.count)
      #expect(answered[8]["tag"] == .list([.integer(1), .boolean(true)]) && answered[19_999]["id"] == 20_000)
      let map = try await chain.run(["count": 50_000], .init(entry: "table"))
      #expect(map["key 49999"] == 49_999)
    }
  }

  @Test("a large table of names is written in the order of the names")
  func sorted() async throws {
    try await Self.withChain { (chain: Chain) async throws -> Void in
      let text = String(decoding: try await chain.run(json: Array(#"{"count":30000}"#.utf8), .init(entry: "table")), as: UTF8.self)
      #expect(text.hasPrefix(#"{"key 1":1,"key 10":10,"key 100":100,"key 1000":1000,"key 10000":10000,"key 10001":10001,"#))
      #expect(text.split(separator: ",").count == 30_000)
    }
  }

  @Test("a neighbour on the lane goes on while a large body is read and written")
  func neighbour() async throws {
    let over = Atomic(false), isBegun = Atomic(false)
    let host = ChainHost()
    host.add(
      PrimitiveModule("lane") {
        Primitive("now") { () -> Double in
          isBegun.store(true, ordering: .relaxed)
          return Double(DispatchTime.now().uptimeNanoseconds) / 1e9
        }
        Primitive("isOver") { () -> Bool in over.load(ordering: .relaxed) }
      })
    let source = Self.graph.replacing(
      "return { same", with: """
        local lane = require "lane"
        local Watch = chain.chainlet "Watch" { output = t.number }
        function Watch:run()
          local longest, last = 0, lane.now()
          while not lane.isOver() do
            chain.sleep(0)
            local now = lane.now()
            longest, last = math.max(longest, now - last), now
          end
          return longest
        end
        return { watch = Watch, same
        """)
    let chain = try await host.load(files: ["graph.lua": source])
    async let watching = chain.run([:], .init(entry: "watch"))
    while !isBegun.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(1)) }
    let text = Self.rows(30_000)
    let begun = DispatchTime.now().uptimeNanoseconds
    let same = try await chain.run(json: text, .init(entry: "same"))
    let spent = Double(DispatchTime.now().uptimeNanoseconds - begun) / 1e9
    over.store(true, ordering: .relaxed)
    guard case .number(let longest) = try await watching else { throw TestFailure("no number") }
    #expect(same == text)
    #expect(longest < spent / 4, "of \(spent) s the neighbour stood still for \(longest) s")
    await host.shutdown()
  }

  @Test("what is wrong deep in a large value is found where it is")
  func wrong() async throws {
    try await Self.withChain { (chain: Chain) async throws -> Void in
      var text = String(decoding: Self.rows(20_000), as: UTF8.self)
      text.replace(#""id":19999,"#, with: #""id":"x","#)
      let input = await failure { _ = try await chain.run(json: Array(text.utf8), .init(entry: "same")) }
      #expect(input?.message == #"Same.input.rows[19999].id: expected integer, got string ("x")"#)
      #expect(input?.code == "bad_input")
      let output = await failure { _ = try await chain.run([:], .init(entry: "wrong")) }
      #expect(output?.message == #"Wrong.output.rows[19999].score: expected number, got string ("high")"#)
      #expect(output?.code == "bad_output")
    }
  }

  @Test("more than the limits allow is refused, as it is in one piece")
  func tooLarge() async throws {
    try await Self.withChain { (chain: Chain) async throws -> Void in
      let failure = await failure { _ = try await chain.run(json: Self.rows(60_000), .init(entry: "same")) }
      #expect(failure?.message == "Same.input: too large: more than 200000 values in all")
    }
  }

  @Test("a state without room for a large value fails the request with its limit, and serves the next one")
  func memory() async throws {
    try await Self.withChain { (chain: Chain) async throws -> Void in
      let failure = await failure { _ = try await chain.run(json: Self.rows(30_000), .init(entry: "tight")) }
      #expect(failure?.code == "memory_limit")
      #expect(try await chain.run(json: Self.rows(10), .init(entry: "tight")) == Array("10".utf8))
      var text = Self.rows(30_000)
      text.replaceSubrange(0..<1, with: Array(#"{"tight":true,"#.utf8))
      #expect(try await chain.run(json: text, .init(entry: "outer")) == Self.rows(30_000))
    }
  }

  @Test("a request is cancelled, or its time is over, in the midst of a crossing", arguments: 0..<30)
  func cancelled(_ step: Int) async throws {
    try await Self.withChain { (chain: Chain) async throws -> Void in
      let text = Self.rows(20_000)
      let task = Task { try await chain.run(json: text, .init(entry: "outer")) }
      let late = await failure { _ = try await chain.run(json: text, .init(entry: "outer", timeout: UInt64(1 + step * 7) * 1_000_000)) }
      #expect(late == nil || late?.code == "timeout", "\(String(describing: late))")
      task.cancel()
      let ended = await failure { _ = try await task.value }
      #expect(ended == nil || ended?.code == "cancelled", "\(String(describing: ended))")
      #expect(try await chain.run(json: Self.rows(3), .init(entry: "outer")) == Self.rows(3))
    }
  }

  @Test("no run changes a table while it crosses")
  func held() async throws {
    try await Self.withChain { (chain: Chain) async throws -> Void in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for round in 1...12 {
          group.addTask {
            let text = try await chain.run(json: Array("{}".utf8), .init(entry: "shared"))
            let numbers = Set(String(decoding: text.dropFirst().dropLast(), as: UTF8.self).split(separator: ","))
            #expect(numbers.count == 1, "values of several writes in one answer: \(numbers.prefix(5))")
          }
          group.addTask { _ = try await chain.run(["write": .integer(Int64(round))], .init(entry: "shared")) }
        }
        try await group.waitForAll()
      }
    }
  }
}

private struct TestFailure: Error {
  let text: String
  init(_ text: String) { self.text = text }
}
