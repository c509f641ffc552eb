import Glibc

/// Where a result goes: standard output, or the file of `-o`. One thread at a time.
struct ResultFile {
  private let descriptor: Int32
  private let path: String?
  /// It was not there before.
  private let isNew: Bool
  private var isEmpty = false

  static let standardOutput = ResultFile(descriptor: STDOUT_FILENO, path: nil, isNew: false)

  private init(descriptor: Int32, path: String?, isNew: Bool) {
    self.descriptor = descriptor
    self.path = path
    self.isNew = isNew
  }

  /// Opens the file before anything runs, so that no work is lost for a wrong path. What is in it stays until the first
  /// write.
  init(_ path: String?) throws(CommandFailure) {
    guard let path, path != "-" else {
      self = .standardOutput
      return
    }
    var descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    let isNew = descriptor >= 0
    if !isNew, errno == EEXIST { descriptor = open(path, O_WRONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw CommandFailure(.usage, "\(path) cannot be written: \(FileBytes.reason(errno))") }
    self.init(descriptor: descriptor, path: path, isNew: isNew)
  }

  /// - Throws: a quiet end when the reader has gone.
  mutating func write(_ bytes: [UInt8], line: Bool = false) throws(CommandFailure) {
    if path != nil, !isEmpty {
      _ = ftruncate(descriptor, 0) // a pipe or a device has no length
      isEmpty = true
    }
    try put(bytes)
    if line { try put([UInt8(ascii: "\n")]) }
  }

  private func put(_ bytes: [UInt8]) throws(CommandFailure) {
    StandardError.flushBeforeResult() // a terminal shows both in their order
    let problem = bytes.withUnsafeBufferPointer { FileBytes.write($0, to: descriptor) }
    switch problem {
    case 0: return
    case EPIPE: throw CommandFailure(.readerGone, "")
    default: throw CommandFailure(.failed, "\(path ?? "standard output") cannot be written: \(FileBytes.reason(problem))")
    }
  }

  /// There is no result: takes back a file that was made for it.
  func discard() {
    if isNew, !isEmpty, let path { unlink(path) }
  }
}
