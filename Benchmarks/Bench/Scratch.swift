import Foundation

/// Files of this run, in a temporary folder that goes with it.
enum Scratch {
  private static let root: String = {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("chainrun-bench-\(getpid())").path
    atexit { Scratch.remove() }
    return path
  }()

  static func folder(_ name: String) throws -> String {
    let path = root + "/" + name
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  static func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    let path = try folder("files") + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  private static func remove() { try? FileManager.default.removeItem(atPath: root) }
}
