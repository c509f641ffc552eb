import ChainBase

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads the source files of a graph: whole, once, and never more than they may be.
enum FileReader {
  enum Problem: Error {
    case missing
    case directory
    case tooLarge(limit: Int)
    /// A symbolic link, where none is followed.
    case link
    case unreadable(reason: String)
  }

  /// - Parameter followingLinks: whether the last part of the path may be a symbolic link.
  static func read(_ path: String, limit: Int, followingLinks: Bool = true) throws(Problem) -> [UInt8] {
    // Not blocking: a pipe in the folder must not hang the load.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followingLinks ? 0 : O_NOFOLLOW))
    guard descriptor >= 0 else {
      switch errno {
      case ENOENT, ENOTDIR: throw .missing
      case ELOOP where !followingLinks: throw .link
      default: throw .unreadable(reason: reason())
      }
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(reason: reason()) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .directory
    default: throw .unreadable(reason: "it is not a plain file")
    }
    var bytes: [UInt8] = []
    var room = min(Int(status.st_size), limit) + 1 // one more, so that the end is seen
    while bytes.count <= limit {
      let piece = try readSome(descriptor, atMost: room)
      if bytes.isEmpty { bytes = piece } else { bytes += piece }
      // One that tells its size ends there; others, and one that has grown, where nothing more comes.
      if piece.isEmpty || (piece.count < room && bytes.count == Int(status.st_size)) { return bytes }
      room = 65_536
    }
    throw .tooLarge(limit: limit)
  }

  private static func readSome(_ descriptor: Int32, atMost room: Int) throws(Problem) -> [UInt8] {
    while true {
      var count = 0
      let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, used in
        count = systemRead(descriptor, buffer.baseAddress, room)
        used = max(0, count)
      }
      if count >= 0 { return piece }
      if errno != EINTR { throw .unreadable(reason: reason()) }
    }
  }

  /// The one path that names a file, with no symbolic link in it; nil when there is no such file.
  static func realPath(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }

  static func exists(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0
  }

  /// The names in a folder; none when it cannot be read.
  static func names(in folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory), names.count < 10_000 {
      names.append(
        withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names
  }

  private static func reason() -> String { String(cString: strerror(errno)) }
}

/// The system's `read`, which the enum's own function hides.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
  read(descriptor, buffer, count)
}
