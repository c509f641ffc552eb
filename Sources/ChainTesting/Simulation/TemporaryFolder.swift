#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A folder on the disk with files of a world; it goes with the object.
final class TemporaryFolder: Sendable {
  let path: String
  private let names: [String]

  init(_ files: [String: String]) throws {
    var template = Array("\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/chainrun-world-XXXXXX".utf8CString)
    guard let made = template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }) else { throw NoFolder() }
    path = String(cString: made)
    names = Array(files.keys)
    for (name, text) in files { write(text, to: name) }
  }

  struct NoFolder: Error {}

  deinit {
    for name in names { unlink("\(path)/\(name)") }
    for folder in names.flatMap(folders).sorted(by: >) { rmdir("\(path)/\(folder)") }
    rmdir(path)
  }

  /// One change: another text, or none any more.
  func apply(_ edit: Edit) {
    if let text = edit.text { write(text, to: edit.path) } else { unlink("\(path)/\(edit.path)") }
  }

  private func write(_ text: String, to name: String) {
    for folder in folders(above: name) { mkdir("\(path)/\(folder)", 0o700) }
    guard let file = fopen("\(path)/\(name)", "w") else { return }
    fputs(text, file)
    fclose(file)
  }

  /// Of a path inside, the outermost first.
  private func folders(above name: String) -> [Substring] {
    name.indices.filter { name[$0] == "/" }.map { name[..<$0] }
  }
}
