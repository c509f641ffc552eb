import ChainBase
import ChainHost
import Testing

/// Items, results and inputs of streams that are too large for one event of their lane.
@Suite("Large values in streams", .serialized)
struct LargeStreamTests {
  private static let source = """
    local chain = require "chain"
    local t = chain.types
    local Rows = t.list { id = t.integer, name = t.string }
    local limits = { memory = "128MB", output = "32MB" }
    local function rows(n, first)
      local rows = {}
      for id = 1, n do rows[id] = { id = first + id, name = "row " .. id } end
      return rows
    end
    local function sum(rows)
      local sum = 0
      for _, row in ipairs(rows) do sum = sum + row.id end
      return sum
    end

    local Writer = chain.chainlet "Writer" { input = { n = t.integer, count = t.integer }, output = t.stream(Rows, Rows), limits = limits }
    function Writer:run(req, emit)
      for i = 1, req.count do emit(rows(req.n, i)) end
      return rows(req.n, 0)
    end

    local Wrong = chain.chainlet "Wrong" { output = t.stream(Rows, Rows), limits = limits, input = { result = t.boolean } }
    function Wrong:run(req, emit)
      local rows = rows(20000, 0)
      rows[19999].name = 7
      local ok, failure = pcall(emit, rows)
      assert(not ok, "it was taken")
      return req.result and rows or { { id = 1, name = failure.message } }
    end

    local Sum = chain.chainlet "Sum" { input = { rows = t.stream(Rows), more = t.optional(Rows) }, output = t.list(t.integer), limits = limits }
    function Sum:run(req)
      local sums = {}
      for rows in req.rows do sums[#sums + 1] = sum(rows) end
      if req.more then sums[#sums + 1] = sum(req.more) end
      return sums
    end

    local Tight = chain.chainlet "Tight" {
      input = { rows = t.stream(Rows) }, output = t.integer, limits = { memory = "2MB" }, needs = { writer = Writer },
    }
    function Tight:run(req)
      local n = 0
      for rows in req.rows do n = n + #rows end
      return n
    end

    local Main = chain.chainlet "Main" {
      input = { what = t.string, n = t.optional(t.integer) }, output = t.any, limits = limits,
      needs = { writer = Writer, wrong = Wrong, sum = Sum, tight = Tight },
    }
    local what = {}
    function what.read(self, n)
      local sums = {}
      local s <close> = self.writer { n = n, count = 3 }
      for rows in s do sums[#sums + 1] = sum(rows) end
      sums[#sums + 1] = sum(s:result())
      return sums
    end
    function what.here(self, n)
      local s = chain.stream(function(emit)
        chain.each({ 1, 2, 3 }, function(i) emit(rows(n, i)) end)
        return rows(n, 0)
      end)
      local seen = {}
      for rows in s do seen[#seen + 1] = rows[1].id end
      table.sort(seen)
      return { seen, sum(s:result()) }
    end
    function what.unread(self, n)
      local s = self.writer { n = n, count = 5 }
      return sum(s:result())
    end
    function what.hand(self, n) return self.sum { rows = self.writer { n = n, count = 3 }, more = rows(n, 0) } end
    function what.later(self, n)
      local s = self.writer { n = n, count = 4 }
      s() -- and the second one crosses while it waits
      chain.sleep(0.05)
      return self.sum { rows = s }
    end
    function what.at_once(self, n)
      local s = self.writer { n = n, count = 4 }
      s()
      return self.sum { rows = s }
    end
    function what.leave(self, n)
      for rows in self.writer { n = n, count = 1000000 } do return #rows end
    end
    function what.timeout(self, n)
      local s <close> = self.writer { n = n, count = 10 }
      local last = 0
      local function read()
        for rows in s do
          assert(#rows == n and rows[1].id > last, "an item came twice")
          last = rows[1].id
        end
      end
      for i = 1, 40 do pcall(chain.timeout, i / 2000, read) end
      read()
      return last
    end
    function what.wrong(self) return self.wrong({ result = false }):result()[1].name end
    function what.wrong_result(self)
      local ok, failure = pcall(function() return self.wrong({ result = true }):result() end)
      return failure.message
    end
    function what.wrong_local(self)
      local s = chain.stream(function(emit) return { print } end)
      local ok, failure = pcall(s.result, s)
      return failure.message
    end
    function what.tight(self, n)
      local ok, failure = pcall(self.tight, { rows = self.writer { n = n, count = 3 } })
      return failure.code
    end
    function Main:run(req) return what[req.what](self, req.n) end

    return { main = Main, writer = Writer, sum = Sum, tight = Tight, wrong = Wrong }
    """

  private static func sum(_ n: Int64, _ first: Int64) -> ChainValue { .integer(n * (n + 1) / 2 + n * first) }

  /// At first small items, as they cross at once.
  @Test("between chainlets, inside of one, handed on and not read: the same as what crosses at once", arguments: [10, 20_000] as [Int64])
  func inside(n: Int64) async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      func ask(_ what: String) async throws -> ChainValue {
        try await chain.run(["what": .string(what), "n": .integer(n)], .init(entry: "main"))
      }
      let sums = (0...4).map { Self.sum(n, $0) }
      #expect(try await ask("read") == .list([sums[1], sums[2], sums[3], sums[0]]))
      #expect(try await ask("here") == [[2, 3, 4], sums[0]])
      #expect(try await ask("unread") == sums[0])
      #expect(try await ask("hand") == .list([sums[1], sums[2], sums[3], sums[0]]))
      #expect(try await ask("later") == .list(Array(sums[2...])))
      #expect(try await ask("at_once") == .list(Array(sums[2...])))
      #expect(try await ask("leave") == .integer(n))
    }
  }

  @Test("a reader that leaves in the midst of an item sees none twice")
  func timeout() async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      guard case .integer(let last) = try await chain.run(["what": "timeout", "n": 20_000], .init(entry: "main")) else { return }
      #expect((2...11).contains(last))
    }
  }

  @Test("to the outside, as JSON and as values")
  func outside() async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      let input: ChainValue = ["n": 20_000, "count": 3]
      var texts: [Int] = []
      var iterator = try chain.stream(json: input.json, .init(entry: "writer")).makeAsyncIterator()
      while let item = try await iterator.next() {
        guard case .json(let text) = item else { break }
        texts.append(text.count)
      }
      #expect(texts.count == 3 && texts.allSatisfy { $0 > 500_000 })
      var items: [ChainValue?] = []
      for try await item in try chain.stream(input, .init(entry: "writer")) {
        guard case .value(.list(let rows)) = item else { break }
        items.append(rows[19_999]["id"])
      }
      #expect(items == [20_001, 20_002, 20_003])
    }
  }

  @Test("from the outside, as JSON and as values, beside a large field; a wrong one is found where it is")
  func fed() async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      func rows(_ first: Int64, wrong: Bool = false) -> ChainValue {
        .list((1...20_000).map { ["id": .integer(first + $0), "name": wrong && $0 == 19_999 ? 7 : "row"] })
      }
      let items = AsyncStream<ChainValue> { continuation in
        for first in 1...3 { continuation.yield(rows(Int64(first))) }
        continuation.finish()
      }
      let sums = (0...3).map { Self.sum(20_000, $0) }
      let more: ChainValue = ["more": rows(0)]
      #expect(try await chain.run(more, .init(entry: "sum", feed: ChainFeed(items))) == .list([sums[1], sums[2], sums[3], sums[0]]))
      let texts = AsyncStream<[UInt8]> { continuation in
        for first in 1...3 { continuation.yield(rows(Int64(first)).json) }
        continuation.finish()
      }
      let answer = try await chain.run(json: more.json, .init(entry: "sum", feed: ChainFeed(json: texts)))
      #expect(try ChainValue(json: answer) == .list([sums[1], sums[2], sums[3], sums[0]]))
      let wrong = AsyncStream<ChainValue> { continuation in
        continuation.yield(rows(1))
        continuation.yield(rows(2, wrong: true))
        continuation.finish()
      }
      let message = await failure { _ = try await chain.run([:], .init(entry: "sum", feed: ChainFeed(wrong))) }?.message
      #expect(message == "Sum.input.rows[2][19999].name: expected string, got integer (7)")
    }
  }

  @Test("what is wrong far inside an item or a result is found where it is")
  func wrong() async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      func ask(_ what: String) async throws -> ChainValue { try await chain.run(["what": .string(what)], .init(entry: "main")) }
      #expect(try await ask("wrong") == "Wrong.emit[19999].name: expected string, got integer (7)")
      #expect(try await ask("wrong_result") == "Wrong.result[19999].name: expected string, got integer (7)")
      #expect(try await ask("wrong_local") == "chain.stream.result[1]: expected plain data, got function")
      let outside = await failure {
        for try await _ in try chain.stream(["result": true], .init(entry: "wrong")) {}
      }
      #expect(outside?.message == "Wrong.output[19999].name: expected string, got integer (7)")
    }
  }

  @Test("a long chain of streams that were handed on, each with an input on its way, ends at once")
  func chainOfInputs() async throws {
    let source = """
      local chain = require "chain"
      local t = chain.types
      local needs = {}
      for k = 1, 8 do
        local Pipe = chain.chainlet("Pipe" .. k) { input = { a = t.stream(t.integer), data = t.list(t.integer) }, output = t.stream(t.integer) }
        function Pipe:run(req, emit) emit(1) end
        needs["pipe" .. k] = Pipe
      end
      local Gen = chain.chainlet "Gen" { output = t.stream(t.integer) }
      function Gen:run(req, emit) for i = 1, 1e9 do emit(i) end end
      local Sink = chain.chainlet "Sink" { input = { data = t.list(t.integer) } }
      function Sink:run() end
      local Busy = chain.chainlet "Busy" { needs = { sink = Sink } }
      function Busy:run()
        local big, list = {}, {}
        for i = 1, 190000 do big[i] = i end
        for i = 1, 200 do list[i] = i end
        chain.each(list, function() self.sink { data = big } end, { limit = 200 })
      end
      needs.gen, needs.busy = Gen, Busy
      local Main = chain.chainlet "Main" { output = t.any, needs = needs, limits = { memory = "256MB" } }
      -- The stream is met first, and then the list, which is too large for one event.
      local function input(stream, list)
        for size = 0, 8 do
          local input = {}
          for i = 1, 1 << size do input["d" .. i] = 1 end
          for i = 1, 1 << size do input["d" .. i] = nil end
          input.a = stream
          input.data = list
          if next(input) == "a" then return input end
        end
      end
      function Main:run()
        chain.async(function() self.busy {} end) -- the one crossing of the request that has a turn
        chain.sleep(0.02)
        local list = {}
        for i = 1, 4200 do list[i] = i end
        local stream = self.gen {}
        for i = 0, 1799 do
          stream = self["pipe" .. 1 + i // 250](input(stream, list), i == 1799 and { timeout = 0.2 } or nil)
          if i % 20 == 0 then chain.sleep(0) end
        end
        local ok, failure = pcall(stream)
        return failure.code
      end
      return Main
      """
    #expect(try await withChain(source) { try await $0.run([:]) } == "timeout")
  }

  @Test("a reader without room for an item ends by its limit, and the writer with it")
  func memory() async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      #expect(try await chain.run(["what": "tight", "n": 20_000], .init(entry: "main")) == "memory_limit")
      let rows = ChainValue.list((1...20_000).map { ["id": .integer($0), "name": "row"] })
      let items = AsyncStream<ChainValue> { continuation in
        continuation.yield(rows)
        continuation.finish()
      }
      let fed = await failure { _ = try await chain.run([:], .init(entry: "tight", feed: ChainFeed(items))) }
      #expect(fed?.code == "memory_limit")
    }
  }

  @Test("a request ends in the midst of an item, of a result, of a hand-over", arguments: 0..<24)
  func cancelled(_ step: Int) async throws {
    try await withChain(Self.source) { (chain: Chain) async throws -> Void in
      let what = ["read", "here", "later", "hand", "unread", "at_once"][step % 6]
      let input: ChainValue = ["what": .string(what), "n": 20_000]
      let late = await failure { _ = try await chain.run(input, .init(entry: "main", timeout: UInt64(5 + step * 9) * 1_000_000)) }
      #expect(late == nil || late?.code == "timeout", "\(String(describing: late))")
      let task = Task { try await chain.run(input, .init(entry: "main")) as ChainValue }
      try await Task.sleep(for: .milliseconds(3 + step * 5))
      task.cancel()
      let ended = await failure { _ = try await task.value }
      #expect(ended == nil || ended?.code == "cancelled", "\(String(describing: ended))")
      #expect(try await chain.run(["what": "leave", "n": 5], .init(entry: "main")) == 5)
    }
  }
}
