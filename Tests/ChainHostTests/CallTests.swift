import ChainBase
import ChainHost
import ChainLoop
import Testing

/// Loads a graph of texts on one real lane, gives it to `body`, and shuts the host down.
func withChain<R: Sendable>(
  _ source: String, _ options: LoadOptions = LoadOptions(), modules: [PrimitiveModule] = [],
  log: @escaping @Sendable (LogLine) -> Void = { _ in }, _ body: (Chain) async throws -> R
) async throws -> R {
  let host = ChainHost(log: log)
  for module in modules { host.add(module) }
  do {
    let chain = try await host.load(files: ["graph.lua": source], options)
    let result = try await body(chain)
    await host.shutdown()
    return result
  } catch {
    await host.shutdown()
    throw error
  }
}

/// The failure that a request of the chain ends with.
func failure(of source: String, _ input: ChainValue = [:], _ options: LoadOptions = LoadOptions()) async -> Failure? {
  do {
    _ = try await withChain(source, options) { try await $0.run(input) }
    return nil
  } catch { return error as? Failure }
}

let hello = """
  local chain = require "chain"
  local t = chain.types
  local SayHello = chain.chainlet "SayHello" { input = { name = t.string }, output = t.string }
  function SayHello:run(req) return "Hello, " .. req.name end
  local HelloAll = chain.chainlet "HelloAll" {
    input = { names = t.list(t.string) }, output = t.string, needs = { say_hello = SayHello },
  }
  function HelloAll:run(req)
    local lines = chain.map(req.names, function(name) return self.say_hello { name = name } end)
    return table.concat(lines, "\\n")
  end
  return HelloAll
  """

@Suite("Calls")
struct CallTests {
  @Test("hello: a fan-out over another chainlet, in order, from Swift values and from JSON")
  func helloRuns() async throws {
    try await withChain(hello) { chain in
      let reply = try await chain.run(["names": ["Ada", "Grace"]])
      #expect(reply == "Hello, Ada\nHello, Grace")
      let json = try await chain.run(json: Array(#"{"names":["Ada","Grace"]}"#.utf8))
      #expect(String(decoding: json, as: UTF8.self) == #""Hello, Ada\nHello, Grace""#)
    }
  }

  @Test("an input that does not fit answers bad_input with its path")
  func badInput() async {
    let failure = await failure(of: hello, ["names": ["Ada", "Grace", 7]])
    #expect(failure?.code == "bad_input")
    #expect(failure?.status == 422)
    #expect(failure?.message == "HelloAll.input.names[3]: expected string, got integer (7)")
  }

  @Test("a module-level table changed in one chainlet is not seen in another")
  func statesAreSeparate() async throws {
    let source = """
      local chain = require "chain"
      local t = chain.types
      local shared = {}
      local Other = chain.chainlet "Other" { input = {}, output = t.integer }
      function Other:run() shared.n = (shared.n or 0) + 1 return shared.n end
      local Main = chain.chainlet "Main" { input = {}, output = t.list(t.integer), needs = { other = Other } }
      function Main:run() shared.n = 100 return { self.other {}, self.other {}, shared.n } end
      return Main
      """
    let reply = try await withChain(source) { try await $0.run([:]) }
    #expect(reply == [1, 2, 100])
  }

  @Test("functions, coroutines and userdata cannot cross", arguments: ["function() end", "coroutine.create(function() end)", "chain.mutex()"])
  func onlyDataCrosses(value: String) async {
    let source = """
      local chain = require "chain"
      local t = chain.types
      local Other = chain.chainlet "Other" { input = { x = t.any }, output = t.any }
      function Other:run(req) return req.x end
      local Main = chain.chainlet "Main" { input = {}, output = t.any, needs = { other = Other } }
      function Main:run() return self.other { x = \(value) } end
      return Main
      """
    let failure = await failure(of: source)
    #expect(failure?.code == "bad_input")
    #expect(failure?.message.hasPrefix("Other.input.x: ") == true)
  }

  @Test("a misspelt need is answered with what was meant, the line and a caret")
  func misspeltNeed() async {
    let failure = await failure(of: """
      local chain = require "chain"
      local t = chain.types
      local SayHello = chain.chainlet "SayHello" { input = { name = t.string }, output = t.string }
      function SayHello:run(req) return "Hello, " .. req.name end
      local Main = chain.chainlet "Main" { input = {}, output = t.string, needs = { say_hello = SayHello } }
      function Main:run(req)
        return self.say_helo { name = "x" }
      end
      return Main
      """)
    #expect(failure?.message == """
      graph.lua:7: attempt to call a nil value (field 'say_helo'); did you mean 'say_hello'?
        7 |   return self.say_helo { name = "x" }
          |               ^
      """)
    #expect(failure?.trace.first?.place == SourcePlace(file: "graph.lua", line: 7))
  }

  @Test("an error three chainlets deep carries the chain of calls")
  func deepError() async {
    let failure = await failure(of: """
      local chain = require "chain"
      local C = chain.chainlet "C" { input = {} }
      function C:run() error("broken pipe") end
      local B = chain.chainlet "B" { input = {}, needs = { c = C } }
      function B:run() self.c {} end
      local A = chain.chainlet "A" { input = {}, needs = { b = B } }
      function A:run() self.b {} end
      return A
      """)
    #expect(failure?.message == "graph.lua:3: broken pipe\n  3 | function C:run() error(\"broken pipe\") end" || failure?.message == "graph.lua:3: broken pipe")
    #expect(failure?.chainlet == "C")
    #expect(failure?.trace.map(\.chainlet) == ["C", "B", "A"])
    #expect(failure?.trace.map { $0.place?.line } == [3, 5, 7])
  }

  @Test("requests interleave where they wait, and only there")
  func interleaving() async throws {
    let source = """
      local chain = require "chain"
      local t = chain.types
      local Main = chain.chainlet "Main" { input = { id = t.integer }, output = t.list(t.string) }
      function Main:init() self.log = {} end
      function Main:run(req)
        table.insert(self.log, "in " .. req.id)
        chain.sleep(0.02)
        table.insert(self.log, "out " .. req.id)
        return self.log
      end
      return Main
      """
    let logs = try await withChain(source) { chain in
      async let a = chain.run(["id": 1])
      async let b = chain.run(["id": 2])
      return try await [a, b]
    }
    let full = logs.compactMap { if case .list(let items) = $0 { items } else { nil } }.max { $0.count < $1.count }
    #expect(full == ["in 1", "in 2", "out 1", "out 2"] || full == ["in 2", "in 1", "out 2", "out 1"])
  }

  @Test("a state that spins ends at its cpu limit and others go on")
  func cpuLimit() async {
    let failure = await failure(of: """
      local chain = require "chain"
      local Main = chain.chainlet "Main" { input = {}, limits = { cpu = 0.1 } }
      function Main:run() while true do pcall(function() while true do end end) end end
      return Main
      """)
    #expect(failure?.code == "cpu_limit")
  }

  @Test("a memory limit ends the call that reaches it")
  func memoryLimit() async {
    let failure = await failure(of: """
      local chain = require "chain"
      local Main = chain.chainlet "Main" { input = {}, limits = { memory = "4MB" } }
      function Main:run() local t = {} while true do pcall(function() t[#t + 1] = ("x"):rep(1000) .. #t end) end end
      return Main
      """)
    #expect(failure?.code == "memory_limit")
  }

  @Test("a host that was shut down lets go of its environment, and so of its threads")
  func nothingStays() async throws {
    weak var environment: RealEnvironment?
    do {
      let made = RealEnvironment()
      environment = made
      let host = ChainHost(lanes: 2, environment: made)
      let source = """
        local chain = require "chain"
        local all = {}
        for n = 1, 40 do
          all["c" .. n] = chain.chainlet("C" .. n) { input = {}, output = chain.types.integer }
          all["c" .. n].run = function(self) return n end
        end
        return all
        """
      let chain = try await host.load(files: ["graph.lua": source])
      #expect(try await chain.run([:], .init(entry: "c40")) == 40)
      await host.shutdown()
    }
    for _ in 0..<2000 where environment != nil { try await Task.sleep(for: .milliseconds(5)) } // its threads are ending
    #expect(environment == nil)
  }
}

@Suite("Swift types in and out")
struct CodableTests {
  private struct Order: Codable, Equatable {
    var item: String
    var count: Int
    var note: String?
  }

  private let source = """
    local chain = require "chain"
    local t = chain.types
    local order = { item = t.string, count = t.integer, note = t.optional(t.string) }
    local Double = chain.chainlet "Double" { input = order, output = t.record(order) }
    function Double:run(req) return { item = req.item, count = req.count * 2, note = req.note } end
    local Words = chain.chainlet "Words" { input = { text = t.string }, output = t.stream(t.string) }
    function Words:run(req, emit) for word in req.text:gmatch("%a+") do emit(word) end end
    return { double = Double, words = Words }
    """

  @Test("an Encodable goes in and a Decodable comes out")
  func orders() async throws {
    try await withChain(source) { (chain: Chain) async throws -> Void in
      let answer: Order = try await chain.run(Order(item: "tea", count: 3), .init(entry: "double"))
      #expect(answer == Order(item: "tea", count: 6))
      let fields: Order = try await chain.run(["item": "tea", "count": 1, "note": "hot"], .init(entry: "double"))
      #expect(fields == Order(item: "tea", count: 2, note: "hot"))
      do {
        let _: [Int] = try await chain.run(Order(item: "tea", count: 3), .init(entry: "double"))
        Issue.record("a record is no list")
      } catch {
        #expect((error as? Failure)?.code == "bad_output")
      }
    }
  }

  @Test("the items of a stream come as a type")
  func words() async throws {
    let words = try await withChain(source) { chain in
      var words: [String] = []
      for try await word in try chain.stream(["text": "three small words"], .init(entry: "words"), of: String.self) { words.append(word) }
      return words
    }
    #expect(words == ["three", "small", "words"])
  }
}

@Suite("Input streams from outside")
struct FeedTests {
  private let source = """
    local chain = require "chain"
    local t = chain.types
    local Sum = chain.chainlet "Sum" { input = { factor = t.integer, numbers = t.stream(t.integer) }, output = t.integer }
    function Sum:run(req)
      local sum = 0
      for n in req.numbers do
        sum = sum + n * req.factor
        if n == 1000 then break end
      end
      return sum
    end
    local Echo = chain.chainlet "Echo" { input = { numbers = t.stream(t.integer) }, output = t.stream(t.integer), needs = { sum = Sum } }
    function Echo:run(req, emit) for n in req.numbers do emit(n) end end
    local Outer = chain.chainlet "Outer" { input = { numbers = t.stream(t.integer) }, output = t.integer, needs = { sum = Sum } }
    function Outer:run(req) return self.sum { factor = 1, numbers = req.numbers } end
    return { sum = Sum, echo = Echo, outer = Outer }
    """

  private func numbers(_ range: ClosedRange<Int64>) -> AsyncStream<ChainValue> {
    AsyncStream { continuation in
      for n in range { continuation.yield(.integer(n)) }
      continuation.finish()
    }
  }

  @Test("fill the stream field of an input, also of one that is handed on, and are let go when the reader stops")
  func filled() async throws {
    try await withChain(source) { (chain: Chain) async throws -> Void in
      #expect(try await chain.run(["factor": 2], .init(entry: "sum", feed: ChainFeed(numbers(1...500)))) == 250_500)
      #expect(try await chain.run([:], .init(entry: "outer", feed: ChainFeed(numbers(1...100)))) == 5050)
      #expect(try await chain.run(["factor": 1], .init(entry: "sum", feed: ChainFeed(numbers(1...1_000_000)))) == 500_500)
      let texts = AsyncStream<[UInt8]> { continuation in
        for n in 1...3 { continuation.yield(Array("\(n)".utf8)) }
        continuation.finish()
      }
      let answer = try await chain.run(json: Array(#"{"factor":10}"#.utf8), .init(entry: "sum", feed: ChainFeed(json: texts)))
      #expect(answer == Array("60".utf8))
    }
  }

  @Test("both ways at once: an item goes out before the next comes in")
  func duplex() async throws {
    let (items, continuation) = AsyncStream<ChainValue>.makeStream()
    let echoed = try await withChain(source) { chain in
      var echoed: [ChainOutput] = []
      continuation.yield(1)
      for try await item in try chain.stream([:], .init(entry: "echo", feed: ChainFeed(items))) {
        echoed.append(item)
        if echoed.count < 5 { continuation.yield(.integer(Int64(echoed.count + 1))) } else { continuation.finish() }
      }
      return echoed
    }
    #expect(echoed == (1...5).map { .value(.integer($0)) })
  }

  @Test("a wrong item, an error, a missing and an unwanted feed are said with their place")
  func mistakes() async throws {
    try await withChain(source + "\n-- \n") { (chain: Chain) async throws -> Void in
      func failure(_ entry: String, _ input: ChainValue, _ feed: ChainFeed?) async -> String {
        do { return "\(try await chain.run(input, .init(entry: entry, feed: feed)) as ChainValue)" } catch { return error.message }
      }
      let wrong = AsyncStream<ChainValue> { continuation in
        continuation.yield(1)
        continuation.yield("two")
        continuation.finish()
      }
      #expect(await failure("sum", ["factor": 1], ChainFeed(wrong)).contains("Sum.input.numbers[2]: expected integer, got string"))
      let failing = AsyncThrowingStream<ChainValue, any Error> { throw Failure(code: "line", message: "the line broke") }
      #expect(await failure("sum", ["factor": 1], ChainFeed(failing)).contains("the line broke"))
      #expect(await failure("sum", ["factor": 1], nil).contains("Sum.input.numbers"))
    }
    let plain = """
      local chain = require "chain"
      local Main = chain.chainlet "Main" { input = {}, output = chain.types.integer }
      function Main:run() return 1 end
      return Main
      """
    try await withChain(plain) { (chain: Chain) async throws -> Void in
      do {
        let _: ChainValue = try await chain.run([:], .init(feed: ChainFeed(numbers(1...2))))
        Issue.record("there is nothing to fill")
      } catch {
        #expect((error as? Failure)?.code == "bad_input")
      }
    }
  }

  @Test("a request that is cancelled while it waits for an item cancels the sequence's task")
  func cancelled() async throws {
    try await withChain(source) { (chain: Chain) async throws -> Void in
      let (ended, end) = AsyncStream<Void>.makeStream()
      let waiting = AsyncThrowingStream<ChainValue, any Error> {
        do { try await Task.sleep(for: .seconds(60)) } catch {
          end.yield()
          throw error
        }
        return 1
      }
      let request = Task { try await chain.run(["factor": 1], .init(entry: "sum", timeout: 20_000_000, feed: ChainFeed(waiting))) as ChainValue }
      #expect(await (request.result).isFailure)
      for await _ in ended { break }
    }
  }
}

extension Result {
  fileprivate var isFailure: Bool { if case .failure = self { true } else { false } }
}
