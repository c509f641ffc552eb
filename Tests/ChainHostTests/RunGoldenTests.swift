import ChainBase
import ChainHost
import Foundation
import Testing

/// Every folder `Tests/Lua/run-NAME` holds a graph, an input and, in expected.txt, what a run of it says: the output,
/// or the failure with its code, its message and its way. `RENEW=1` writes what is said now.
@Suite("Mistakes at run time")
struct RunGoldenTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Lua")

  static let names: [String] = {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return all.filter { $0.hasPrefix("run-") }.sorted()
  }()

  @Test("are said with place, cause and fix", arguments: names)
  func mistake(_ name: String) async throws {
    let folder = RunGoldenTests.folder.appendingPathComponent(name)
    let input = try Data(contentsOf: folder.appendingPathComponent("input.json"))
    let host = ChainHost()
    var said: String
    do {
      let chain = try await host.load(folder.appendingPathComponent("graph.lua").path)
      let output = try await chain.run(json: [UInt8](input))
      said = String(decoding: output, as: UTF8.self) + "\n"
    } catch {
      said = "\(error.code) \(error.status)\n\(error)\n"
    }
    await host.shutdown()
    said = said.replacing(folder.path + "/", with: "")
    let expected = folder.appendingPathComponent("expected.txt")
    let environment = ProcessInfo.processInfo.environment
    if environment["RENEW"] == "1", environment["CI"] == nil {
      try said.write(to: expected, atomically: true, encoding: .utf8)
      return
    }
    #expect(said == (try String(contentsOf: expected, encoding: .utf8)))
  }

  @Test("are held for at least 25 kinds")
  func enough() { #expect(RunGoldenTests.names.count >= 25) }
}
