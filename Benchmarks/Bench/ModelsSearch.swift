import Foundation

/// Examples/search over 600 verses, from start to exit, beside the same steps in Python with onnxruntime: seconds, and the
/// most memory resident. Both must name the same verse.
let modelsSearch = Benchmark("models-search", needsPython: true) { bench in
  let models = ["minilm/model.onnx", "minilm-tokenizer/tokenizer.json"]
  guard ModelFiles.areHere(models, bench, for: "models-search") else { return }
  let environment = ProcessInfo.processInfo.environment
  guard let program = environment["BENCH_CHAINRUN"] else { throw BenchFailure("BENCH_CHAINRUN must name the program; scripts/bench sets it") }
  guard let python = environment["BENCH_REFERENCE"] else {
    return bench.say("models-search is left out: BENCH_REFERENCE names no Python with onnxruntime; scripts/reference installs it")
  }
  let verses = try output(of: URL(fileURLWithPath: "/usr/bin/env"), ["bible", "-f", "psa1:1-psa41:13"])
  guard verses.count > 600 else { throw BenchFailure("bible (the package bible-kjv) gave \(verses.count) verses") }
  let text = try Scratch.file("verses.txt", Array(verses.joined(separator: "\n").utf8))
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  let question = "the Lord takes care of me like a shepherd"
  let ours = [program, folder.appendingPathComponent("Examples/search/graph.lua").path, "text=@\(text)", "question=\(question)"]
  let peer = [python, folder.appendingPathComponent("Benchmarks/Peers/search.py").path] + models.map(ModelFiles.path) + [text, question]

  let places = try [ours, peer].map { try best(output(of: URL(fileURLWithPath: $0[0]), Array($0.dropFirst()))) }
  guard places[0] == places[1] else { throw BenchFailure("found \(places[0]), and Python \(places[1])") }
  try await bench.compare(
    Comparison(
      name: "models-search", unit: "s", limit: .shown, floor: { try launch(peer).seconds }, ours: { try launch(ours).seconds }), rounds: 3)
  try await bench.compare(
    Comparison(
      name: "models-search-memory", unit: "MB", limit: .shown, floor: { try launch(peer).megabytes },
      ours: { try launch(ours).megabytes }), rounds: 1)
}

/// Where the best verse is.
private func best(_ lines: [String]) throws -> String {
  guard let found = try JSONSerialization.jsonObject(with: Data(lines.joined().utf8)) as? [[String: Any]],
    let place = found.first?["place"] as? String
  else { throw BenchFailure("no verses: \(lines)") }
  return place
}

/// A program from start to exit, and the most that it had resident.
private func launch(_ command: [String]) throws -> (seconds: Double, megabytes: Double) {
  let launcher = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("launch")
  let figures = try output(of: launcher, ["1"] + command).first?.split(separator: " ").compactMap { Double($0) } ?? []
  guard figures.count == 2 else { throw BenchFailure("\(command[0]) failed") }
  return (figures[0] / 1e3, figures[1] / 1024)
}
