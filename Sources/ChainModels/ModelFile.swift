import ChainBase
import ChainHost
import ChainLoop

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A model's file: where it is, and what is in it.
struct ModelFile: Sendable {
  var path: String
  var bytes: Int

  /// - Parameters:
  ///   - path: as the author wrote it: absolute, beside the graph, or in the cache folder as `cache:magika/model.onnx`.
  /// - Throws: when there is no such file.
  init(_ written: String, folder: String) throws(Failure) {
    var fix = ""
    if written.hasPrefix("cache:") {
      path = "\(CacheFolder.path)/models/\(written.dropFirst("cache:".count))"
      fix = "; scripts/models fetches it"
    } else {
      path = written.hasPrefix("/") || folder.isEmpty ? written : "\(folder)/\(written)"
    }
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw Failure(code: Failure.Code.failed, message: "there is no file \(path)\(fix)")
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(code: Failure.Code.failed, message: "\(path) is no file") }
    bytes = Int(status.st_size)
    #if canImport(Darwin)
      let changed = status.st_mtimespec
    #else
      let changed = status.st_mtim
    #endif
    stamp = "\(status.st_dev) \(status.st_ino) \(status.st_size) \(changed.tv_sec) \(changed.tv_nsec)"
  }

  /// Changes with the file.
  private let stamp: String
  private static let known = Monitor<[String: ContentDigest]>([:])

  /// The digest of its bytes: read once, and again when the file has changed.
  func digest() throws(Failure) -> ContentDigest {
    let key = "\(path) \(stamp)"
    if let digest = ModelFile.known.withLock({ $0[key] }) { return digest }
    let digest = try withBytes { bytes in
      var digest = ContentDigest()
      if !bytes.isEmpty { digest.add(words: bytes) }
      return digest
    }
    ModelFile.known.withLock { $0[key] = digest }
    return digest
  }

  /// A copy of its bytes.
  func contents() throws(Failure) -> [UInt8] { try withBytes { Array($0) } }

  /// Its bytes, valid while `body` runs.
  private func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) throws(Failure) -> Result {
    func unreadable() -> Failure {
      Failure(code: Failure.Code.failed, message: "\(path) cannot be read: \(String(cString: strerror(errno)))")
    }
    guard bytes > 0 else { return body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable() }
    defer { close(descriptor) }
    guard let memory = mmap(nil, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0), memory != MAP_FAILED else { throw unreadable() }
    defer { munmap(memory, bytes) }
    return body(UnsafeRawBufferPointer(start: memory, count: bytes))
  }
}
