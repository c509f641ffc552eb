import ChainBase
import ChainHost
import ChainTesting

/// A chain whose right answers are known, asked all the time beside the attackers.
struct HonestChain: Sendable {
  private let chain: Chain

  init(on host: ChainHost) async throws {
    chain = try await host.load(files: ["graph.lua": HonestChain.source])
  }

  func close() async { await chain.close() }

  /// One random request. Nil, or what was wrong with its answer.
  func ask(_ generator: inout SeededGenerator) async -> String? {
    let n = Int64.random(in: 1...40, using: &generator)
    do {
      switch Int.random(in: 0..<4, using: &generator) {
      case 0:
        let answer = try await chain.run(["n": .integer(n)], .init(entry: "fan"))
        return wrong(answer, .string((1...n).map { "Hello, \($0)" }.joined(separator: "\n")))
      case 1:
        let list = ChainValue.list((0..<n).map { .integer($0) })
        let record: ChainValue = ["list": list, "name": .string("Ada \(n)"), "share": .number(Double(n) / 4)] // as answers are ordered
        return wrong(try await chain.run(["record": record], .init(entry: "echo")), record)
      case 2:
        var items: [ChainValue] = []
        for try await item in try chain.stream(["n": .integer(n)], .init(entry: "count")) {
          if case .value(let value) = item { items.append(value) }
        }
        return wrong(.list(items), .list((1...n).map { .integer($0) }))
      default:
        // Misses its own deadline now and then, which must be all that happens.
        do {
          return wrong(try await chain.run(["n": .integer(n)], .init(entry: "slow", timeout: 20_000_000)), .integer(n))
        } catch where error.code == Failure.Code.timeout { return nil }
      }
    } catch { return "\(error)" }
  }

  private func wrong(_ answer: ChainValue, _ expected: ChainValue) -> String? {
    answer == expected ? nil : "answered \(text(answer)), not \(text(expected))"
  }

  private func text(_ value: ChainValue) -> String { String(decoding: value.json.prefix(200), as: UTF8.self) }

  private static let source = """
    local chain = require "chain"
    local t = chain.types
    local Greet = chain.chainlet "Greet" { input = { name = t.string }, output = t.string }
    function Greet:run(req) return "Hello, " .. req.name end
    local Fan = chain.chainlet "Fan" { input = { n = t.integer }, output = t.string, needs = { greet = Greet } }
    function Fan:run(req)
      local names = {}
      for i = 1, req.n do names[i] = tostring(i) end
      return table.concat(chain.map(names, function(name) return self.greet { name = name } end), "\\n")
    end
    local record = { name = t.string, list = t.list(t.integer), share = t.number }
    local Echo = chain.chainlet "Echo" { input = { record = record }, output = record }
    function Echo:run(req) return req.record end
    local Count = chain.chainlet "Count" { input = { n = t.integer }, output = t.stream(t.integer) }
    function Count:run(req, emit) for i = 1, req.n do emit(i) end end
    local Slow = chain.chainlet "Slow" { input = { n = t.integer }, output = t.integer }
    function Slow:run(req) chain.sleep(req.n / 1000) return req.n end
    return { fan = Fan, echo = Echo, count = Count, slow = Slow }
    """
}
