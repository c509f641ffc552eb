import ChainHost
import ChainModels
import Foundation

/// The models that `scripts/models` and `scripts/minilm/make` put into the cache folder.
enum ModelFiles {
  /// Says what is missing of these, and how it is had; then the benchmark is left out.
  static func areHere(_ names: [String], _ bench: Bench, for benchmark: String) -> Bool {
    if case .failure(let failure) = Models.onnxRuntime() {
      bench.say("\(benchmark) is left out: \(failure.message)")
      return false
    }
    guard let missing = names.first(where: { !FileManager.default.fileExists(atPath: path($0)) }) else { return true }
    bench.say("\(benchmark) is left out: there is no \(path(missing)); scripts/models and scripts/minilm/make fetch the models")
    return false
  }

  static func path(_ name: String) -> String { "\(cache)/models/\(name)" }

  /// Where ONNX Runtime is, as ours looks for it.
  static var engine: String {
    let environment = ProcessInfo.processInfo.environment
    if let library = environment["ORT_LIBRARY"], !library.isEmpty { return library }
    let fetched = "\(cache)/models/onnxruntime/libonnxruntime.so"
    return FileManager.default.fileExists(atPath: fetched) ? fetched : "libonnxruntime.so"
  }

  /// Of one operation, Y = X * X.
  static let multiply = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Tests/ChainModelsTests/Graphs/multiply.onnx").standardized.path

  private static var cache: String {
    let environment = ProcessInfo.processInfo.environment
    return environment["CHAINRUN_CACHE"] ?? (environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "")/.cache") + "/chainrun"
  }
}

/// Runs `body` with a chain of this file on one lane of its own, which knows models.
func withModels(_ source: String, _ body: (Chain) async throws -> Void) async throws {
  let host = ChainHost()
  host.add(Models.kind)
  do {
    try await body(try await host.load(files: ["graph.lua": source]))
  } catch {
    await host.shutdown()
    throw error
  }
  await host.shutdown()
}
