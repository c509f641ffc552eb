import ChainBase

/// Every file of a graph, read once. Evaluation, rebuilds, restart and rollback use it, never the disk.
public struct Bundle: Sendable, Hashable {
  /// The entry file's path in the bundle.
  public internal(set) var entry: String
  /// In the order in which they were required.
  public private(set) var files: [SourceFile] = []
  private var positions: [String: Int] = [:]
  /// Module name → path of its file.
  var modules: [String: String] = [:]

  init(entry: String) { self.entry = entry }

  public func file(_ path: String) -> SourceFile? { positions[path].map { files[$0] } }

  mutating func add(_ file: SourceFile) {
    positions[file.path] = files.count
    files.append(file)
  }

  /// The file that a module name stood for when the graph was planned.
  func file(ofModule name: String) -> SourceFile? { modules[name].flatMap { file($0) } }

  /// Of names and contents, whatever the order in which they were read.
  public var digest: ContentDigest {
    var digest = ContentDigest()
    digest.add(sized: Array(entry.utf8))
    for file in files.sorted(by: { $0.path < $1.path }) {
      digest.add(sized: Array(file.path.utf8))
      digest.add(sized: file.text)
    }
    return digest
  }
}
