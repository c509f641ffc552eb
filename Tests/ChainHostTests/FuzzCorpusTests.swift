import Foundation
import FuzzTargets
import Testing

@Suite("The corpus of the fuzz targets")
struct FuzzCorpusTests {
  @Test("nothing that fuzzing has tried is a finding", arguments: FuzzTarget.all.map(\.name))
  func replay(_ name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Fuzz/Corpus/\(name)")
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    #expect(files.count >= 8)
    for file in files {
      #expect(throws: Never.self, "\(file.lastPathComponent)") { try target.run([UInt8](Data(contentsOf: file))) }
    }
  }
}
