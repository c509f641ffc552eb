import ChainBase
import ChainHost
import ChainModels
import Foundation
import Testing

/// The same inputs through a chainlet and through Python's onnxruntime.
@Suite(
  "Models give what Python gives",
  .enabled(if: Installed.hasEngine, "ONNX Runtime is not installed: run scripts/models"),
  .enabled(if: Installed.reference != nil, "Python's onnxruntime is not installed: run scripts/reference"))
struct ReferenceTests {
  /// An input as Python makes it.
  private struct Input: Encodable {
    var dtype: String
    var shape: [Int]
    var data: [Double]
  }

  private struct Output: Decodable {
    var shape: [Int]
    var data: [Double]
  }

  private func reference(_ model: String, _ inputs: [String: Input]) throws -> [String: Output] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Installed.reference))
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("reference.py").path
    process.arguments = [script, Installed.path("\(model)/model.onnx")]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: JSONEncoder().encode(inputs))
    try input.fileHandleForWriting.close()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return try JSONDecoder().decode([String: Output].self, from: text)
  }

  /// The largest difference of any element, printed.
  private func compare(_ model: String, _ call: String, outputs: [String], _ inputs: [String: Input]) async throws {
    try #require(Installed.has(model), "\(model) is not here: run scripts/models")
    let expected = try reference(model, inputs)
    let value = try await run("path = 'cache:\(model)/model.onnx'", """
      local out = self.m { \(call) }
      return { \(outputs.map { "{ made.shape(out.\($0)), made.list(out.\($0)) }" }.joined(separator: ", ")) }
      """)
    guard case .list(let given) = value else { return #expect(Bool(false)) }
    #expect(given.count == outputs.count)
    var worst = 0.0
    for (name, one) in zip(outputs, given) {
      let other = try #require(expected[name])
      guard case .list(let pair) = one, case .list(let shape) = pair[0], case .list(let data) = pair[1] else { return #expect(Bool(false)) }
      #expect(shape == other.shape.map { .integer(Int64($0)) })
      #expect(data.count == other.data.count)
      for (a, b) in zip(data, other.data) {
        guard case .number(let a) = a else { return #expect(Bool(false)) }
        worst = max(worst, abs(a - b))
      }
    }
    print("\(model): the largest difference to Python is \(worst)")
    #expect(worst <= 1e-5)
  }

  @Test("magika")
  func magika() async throws {
    let text = "#include <stdio.h>\nint main() { return 0; }"
    let bytes = text.utf8.map { Double($0) }
    try await compare(
      "magika", "bytes = made.bytes([[\(text)]], 2048, 256)", outputs: ["target_label"],
      ["bytes": Input(dtype: "int32", shape: [1, 2048], data: bytes + [Double](repeating: 256, count: 2048 - bytes.count))])
  }

  @Test("MiniLM")
  func minilm() async throws { try await compareMiniLM("minilm") }

  @Test("MiniLM in fp32", .enabled(if: Installed.has("minilm-fp32"), "minilm-fp32 is not here: run scripts/minilm/make"))
  func minilmInFullPrecision() async throws { try await compareMiniLM("minilm-fp32") }

  private func compareMiniLM(_ model: String) async throws {
    let ids: [Double] = [101, 1045, 2293, 2023, 2338, 1010, 2021, 2025, 1996, 3185, 102]
    let list = "{ \(ids.map { String(Int($0)) }.joined(separator: ", ")) }"
    try await compare(
      model, "input_ids = made.ids(\(list)), attention_mask = made.ones(\(ids.count)), token_type_ids = made.zeros(\(ids.count))",
      outputs: ["last_hidden_state"],
      [
        "input_ids": Input(dtype: "int64", shape: [1, ids.count], data: ids),
        "attention_mask": Input(dtype: "int64", shape: [1, ids.count], data: ids.map { _ in 1 }),
        "token_type_ids": Input(dtype: "int64", shape: [1, ids.count], data: ids.map { _ in 0 }),
      ])
  }

  @Test("silero")
  func silero() async throws {
    let wave = (0..<576).map { Double(Float(Double($0 % 64) / 64 - 0.5)) }
    try await compare(
      "silero", "input = made.wave(576), state = made.nothing { 2, 1, 128 }, sr = made.rate(16000)", outputs: ["output", "stateN"],
      [
        "input": Input(dtype: "float32", shape: [1, 576], data: wave),
        "state": Input(dtype: "float32", shape: [2, 1, 128], data: [Double](repeating: 0, count: 256)),
        "sr": Input(dtype: "int64", shape: [], data: [16000]),
      ])
  }
}
