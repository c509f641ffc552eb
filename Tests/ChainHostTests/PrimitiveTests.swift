import ChainBase
import ChainHost
import ChainLoop
import LuaBridge
import Testing

private let source = """
  local chain = require "chain"
  local t = chain.types
  local math2 = require "math2"
  local Main = chain.chainlet "Main" { input = { a = t.number }, output = t.any }
  function Main:run(req)
    local list = chain.map({ 1, 2, 3 }, function(i) return math2.later(i) end)
    local ok, err = pcall(function() return math2.add(1, "7") end)
    local ok2, err2 = pcall(math2.fail)
    return { math2.add(req.a, 2), list[1] + list[2] + list[3], err, err2.code }
  end
  return Main
  """

private struct Tagged: ChainRecord { var tags: [String] }

private func module() -> PrimitiveModule {
  PrimitiveModule("math2") {
    Primitive("add") { (a: Double, b: Double) in a + b }
    Primitive("later") { (a: Int) async throws -> Int in
      try await Task.sleep(for: .milliseconds(5))
      return a * 10
    }
    Primitive("at_once") { (a: Int) async -> Int in a }
    Primitive("total") { (rows: [[Double]]) in rows.reduce(0) { $0 + $1.reduce(0, +) } }
    Primitive("length") { (texts: [String: [String]]) in texts.values.reduce(0) { $0 + $1.reduce(0) { $0 + $1.utf8.count } } }
    Primitive("tags") { (items: [Tagged]) in items.reduce(0) { $0 + $1.tags.count } }
    Primitive("fail") { () async throws -> Int in throw Failure(code: "nope", message: "no") }
    Primitive("forever") { () async throws -> Int in
      try await Task.sleep(for: .seconds(1000))
      return 1
    }
  }
}

private func withHost(_ source: String, _ body: (Chain) async throws -> Void) async throws {
  let host = ChainHost()
  host.add(module())
  do {
    try await body(try await host.load(files: ["graph.lua": source]))
    await host.shutdown()
  } catch {
    await host.shutdown()
    throw error
  }
}

@Suite("Primitives")
struct PrimitiveTests {
  @Test("plain and async Swift functions, their errors, and wrong arguments")
  func calls() async throws {
    try await withHost(source) { chain in
      let value = try await chain.run(["a": 1])
      #expect(value == [3.0, 60, "graph.lua:7: bad argument #2 to 'add': number expected, got string (\"7\")", "nope"])
    }
  }

  @Test("cancelling a request cancels the task of the primitive that it waits for")
  func cancel() async throws {
    try await withHost("""
      local chain = require "chain"
      local m = require "math2"
      local Main = chain.chainlet "Main" { input = {} }
      function Main:run() m.forever() end
      return Main
      """) { chain in
      let task = Task { try await chain.run([:]) }
      try await Task.sleep(for: .milliseconds(20))
      task.cancel()
      guard case .failure(let error) = await task.result else { return #expect(Bool(false)) }
      #expect((error as? Failure)?.code == "cancelled")
    }
  }

  @Test("a primitive that waits for ever, deaf to being cancelled, ends with its request's time; the lane and the end do without it", .timeLimit(.minutes(1)))
  func deaf() async throws {
    let waiting = Monitor<[CheckedContinuation<Void, Never>]>([])
    let host = ChainHost()
    host.add(PrimitiveModule("engine") {
      Primitive("never") { () async throws -> Bool in
        await withCheckedContinuation { continuation in waiting.withLock { $0.append(continuation) } }
        return true
      }
    })
    let chain = try await host.load(files: ["graph.lua": """
      local chain = require "chain"
      local engine = require "engine"
      local t = chain.types
      local Main = chain.chainlet "Main" { input = { wait = t.boolean }, output = t.boolean }
      function Main:run(req) return req.wait and engine.never() end
      return Main
      """])
    for _ in 0..<2 {
      do throws(Failure) {
        _ = try await chain.run(["wait": true], .init(timeout: 50_000_000))
        #expect(Bool(false), "it returned")
      } catch { #expect(error.code == "timeout") }
      #expect(try await chain.run(["wait": false]) == false)
    }
    await host.shutdown()
    let left = waiting.withLock { $0 }
    #expect(left.count == 2)
    for continuation in left { continuation.resume() }
  }

  @Test("an argument that holds one table many times is bounded, all copies counted")
  func copies() async throws {
    try await withHost("""
      local chain = require "chain"
      local t = chain.types
      local math2 = require "math2"
      local Main = chain.chainlet "Main" { output = t.any }
      local function many(n, value)
        local list = {}
        for i = 1, n do list[i] = value end
        return list
      end
      local function why(fn, value)
        local ok, err = pcall(fn, value)
        return (tostring(err):gsub("^.-bad", "bad"))
      end
      function Main:run()
        local right = math2.total(many(400, many(400, 1))) + math2.length { a = many(10, "abc") } + math2.tags(many(100, { tags = many(100, "a") }))
        return {
          right, why(math2.total, many(100000, many(100000, 1))), why(math2.length, { a = many(100000, ("x"):rep(1000000)) }),
          why(math2.tags, many(100000, { tags = many(100000, "a") })),
        }
      end
      return Main
      """) { (chain: Chain) async throws -> Void in
      let most = "at most 200000 values and 16777216 bytes of text in all; give many numbers as a tensor"
      let told: ChainValue = [
        170_030.0, .string("bad argument #1 to 'total': item 2: too large: \(most)"),
        .string("bad argument #1 to 'length': item 17: too large: \(most)"), .string("bad argument #1 to 'tags': item 1: too large: \(most)"),
      ]
      #expect(try await chain.run([:]) == told)
    }
  }

  @Test("a primitive cannot be called while a file is loaded")
  func loading() async {
    await #expect(throws: Failure.self) {
      try await withHost("""
        local chain = require "chain"
        local x = require("math2").add(1, 2)
        local Main = chain.chainlet "Main" { input = {} }
        function Main:run() end
        return Main
        """) { _ in }
    }
  }

  @Test("a replacement takes the place of a chainlet, checked by its types")
  func replacements() async throws {
    var options = LoadOptions()
    options.replacements["SayHello"] = { input in .string("Hi " + (input["name"].map { if case .string(let s) = $0 { s } else { "" } } ?? "")) }
    let reply = try await withChain(hello, options) { try await $0.run(["names": ["Ada"]]) }
    #expect(reply == "Hi Ada")
    options.replacements["SayHello"] = { _ in 7 }
    let failure = await failure(of: hello, ["names": ["Ada"]], options)
    #expect(failure?.message == "SayHello.output: expected string, got integer (7)")
  }
}
