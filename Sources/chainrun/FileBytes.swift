import Glibc

/// Bytes of files, by descriptor and by path. Any thread; blocks.
enum FileBytes {
  /// More than any input may hold: what is read stops here.
  static let most = 128 << 20

  /// All bytes of a file, or of standard input for "-".
  /// - Throws: the reason, as a sentence without an end.
  static func read(_ path: String) throws(Problem) -> [UInt8] {
    guard path != "-" else { return try read(descriptor: STDIN_FILENO, named: "standard input") }
    let descriptor = try open(path)
    defer { close(descriptor) }
    return try read(descriptor: descriptor, named: path)
  }

  /// A file's descriptor, for reading.
  static func open(_ path: String) throws(Problem) -> Int32 {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { throw Problem("there is no file \(path)", isMissing: true) }
      throw Problem("\(path) cannot be read: \(reason(errno))")
    }
    var status = stat()
    guard fstat(descriptor, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR else {
      close(descriptor)
      throw Problem("\(path) is a folder")
    }
    return descriptor
  }

  static func read(descriptor: Int32, named name: String) throws(Problem) -> [UInt8] {
    var bytes: [UInt8] = []
    var status = stat()
    if fstat(descriptor, &status) == 0, status.st_size > 0 { bytes.reserveCapacity(min(Int(status.st_size), most) + 1) }
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { block.deallocate() }
    while true {
      let count = Glibc.read(descriptor, block.baseAddress, block.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw Problem("\(name) cannot be read: \(reason(errno))")
      }
      if count == 0 { return bytes }
      bytes.append(contentsOf: block[..<count])
      if bytes.count > most { throw Problem("\(name) is larger than an input may be (\(most >> 20) MB)") }
    }
  }

  /// Writes all of it. 0, or the `errno` of what failed.
  static func write(_ bytes: UnsafeBufferPointer<UInt8>, to descriptor: Int32) -> Int32 {
    var rest = UnsafeRawBufferPointer(bytes)
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count >= 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      } else if errno == EAGAIN {
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&ready, 1, -1)
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }

  static func reason(_ number: Int32) -> String { String(cString: strerror(number)) }

  struct Problem: Error {
    let message: String
    let isMissing: Bool
    init(_ message: String, isMissing: Bool = false) {
      self.message = message
      self.isMissing = isMissing
    }
  }
}
