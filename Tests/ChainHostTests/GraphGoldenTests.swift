import ChainHost
import Foundation
import Testing

/// Every folder `Tests/Lua/load-NAME` holds a graph and, in expected.txt, all that is said about it when it is loaded.
/// `RENEW=1` writes what is said now; read the difference before it is committed.
@Suite("Mistakes at load")
struct GraphGoldenTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Lua")

  static let names: [String] = {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return all.filter { $0.hasPrefix("load-") }.sorted()
  }()

  @Test("are all said, with place, line and fix", arguments: names)
  func mistake(_ name: String) throws {
    let folder = GraphGoldenTests.folder.appendingPathComponent(name)
    var source = GraphSource(path: folder.appendingPathComponent("graph.lua").path)
    let library = folder.appendingPathComponent("library").path
    if FileManager.default.fileExists(atPath: library) {
      source = GraphSource(path: folder.appendingPathComponent("graph.lua").path, libraries: ["shared": library])
    }
    // Of the clock: the other tests run beside it.
    source.timeLimit = name.contains("endless") ? 1 : 30
    source.memoryLimit = 16 << 20
    let outcome = GraphLoader.check(source)
    let said = outcome.problems.map(\.description).joined(separator: "\n").replacing(folder.path + "/", with: "") + "\n"
    let expected = folder.appendingPathComponent("expected.txt")
    if ProcessInfo.processInfo.environment["RENEW"] == "1", ProcessInfo.processInfo.environment["CI"] == nil {
      try said.write(to: expected, atomically: true, encoding: .utf8)
      return
    }
    #expect(said == (try String(contentsOf: expected, encoding: .utf8)))
  }

  @Test("are held for at least 45 kinds")
  func enough() { #expect(GraphGoldenTests.names.count >= 45) }
}

@Suite("The examples")
struct ExampleGraphTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Examples")

  @Test("have nothing that check could say", arguments: ["hello", "reuse", "stream", "wordcount"])
  func clean(_ name: String) throws {
    let folder = ExampleGraphTests.folder.appendingPathComponent(name)
    let shared = folder.appendingPathComponent("shared").path
    let libraries = FileManager.default.fileExists(atPath: shared) ? ["shared": shared] : [:]
    let outcome = GraphLoader.check(GraphSource(path: folder.appendingPathComponent("graph.lua").path, libraries: libraries))
    #expect(outcome.problems.map(\.description) == [])
    let graph = try #require(outcome.graph)
    if let path = ProcessInfo.processInfo.environment["WRITE_TYPES"] {
      let target = URL(fileURLWithPath: path).appendingPathComponent(name)
      try FileManager.default.createDirectory(at: target.appendingPathComponent(".chainrun"), withIntermediateDirectories: true)
      try LuaAnnotations.types(of: graph).write(to: target.appendingPathComponent(".chainrun/types.lua"), atomically: true, encoding: .utf8)
      try LuaAnnotations.module.write(to: target.appendingPathComponent(".chainrun/chain.lua"), atomically: true, encoding: .utf8)
    }
  }
}
