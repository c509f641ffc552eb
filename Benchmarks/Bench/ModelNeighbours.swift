import ChainHost

/// Requests of another chainlet while a model runs all the time for one on the same lane, beside the same on an idle lane:
/// p99 of 1,000.
let modelsNeighbours = Benchmark("models-neighbours") { bench in
  guard ModelFiles.areHere(["minilm/model.onnx"], bench, for: "models-neighbours") else { return }
  let source = """
    local chain = require "chain"
    local tensor = require "tensor"
    local t = chain.types
    local Encode = chain.chainlet "Encode" {
      uses = { encoder = chain.model { path = "cache:minilm/model.onnx" } }, limits = { cpu = 1000 },
    }
    function Encode:run()
      local ones = tensor.ones({ 1, 128 }, "int64")
      while true do self.encoder { input_ids = ones, attention_mask = ones, token_type_ids = ones } end
    end
    local Honest = chain.chainlet "Honest" { input = { n = t.integer }, output = t.integer }
    function Honest:run(req) return req.n + 1 end
    return { encode = Encode, honest = Honest }
    """
  let requests = bench.times(1000)
  try await withModels(source) { chain in
    try await bench.compare(
      Comparison(
        name: "models-neighbours", unit: "µs", limit: .ratio(5),
        floor: { try await slowest(of: requests, chain) },
        ours: {
          let model = Task { _ = try? await chain.run([:], .init(entry: "encode")) } // ended by being cancelled
          try await Task.sleep(for: .milliseconds(50))
          let waited = try await slowest(of: requests, chain)
          model.cancel()
          await model.value
          return waited
        }))
  }
}

/// Microseconds.
private func slowest(of requests: Int, _ chain: Chain) async throws -> Double {
  try await slowest(of: requests, on: chain) { _ in .microseconds(200) } / 1e3
}
