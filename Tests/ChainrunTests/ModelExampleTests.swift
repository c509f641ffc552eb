import Glibc
import Testing

/// The examples that need ONNX Runtime and models, which `scripts/models` fetches.
@Suite("The examples with models")
struct ModelExampleTests {
  private static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }
  static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
  private static let models =
    (variable("CHAINRUN_CACHE") ?? (variable("XDG_CACHE_HOME") ?? "\(variable("HOME") ?? "")/.cache") + "/chainrun") + "/models"
  private static func has(_ name: String) -> Bool { access("\(models)/\(name)", R_OK) == 0 }
  static var hasEngine: Bool { has("onnxruntime/libonnxruntime.so") || variable("ORT_LIBRARY") != nil }

  private func run(_ words: String...) throws -> Program.Outcome {
    var words = words
    words[0] = "\(ModelExampleTests.root)/Examples/\(words[0])"
    return try Program().run(words, environment: ModelExampleTests.environment())
  }

  /// What says where the engine and the models are.
  static func environment(_ more: [String: String] = [:]) -> [String: String] {
    var environment = ["CHAINRUN_CACHE": String(models.dropLast("/models".count))]
    environment["ORT_LIBRARY"] = variable("ORT_LIBRARY")
    return environment.merging(more) { $1 }
  }

  @Test(
    "classify tells file types",
    .enabled(if: hasEngine && has("magika/model.onnx"), "magika is not here: run scripts/models"),
    arguments: [
      ("Package.swift", "swift"), ("Sources/CLuaGuard/watch.c", "c"), ("scripts/tidy", "python"), ("scripts/setup", "shell"),
      ("README.md", "markdown"), ("Examples/hello/graph.lua", "lua"),
    ])
  func classify(file: String, label: String) throws {
    let outcome = try run("classify/graph.lua", "content=@\(ModelExampleTests.root)/\(file)")
    #expect(outcome.output.hasPrefix("{\"label\":\"\(label)\",\"score\":"), "\(outcome.output)\(outcome.errors)")
  }

  @Test(
    "search finds the verse that a question means, and says how far it is",
    .enabled(
      if: hasEngine && has("minilm/model.onnx") && has("minilm-tokenizer/tokenizer.json"), "minilm or its tokenizer is not here: run scripts/models"))
  func search() throws {
    let outcome = try run("search/graph.lua", "question=the Lord takes care of me like a shepherd", "best=1")
    #expect(outcome.output.hasPrefix("[{\"place\":\"Psa23:1\",\"score\":0."), "\(outcome.output)\(outcome.errors)")
    #expect(outcome.output.hasSuffix("\"text\":\"The LORD is my shepherd; I shall not want.\"}]\n"))
    #expect(outcome.errors.contains("info Index: 45 of 45 verses"))
    let refused = try run("search/graph.lua", "question=x", "text=x")
    #expect(refused.status == 1 && refused.errors.contains("Search.input.text"), "\(refused.errors)")
  }

  @Test("a model that is not there is said with the command that fetches it")
  func missing() throws {
    let outcome = try run("classify/graph.lua", "content=12345678", "--set", "model=cache:none/model.onnx")
    #expect(outcome.status == 3)
    #expect(outcome.errors.contains("models/none/model.onnx; scripts/models fetches it"))
  }

  @Test("an engine that is not there is said with the command that installs it")
  func missingEngine() throws {
    let outcome = try Program().run(
      ["\(ModelExampleTests.root)/Examples/classify/graph.lua", "content=12345678", "--set", "model=\(ModelExampleTests.root)/README.md"],
      environment: ModelExampleTests.environment(["ORT_LIBRARY": "/none/libonnxruntime.so"]))
    #expect(outcome.status == 3)
    #expect(outcome.errors.contains("ONNX Runtime is not installed; scripts/models installs it"))
  }

  @Test(
    "voice_activity finds the segments of real speech that Python finds",
    .enabled(if: hasEngine && has("silero/model.onnx") && has("speech/beckett.wav"), "silero or the speech is not here: run scripts/models"),
    .enabled(if: variable("CHAINRUN_REFERENCE").map { access($0, X_OK) == 0 } ?? false, "Python's onnxruntime is not installed: run scripts/reference"))
  func voiceActivity() throws {
    let speech = "\(ModelExampleTests.models)/speech/beckett.wav"
    let outcome = try run("voice_activity/graph.lua", "audio=@\(speech)")
    let reference = try Program().shell(
      "'\(ModelExampleTests.variable("CHAINRUN_REFERENCE") ?? "")' '\(ModelExampleTests.root)/Tests/ChainModelsTests/voice.py' "
        + "'\(ModelExampleTests.models)/silero/model.onnx' '\(speech)'")
    let lines = outcome.output.split(separator: "\n").joined(separator: ", ")
    let expected = reference.output.dropFirst().dropLast().replacing(": ", with: ":").replacing("\", ", with: "\",").replacing(", \"to", with: ",\"to")
    #expect(lines.split(separator: "}").count > 4)
    #expect(lines == String(expected), "\(outcome.errors)\(reference.errors)")
  }
}
