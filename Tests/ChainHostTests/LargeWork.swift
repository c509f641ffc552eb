import ChainBase
import ChainHost

/// What the body of a chainlet's `run` returns, with `prelude` before the chainlet.
func value(of body: String, after prelude: String, limits: String) async throws -> ChainValue {
  try await withChain("""
    local chain = require "chain"
    local t = chain.types
    \(prelude)
    local Main = chain.chainlet "Main" { output = t.any, limits = { \(limits) } }
    function Main:run()
    \(body)
    end
    return Main
    """) { try await $0.run([:]) }
}

/// The failure with which something ends.
func failure(_ body: () async throws -> Void) async -> Failure? {
  do { try await body() } catch { return error as? Failure }
  return nil
}

/// The answer of the entrypoint `main`, and how many requests of `other`, one after the other, were answered meanwhile.
func answer(of chain: Chain, _ input: ChainValue) async throws -> (answer: ChainValue, others: Int) {
  let request = Task { try await chain.run(input, .init(entry: "main")) as ChainValue }
  let beside = Task {
    var others = 0
    while !Task.isCancelled {
      guard case .integer? = try? await chain.run([:], .init(entry: "other")) as ChainValue else { break }
      others += 1
    }
    return others
  }
  let answer = try await request.value
  beside.cancel()
  return (answer, await beside.value)
}
