import ChainHost
import Floors

private let int64: Int32 = 7
private let float32: Int32 = 1

/// A chainlet that calls its model in a loop, beside the same loop in C over ONNX Runtime's API: MiniLM (int8) with 128
/// tokens, one thread.
let modelsEngine = Benchmark("models-engine") { bench in
  guard ModelFiles.areHere(["minilm/model.onnx"], bench, for: "models-engine") else { return }
  let length = 128
  let ids = (0..<length).map { Int64(1000 + $0 * 37 % 20000) }
  let ones = [Int64](repeating: 1, count: length)
  let floor = try FloorEngine(ModelFiles.path("minilm/model.onnx"), output: "last_hidden_state")
  for (name, values) in [("input_ids", ids), ("attention_mask", ones), ("token_type_ids", ones.map { _ in 0 })] {
    try floor.add(name, values, shape: [1, Int64(length)], onnxType: int64)
  }
  let source = """
    local chain = require "chain"
    local tensor = require "tensor"
    local t = chain.types
    local Encode = chain.chainlet "Encode" {
      input = { ids = t.list(t.integer), calls = t.integer }, output = t.number,
      uses = { encoder = chain.model { path = "cache:minilm/model.onnx" } }, limits = { cpu = 1000 },
    }
    function Encode:run(req)
      local ids = tensor.new { req.ids }
      local ones = tensor.ones({ 1, #req.ids }, "int64")
      local zeros = tensor.zeros({ 1, #req.ids }, "int64")
      local out
      for _ = 1, req.calls do
        out = self.encoder { input_ids = ids, attention_mask = ones, token_type_ids = zeros }
      end
      return out.last_hidden_state:at(1, 1, 1)
    end
    return Encode
    """
  let calls = bench.times(20)
  try await withModels(source) { chain in
    try await bench.compare(
      Comparison(
        name: "models-engine", unit: "ms", limit: .ratio(1.03),
        floor: { try floor.run(calls).nanoseconds / 1e6 },
        ours: {
          let expected = try floor.run(1).first
          return try await nanoseconds {
            let first = try await chain.run(["ids": .list(ids.map { .integer($0) }), "calls": .integer(Int64(calls))])
            guard first == .number(Double(expected)) else { throw BenchFailure("\(first) and not \(expected)") }
          } / Double(calls) / 1e6
        }))
  }
}

/// What a chainlet's call of a model takes more than the same call in C: a model of one operation.
let modelsOverhead = Benchmark("models-overhead") { bench in
  guard ModelFiles.areHere([], bench, for: "models-overhead") else { return }
  let floor = try FloorEngine(ModelFiles.multiply, output: "Y")
  try floor.add("X", [Float](repeating: 3, count: 6), shape: [3, 2], onnxType: float32)
  let source = """
    local chain = require "chain"
    local tensor = require "tensor"
    local t = chain.types
    local Square = chain.chainlet "Square" {
      input = { calls = t.integer }, output = t.number, uses = { square = chain.model { path = "\(ModelFiles.multiply)" } },
      limits = { cpu = 1000 },
    }
    function Square:run(req)
      local x = tensor.full({ 3, 2 }, 3, "float32")
      local out
      for _ = 1, req.calls do out = self.square { X = x } end
      return out.Y:at(1, 1)
    end
    return Square
    """
  let calls = bench.times(20_000)
  try await withModels(source) { chain in
    try await bench.compare(
      Comparison(
        name: "models-overhead", unit: "µs", limit: .excess(100),
        floor: { try floor.run(calls).nanoseconds / 1e3 },
        ours: {
          try await nanoseconds {
            let first = try await chain.run(["calls": .integer(Int64(calls))])
            guard first == .number(Double(try floor.run(1).first)) else { throw BenchFailure("\(first)") }
          } / Double(calls) / 1e3
        }))
  }
}
