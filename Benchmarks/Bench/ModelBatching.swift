import ChainHost

private let callers = 32

/// Callers at once of MiniLM (fp32), each with a short text of another length: with batching beside without. Runs of the
/// engine for 1,000 calls, and milliseconds of one call; the answers must be equal. Both use the cores of a small machine:
/// a batch runs on two threads, single calls run side by side on one each.
let modelsBatching = Benchmark("models-batching") { bench in
  guard ModelFiles.areHere(["minilm-fp32/model.onnx"], bench, for: "models-batching") else { return }
  let batch = "threads = 2, batch = { max_size = \(callers), max_delay = 0.002, pad = { input_ids = 0, attention_mask = 0, token_type_ids = 0 } }"
  try await withModels(graph("")) { single in
    try await withModels(graph(batch)) { together in
      let rounds = bench.once ? 1 : 4
      let (alone, batched) = (try await embeddings(of: single, rounds), try await embeddings(of: together, rounds))
      let difference = zip(alone, batched).map { zip($0, $1).map { abs($0 - $1) }.max() ?? .infinity }.max() ?? .infinity
      bench.say("models-batching: the largest difference of an element is \(difference)")
      guard alone.allSatisfy({ !$0.isEmpty }), difference <= 1e-4 else { throw BenchFailure("batches answer otherwise: by \(difference)") }
      try await bench.compare(
        Comparison(
          name: "models-batching-runs", unit: "runs", limit: .ratio(0.125),
          floor: { try await runs(of: single, rounds) }, ours: { try await runs(of: together, rounds) }))
      try await bench.compare(
        Comparison(
          name: "models-batching", unit: "ms", limit: .shown,
          floor: { try await milliseconds(of: single, rounds) }, ours: { try await milliseconds(of: together, rounds) }))
    }
  }
}

private func graph(_ options: String) -> String {
  """
  local chain = require "chain"
  local tensor = require "tensor"
  local t = chain.types
  local Encode = chain.chainlet "Encode" {
    input = { length = t.integer, calls = t.integer }, output = t.list(t.number),
    uses = { encoder = chain.model { path = "cache:minilm-fp32/model.onnx", \(options) } },
    scaling = { concurrency = \(callers) }, limits = { cpu = 1000 },
  }
  function Encode:run(req)
    local row = {}
    for i = 1, req.length do row[i] = 1000 + (req.length * 7919 + i * 37) % 20000 end
    local ids = tensor.new { row }
    local ones = tensor.ones({ 1, req.length }, "int64")
    local zeros = tensor.zeros({ 1, req.length }, "int64")
    local out
    for _ = 1, req.calls do
      out = self.encoder { input_ids = ids, attention_mask = ones, token_type_ids = zeros }
    end
    return out.last_hidden_state:mean(2):reshape(-1):table()
  end
  local Runs = chain.chainlet "Runs" {
    output = t.integer, uses = { encoder = chain.model { path = "cache:minilm-fp32/model.onnx", \(options) } },
  }
  function Runs:run() return self.encoder:stats().runs end
  return { encode = Encode, runs = Runs }
  """
}

/// What each of the callers is answered after so many calls.
private func embeddings(of chain: Chain, _ calls: Int) async throws -> [[Double]] {
  try await withThrowingTaskGroup(of: (Int, [Double]).self) { group in
    for caller in 0..<callers {
      group.addTask {
        let input: ChainValue = ["length": .integer(Int64(8 + caller % 8)), "calls": .integer(Int64(calls))]
        guard case .list(let numbers) = try await chain.run(input, .init(entry: "encode")) else { throw BenchFailure("no list") }
        return (caller, numbers.compactMap { if case .number(let number) = $0 { number } else { nil } })
      }
    }
    return try await group.reduce(into: [[Double]](repeating: [], count: callers)) { $0[$1.0] = $1.1 }
  }
}

private func runs(of chain: Chain, _ rounds: Int) async throws -> Double {
  func count() async throws -> Double {
    guard case .integer(let runs) = try await chain.run([:], .init(entry: "runs")) else { throw BenchFailure("no number") }
    return Double(runs)
  }
  let before = try await count()
  _ = try await embeddings(of: chain, rounds)
  return (try await count() - before) / Double(callers * rounds) * 1000
}

private func milliseconds(of chain: Chain, _ rounds: Int) async throws -> Double {
  try await nanoseconds { _ = try await embeddings(of: chain, rounds) } / Double(callers * rounds) / 1e6
}
