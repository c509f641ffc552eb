import ChainBase
import ChainHost
import Testing

private let writer = """
  local Writer = chain.chainlet "Writer" { input = { n = t.integer }, output = t.stream(t.integer, t.string) }
  function Writer:run(req, emit)
    for i = 1, req.n do emit(i) end
    return "wrote " .. req.n
  end
  """

private func source(_ body: String, _ spec: String = "input = {}, output = t.any, needs = { writer = Writer }") -> String {
  """
  local chain = require "chain"
  local t = chain.types
  \(writer)
  local Main = chain.chainlet "Main" { \(spec) }
  function Main:run(req, emit)
  \(body)
  end
  return Main
  """
}

private func run(_ body: String) async throws -> ChainValue { try await withChain(source(body)) { try await $0.run([:]) } }

@Suite("Streams")
struct StreamTests {
  @Test("for over a stream gives every item in order, then the result")
  func forLoop() async throws {
    let value = try await run("""
      local sum, last = 0, 0
      local s <close> = self.writer { n = 100 }
      for x in s do assert(x == last + 1) last = x sum = sum + x end
      return { sum, s:result() }
      """)
    #expect(value == [5050, "wrote 100"])
  }

  @Test("leaving the loop early closes the stream: the writer unwinds at once")
  func leavingEarly() async throws {
    let value = try await run("""
      local n = 0
      for x in self.writer { n = 1000000 } do n = n + 1 if x == 3 then break end end
      return n
      """)
    #expect(value == 3)
  }

  @Test("thousands of writers that wait for room are let in, one after the other, when only the result is wanted, or nothing")
  func manyWriters() async throws {
    let body = """
      local items = {}
      for i = 1, 4000 do items[i] = i end
      local function open()
        return chain.stream(function(emit)
          chain.each(items, emit, { limit = 4000 })
          return "all"
        end)
      end
      local s = open()
      chain.sleep(0.02)
      local first = open()
      chain.sleep(0.02)
      first:close()
      return s:result()
      """
    #expect(try await run(body) == "all")
  }

  @Test("a wrong call of a stream that waits for a slot is told by its own name, whatever its caller does meanwhile")
  func queuedAndWrong() async throws {
    let value = try await withChain("""
      local chain = require "chain"
      local t = chain.types
      local Y = chain.chainlet "Y" { input = { n = t.integer }, output = t.stream(t.integer), scaling = { concurrency = 1 } }
      function Y:run(req, emit) emit(1) chain.sleep(0.05) end
      local P = chain.chainlet "P" { output = t.stream(t.string), needs = { y = Y } }
      function P:run(_, emit)
        local a = self.y { n = 1 }
        a()
        local b = self.y { n = "x" }
        for i = 1, 30 do emit("item " .. i) end
        for _ in a do end
        local _, failure = pcall(function() for _ in b do end end)
        emit(failure.message)
      end
      local Main = chain.chainlet "Main" { output = t.string, needs = { p = P } }
      function Main:run()
        local last
        for item in self.p() do last = item chain.sleep(0.003) end
        return last
      end
      return Main
      """) { try await $0.run([:]) } as ChainValue
    #expect(value == #"Y.input.n: expected integer, got string ("x")"#)
  }

  @Test("result drops what is left; an item of the wrong type fails the writer with its place")
  func resultAndTypes() async throws {
    #expect(try await run("local s = self.writer { n = 50 } return s:result()") == "wrote 50")
    let failure = await failure(of: """
      local chain = require "chain"
      local t = chain.types
      local Writer = chain.chainlet "Writer" { input = {}, output = t.stream(t.integer) }
      function Writer:run(req, emit) emit(1) emit("two") end
      local Main = chain.chainlet "Main" { input = {}, needs = { writer = Writer } }
      function Main:run() for _ in self.writer {} do end end
      return Main
      """)
    #expect(failure?.message.contains("Writer.emit: expected integer, got string (\"two\")") == true)
    #expect(failure?.code == "bad_output")
  }

  @Test("when the writer fails, the reader gets the failure after the queued items")
  func writerFails() async throws {
    let value = try await withChain("""
      local chain = require "chain"
      local t = chain.types
      local Writer = chain.chainlet "Writer" { input = {}, output = t.stream(t.integer) }
      function Writer:run(req, emit) for i = 1, 5 do emit(i) end error("dry", 0) end
      local Main = chain.chainlet "Main" { input = {}, output = t.any, needs = { writer = Writer } }
      function Main:run()
        local n = 0
        local ok, err = pcall(function() for _ in self.writer {} do n = n + 1 end end)
        return { n, ok, err.message, err.chainlet }
      end
      return Main
      """) { try await $0.run([:]) }
    #expect(value == [5, false, "dry", "Writer"])
  }

  @Test("chain.stream makes a local one; a stream crosses as an input field")
  func inputStream() async throws {
    let value = try await withChain("""
      local chain = require "chain"
      local t = chain.types
      local Sum = chain.chainlet "Sum" { input = { start = t.integer, xs = t.stream(t.integer) }, output = t.integer }
      function Sum:run(req)
        local sum = req.start
        for x in req.xs do sum = sum + x end
        return sum
      end
      local Main = chain.chainlet "Main" { input = {}, output = t.any, needs = { sum = Sum } }
      function Main:run()
        local numbers = chain.stream(function(emit) for i = 1, 100 do emit(i) end end)
        local local_sum = 0
        for x in chain.stream(function(emit) for i = 1, 3 do emit(i) end end) do local_sum = local_sum + x end
        return { self.sum { start = 1000, xs = numbers }, local_sum }
      end
      return Main
      """) { try await $0.run([:]) }
    #expect(value == [6050, 6])
  }

  @Test("chain.map over a stream gives a stream of the results, in order, at most limit ahead")
  func mapped() async throws {
    let value = try await run("""
      local running, most = 0, 0
      local out = {}
      for x in chain.map(self.writer { n = 60 }, function(n, index)
        running = running + 1
        most = math.max(most, running)
        chain.sleep((60 - n) % 7 / 1000)
        running = running - 1
        assert(n == index)
        return n * n
      end, { limit = 5 }) do out[#out + 1] = x end
      local sum = 0
      for i, x in ipairs(out) do assert(x == i * i) sum = sum + x end
      return { #out, sum, most <= 5 and most > 1 }
      """)
    #expect(value == [60, 73810, true])
  }

  @Test("chain.map over a stream: the first failure ends it after the results before, and leaving early ends everything")
  func mappedEnds() async throws {
    let value = try await run("""
      local seen = {}
      local ok, failure = pcall(function()
        for x in chain.map(self.writer { n = 1000 }, function(n)
          if n == 4 then error(chain.failure { code = "four", message = "no" }) end
          return n
        end) do seen[#seen + 1] = x end
      end)
      local started, ended = 0, 0
      for x in chain.map(self.writer { n = 1000 }, function(n)
        local _ <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
        started = started + 1
        if n > 3 then chain.sleep(60) end
        return n
      end, { limit = 8 }) do
        if x == 3 then break end
      end
      chain.sleep(0.01)
      local none = chain.try(function()
        for _ in chain.map(chain.stream(function(emit) emit(1) end), function() end) do end
      end)
      local wrong = select(2, chain.try(chain.map, chain.stream(function() end), 1))
      return { ok, failure.code, #seen, started == ended, none == nil, wrong.message:match("expected a function") }
      """)
    #expect(value == [false, "four", 3, true, true, "expected a function"])
  }

  @Test("a call that starts one task after the other keeps no pile of them")
  func tasksAreForgotten() async throws {
    let body = """
      for i = 1, 20000 do
        local task = chain.async(function() return ("x"):rep(1000) .. i end)
        task:await()
      end
      return true
      """
    let small = #"input = {}, output = t.any, needs = { writer = Writer }, limits = { memory = "4MB" }"# // a pile takes 20 MB
    #expect(try await withChain(source(body, small)) { try await $0.run([:]) } == true)
  }

  @Test("a streaming entrypoint gives its items one by one to Swift, then its result")
  func outside() async throws {
    try await withChain("""
      local chain = require "chain"
      local t = chain.types
      local Main = chain.chainlet "Main" { input = { n = t.integer }, output = t.stream(t.string, t.integer) }
      function Main:run(req, emit) for i = 1, req.n do emit("w" .. i) end return req.n end
      return Main
      """) { chain in
      let stream = try chain.stream(["n": 40])
      var items: [ChainOutput] = []
      for try await item in stream { items.append(item) }
      #expect(items.count == 40)
      #expect(items.first == .value("w1"))
      #expect(try await stream.result() == .value(40))
      let list = try await chain.run(["n": 3])
      #expect(list == ["w1", "w2", "w3"])
    }
  }

  @Test("two tasks cannot read one stream at the same time")
  func readTwice() async throws {
    let value = try await run("""
      local s = chain.stream(function(emit) chain.sleep(0.02) emit(1) end)
      local r = chain.settle({ 1, 2 }, function() return s() end)
      local message
      for _, e in ipairs(r) do if not e.ok then message = e.error.message end end
      return message
      """)
    #expect(value == "the stream is being read by another task of this call: one at a time")
  }

  @Test("a reader that stops cancels the request")
  func readerStops() async throws {
    try await withChain("""
      local chain = require "chain"
      local t = chain.types
      local Main = chain.chainlet "Main" { input = {}, output = t.stream(t.integer) }
      function Main:run(req, emit) local i = 0 while true do i = i + 1 emit(i) end end
      return Main
      """) { chain in
      var count = 0
      for try await _ in try chain.stream([:]) {
        count += 1
        if count == 5 { break }
      }
      #expect(count == 5)
    }
  }
}
