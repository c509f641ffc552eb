import ChainBase
import ChainHost
import ChainLoop
import ChainTensors
import Testing

private struct Tagged: ChainRecord { var tags: [String] }

private func untilCancelled() async throws -> Int {
  try await Task.sleep(for: .seconds(1000))
  return 0
}

/// Functions that hold what they were given until they are cancelled.
private let holder = PrimitiveModule("holder") {
  Primitive("text") { (_: String) async throws in try await untilCancelled() }
  Primitive("list") { (_: [String]) async throws in try await untilCancelled() }
  Primitive("numbers") { (_: [Int]) async throws in try await untilCancelled() }
  Primitive("record") { (_: Tagged) async throws in try await untilCancelled() }
  Primitive("tensor") { (_: Tensor) async throws in try await untilCancelled() }
  Primitive("tensors") { (_: [Tensor]) async throws in try await untilCancelled() }
  Primitive("stream") { (_: String) -> AsyncStream<Int> in AsyncStream { _ in } }
  Primitive("length") { (text: String) async -> Int in text.utf8.count }
}

/// What a chainlet whose state may hold 8 MB makes of `body`.
private func run(_ body: String) async throws -> ChainValue {
  try await withChain("""
    local chain = require "chain"
    local t = chain.types
    local holder = require "holder"
    local tensor = require "tensor"
    local Main = chain.chainlet "Main" { output = t.any, uses = { s = chain.store {} }, limits = { memory = "8MB" } }
    local function many(n, value)
      local list = {}
      for i = 1, n do list[i] = value end
      return list
    end
    local function tensors(n)
      local list = {}
      for i = 1, n do list[i] = tensor.zeros { 250 } end
      return list
    end
    function Main:run()
      \(body)
    end
    return Main
    """, modules: [holder]) { try await $0.run([:]) }
}

private func code(_ body: String) async throws -> String? {
  do {
    return "\(try await run(body))"
  } catch { return (error as? Failure)?.code }
}

@Suite("What native functions hold of their arguments")
struct HeldArgumentsTests {
  @Test("it counts toward the memory limit", .timeLimit(.minutes(1)), arguments: [
    "text(('x'):rep(1000000))", "list(many(10, ('x'):rep(100000)))", "numbers(many(60000, 1))",
    "record { tags = many(10, ('x'):rep(50000)) }", "tensor(tensor.zeros { 250000 })", "tensors(tensors(1000))",
  ])
  func counted(call: String) async throws {
    let hold = "chain.map(many(n, 0), function() return holder.\(call) end)"
    #expect(try await code("local n = 40 \(hold)") == "memory_limit")
    #expect(try await run("local n = 2 local ok, err = pcall(chain.timeout, 0.02, function() \(hold) end) return err.code") == "timeout")
  }

  @Test("so does the key of a value that another run makes", .timeLimit(.minutes(1)))
  func keys() async throws {
    let fetch = "self.s:fetch(('k'):rep(1000000), function() chain.sleep(1000) end)"
    #expect(try await code("chain.map(many(40, 0), function() return \(fetch) end)") == "memory_limit")
  }

  @Test("a stream's counts as long as the script holds the stream")
  func streams() async throws {
    #expect(try await code("local kept = {} for i = 1, 40 do kept[i] = holder.stream(('x'):rep(1000000)) end") == "memory_limit")
    #expect(try await run("for i = 1, 40 do holder.stream(('x'):rep(1000000)) end return true") == true)
  }

  @Test("it is free when the function has ended, or was cancelled")
  func freed() async throws {
    let value = try await run("""
      local text, sum = ('x'):rep(1000000), 0
      for i = 1, 30 do
        sum = sum + holder.length(text)
        pcall(chain.timeout, 0.001, function() holder.text(text) end)
      end
      return sum
      """)
    #expect(value == 30_000_000)
  }

  @Test("a job that is cancelled before its turn lets go of what it was to work on", .timeLimit(.minutes(1)))
  func jobs() async throws {
    final class Token: Sendable {}
    let environment = RealEnvironment()
    let isOpen = Monitor(false)
    for _ in 0..<environment.jobsAtOnce { environment.runJob { _ = isOpen.wait { $0 ? true : nil } } }
    weak var held: Token?
    let job: Task<Void, any Error>
    do {
      let token = Token()
      held = token
      job = Task { [token] in try await EngineJob.run(environment) { _ in withExtendedLifetime(token) {} } }
    }
    job.cancel()
    await #expect(throws: CancellationError.self) { try await job.value }
    for _ in 0..<1000 where held != nil { await Task.yield() }
    #expect(held == nil)
    isOpen.withLock { $0 = true }
    isOpen.broadcast()
  }
}
