import ChainBase
import ChainHost
import ChainModels
import ChainTensors
import Foundation
import LuaBridge
import Testing

/// The tests of models need ONNX Runtime and the models, which `scripts/models` fetches.
enum Installed {
  static let engine: String? = {
    if case .failure(let failure) = Models.onnxRuntime() { return failure.message }
    return nil
  }()
  static var hasEngine: Bool { engine == nil }

  static func path(_ name: String) -> String {
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["CHAINRUN_CACHE"]
      ?? (environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "")/.cache") + "/chainrun"
    return "\(cache)/models/\(name)"
  }
  /// A Python with the same ONNX Runtime, which `scripts/reference` installs.
  static let reference = ProcessInfo.processInfo.environment["CHAINRUN_REFERENCE"].flatMap {
    FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil
  }
  /// A small one of ours, which `Graphs/make.py` describes.
  static func graph(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Graphs/\(name).onnx").path
  }
  static func has(_ model: String) -> Bool { hasEngine && FileManager.default.fileExists(atPath: path("\(model)/model.onnx")) }
}

/// Tensors for scripts, until they make their own.
let tensors = PrimitiveModule("made") {
  Primitive("bytes") { (text: String, count: Int, padding: Int) -> Tensor in
    var numbers = text.utf8.prefix(count).map { Int32($0) }
    numbers += [Int32](repeating: Int32(padding), count: count - numbers.count)
    return try Tensor(numbers, shape: [1, count])
  }
  Primitive("floats") { (numbers: [Double], shape: [Int]) -> Tensor in try Tensor(numbers.map { Float($0) }, shape: shape) }
  Primitive("wave") { (count: Int) -> Tensor in
    try Tensor((0..<count).map { Float(Double($0 % 64) / 64 - 0.5) }, shape: [1, count])
  }
  Primitive("nothing") { (shape: [Int]) -> Tensor in try Tensor([Float](repeating: 0, count: shape.reduce(1, *)), shape: shape) }
  Primitive("rate") { (rate: Int) -> Tensor in try Tensor([Int64(rate)], shape: []) }
  Primitive("ids") { (numbers: [Int]) -> Tensor in try Tensor(numbers.map { Int64($0) }, shape: [1, numbers.count]) }
  Primitive("ones") { (count: Int) -> Tensor in try Tensor([Int64](repeating: 1, count: count), shape: [1, count]) }
  Primitive("zeros") { (count: Int) -> Tensor in try Tensor([Int64](repeating: 0, count: count), shape: [1, count]) }
  Primitive("list") { (tensor: Tensor) -> [Double] in try tensor.array(of: Float.self).map { Double($0) } }
  Primitive("shape") { (tensor: Tensor) -> [Int] in tensor.shape }
}

func run(_ uses: String, _ body: String, files: [String: String] = [:], prepare: (ChainHost) -> Void = { _ in }) async throws -> ChainValue {
  let host = ChainHost()
  host.add(tensors)
  host.add(Models.kind)
  prepare(host)
  let graph = """
    local chain = require "chain"
    local t = chain.types
    local made = require "made"
    local tensor = require "tensor"
    local Main = chain.chainlet "Main" { output = t.any, uses = { m = chain.model { \(uses) } } }
    function Main:run()
      \(body)
    end
    return Main
    """
  do {
    let chain = try await host.load(files: ["graph.lua": graph])
    let value = try await chain.run([:])
    await host.shutdown()
    return value
  } catch {
    await host.shutdown()
    throw error
  }
}

/// How a load or a request fails.
func message(_ uses: String, _ body: String = "return 1") async -> String {
  do { return "\(try await run(uses, body))" } catch { return (error as? Failure)?.message ?? "\(error)" }
}

private let batchedModel = Installed.graph("batched")
private let multiply = Installed.graph("multiply")

@Suite("ONNX Runtime", .enabled(if: Installed.hasEngine, "ONNX Runtime is not installed: run scripts/models"))
struct OnnxTests {
  @Test("a model of one operation gives what it should, and says what it is")
  func multiplies() async throws {
    let value = try await run("path = '\(multiply)'", """
      local out = self.m { X = made.floats({ 1, 2, 3, 4, 5, 6 }, { 3, 2 }) }
      return { made.list(out.Y), made.shape(out.Y), self.m.inputs, self.m.outputs, self.m.device }
      """)
    #expect(value == [
      [1.0, 4.0, 9.0, 16.0, 25.0, 36.0], [3, 2], [["dtype": "float32", "name": "X", "shape": [3, 2]]],
      [["dtype": "float32", "name": "Y", "shape": [3, 2]]], "cpu",
    ])
  }

  @Test("a wrong input is refused with what was expected and what came")
  func wrongInputs() async {
    #expect(await message("path = '\(multiply)'", "return self.m { x = made.floats({ 1 }, { 1 }) }").contains("the model has no input 'x'; did you mean 'X'?"))
    #expect(await message("path = '\(multiply)'", "return self.m {}").contains("input 'X' is missing: float32 [3, 2]"))
    #expect(await message("path = '\(multiply)'", "return self.m { X = made.floats({ 1 }, { 1 }) }").contains("input 'X': expected float32 [3, 2], got float32 [1]"))
    #expect(await message("path = '\(multiply)'", "return self.m { X = made.ids { 1 } }").contains("input 'X': expected float32 [3, 2], got int64 [1, 1]"))
    #expect(await message("path = '\(multiply)'", "return self.m { X = 7 }").contains("input 'X': tensor expected, got integer (7)"))
    #expect(await message("path = '\(multiply)'", "return self.m(7)").contains("a model takes a table of tensors, got integer (7)"))
  }

  @Test("a model that cannot be loaded is an error of the graph at its place")
  func wrongModels() async throws {
    #expect(await message("path = '/none.onnx'").contains("graph.lua:5: Main.uses.m: chain.model \"/none.onnx\" cannot be loaded: there is no file /none.onnx"))
    #expect(await message("path = 'cache:none/model.onnx'").contains("; scripts/models fetches it"))
    let broken = FileManager.default.temporaryDirectory.appendingPathComponent("broken-\(UUID()).onnx")
    try Data(contentsOf: URL(fileURLWithPath: multiply)).prefix(60).write(to: broken)
    defer { try? FileManager.default.removeItem(at: broken) }
    #expect(await message("path = '\(broken.path)'").contains("ONNX Runtime:"))
    #expect(await message("path = '\(multiply)', inputs = { X = { dtype = 'int64' } }").contains("input 'X': expected int64, the model has float32 [3, 2]"))
    #expect(await message("path = '\(multiply)', outputs = { Z = {} }").contains("the model has no output 'Z'; it has 'Y' float32 [3, 2]"))
    #expect(await message("path = '\(multiply)', batch = {}").contains("its first dimension is fixed, so calls cannot be put together"))
    #expect(await message("path = '\(multiply)', device = 'gpu'").contains("expected one of \"auto\", \"cpu\", \"cuda\", \"webgpu\""))
  }

  @Test("a device that this library has not is refused by name; auto takes the cpu and says why")
  func devices() async throws {
    let all = try Models.onnxRuntime().get()
    if !all.contains("CUDA") {
      #expect(await message("path = '\(multiply)', device = 'cuda'").contains("has no CUDAExecutionProvider"))
    }
    let value = try await run("path = '\(multiply)', device = 'auto', warm_up = true, threads = 2", "return self.m.device")
    #expect(value == "cpu" || all.contains("CUDA"))
  }

  @Test("calls that come together run together; short ones are padded, and each gets its own back")
  func batched() async throws {
    let body = """
      local result = chain.map({ 3, 1, 2, 3, 5 }, function(width)
        local row = {}
        for i = 1, width do row[i] = i end
        local out = self.m { X = made.floats(row, { 1, width }) }.Y
        return { made.shape(out), made.list(out) }
      end)
      return { result, self.m:stats() }
      """
    let together = try await run("path = '\(batchedModel)', batch = { max_size = 8, max_delay = 0.05, pad = { X = 7 } }", body)
    guard case .list(let pair) = together, case .list(let rows) = pair[0] else { return #expect(Bool(false)) }
    #expect(rows == [3, 1, 2, 3, 5].map { width in
      [[1, .integer(width)], .list((1...width).map { .number(Double($0 * $0)) })]
    })
    guard case .integer(let runs)? = pair[1]["runs"] else { return #expect(Bool(false)) }
    #expect(runs < 5)
    #expect(pair[1]["items"] == 5)
    // Without padding only those of one width run together.
    let apart = try await run("path = '\(batchedModel)', batch = { max_size = 8, max_delay = 0.05 }", body)
    guard case .list(let other) = apart else { return #expect(Bool(false)) }
    #expect(other[0] == pair[0])
  }

  @Test("a cancelled call ends at once, and leaves nothing behind")
  func cancelled() async throws {
    let value = try await run("path = '\(batchedModel)', batch = { max_size = 2, max_delay = 1000 }", """
      local row = made.floats({ 1 }, { 1, 1 })
      local ok, failure = pcall(chain.timeout, 0.05, function()
        return chain.map({ 1, 2, 3, 4, 5 }, function() return self.m { X = row } end)
      end)
      return { ok, failure and failure.code }
      """)
    #expect(value == [true] || value == [false, "timeout"])
  }

  @Test("a thousand loads and releases of graphs with one model open one session")
  func oneSession() async throws {
    let host = ChainHost(lanes: 2)
    host.add(Models.kind)
    let graph = """
      local chain = require "chain"
      local Main = chain.chainlet "Main" { uses = { m = chain.model { path = "\(multiply)" } } }
      function Main:run() end
      return Main
      """
    for _ in 0..<1000 {
      let chain = try await host.load(files: ["graph.lua": graph])
      await chain.close()
    }
    #expect(host.resourceTotals.loads == 1)
    await host.shutdown()
    #expect(host.resources.isEmpty)
  }
}

@Suite("MiniLM", .enabled(if: Installed.has("minilm"), "minilm is not here: run scripts/models"))
struct MiniLMTests {
  @Test("texts of different lengths are padded, and their outputs cut to their own length")
  func ragged() async throws {
    let body = """
      local texts = { { 101, 7592, 102 }, { 101, 7592, 2088, 999, 102 }, { 101, 102 } }
      local result = chain.map(texts, function(ids)
        local out = self.m { input_ids = made.ids(ids), attention_mask = made.ones(#ids), token_type_ids = made.zeros(#ids) }
        local name = self.m.outputs[1].name
        return { made.shape(out[name]), made.list(out[name])[1] }
      end)
      return { result, self.m:stats().runs }
      """
    let alone = try await run("path = 'cache:minilm/model.onnx'", body)
    let together = try await run(
      "path = 'cache:minilm/model.onnx', batch = { max_delay = 0.05, pad = { input_ids = 0, attention_mask = 0, token_type_ids = 0 } }", body)
    guard case .list(let a) = alone, case .list(let b) = together, case .list(let left) = a[0], case .list(let right) = b[0],
      case .integer(let runs) = b[1]
    else { return #expect(Bool(false)) }
    #expect(runs < 3)
    for (one, other) in zip(left, right) {
      guard case .list(let x) = one, case .list(let y) = other, case .number(let p) = x[1], case .number(let q) = y[1] else { return #expect(Bool(false)) }
      #expect(x[0] == y[0])
      #expect(abs(p - q) < 0.05) // int8: the scale of a row depends on what it is padded to
    }
  }

  @Test("quantised to int8 it says nearly what it says in fp32", .enabled(if: Installed.has("minilm-fp32"), "minilm-fp32 is not here: run scripts/minilm/make"))
  func quantised() async throws {
    var embeddings: [[Double]] = []
    for model in ["minilm", "minilm-fp32"] {
      let value = try await run("path = 'cache:\(model)/model.onnx'", """
        local ids = { 101, 1045, 2293, 2023, 2338, 1010, 2021, 2025, 1996, 3185, 102 }
        local out = self.m { input_ids = made.ids(ids), attention_mask = made.ones(#ids), token_type_ids = made.zeros(#ids) }
        return out.last_hidden_state:mean(2):normalize():reshape(-1):table()
        """)
      guard case .list(let numbers) = value else { return #expect(Bool(false)) }
      embeddings.append(numbers.compactMap { if case .number(let number) = $0 { number } else { nil } })
    }
    #expect(embeddings.map(\.count) == [384, 384])
    #expect(zip(embeddings[0], embeddings[1]).map(*).reduce(0, +) > 0.995)
  }
}
