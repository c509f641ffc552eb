import ChainBase
import ChainHost
import ChainLoop
import Glibc

/// Fills an input's stream field from words of the command line. A text is one item. A file, or standard input, is read
/// while the chain takes its items: bytes in pieces of 64 KB, strings line by line, other types a JSON text a line.
struct InputFeed: Sendable {
  enum Source {
    case item(ChainValue)
    /// An open file and its name for messages; it is closed when it has been read.
    case file(Int32, String)
  }

  /// How the bytes of a file become items.
  enum Form { case pieces, lines, json }

  private let reader: InputFeedReader

  init(_ sources: [Source], as form: Form, place: String) { reader = InputFeedReader(sources, form, place) }

  /// - Parameter environment: whose workers read, so that no lane waits for a file.
  func feed(_ environment: RealEnvironment) -> ChainFeed {
    ChainFeed(AsyncThrowingStream<ChainValue, any Error> {
      try await withCheckedThrowingContinuation { continuation in
        environment.runOnWorker { continuation.resume(with: Result { try reader.next() }) }
      }
    })
  }

  /// Opens a file for it, before the chain runs.
  static func open(_ path: String) throws(FileBytes.Problem) -> Source {
    if path == "-" { return .file(STDIN_FILENO, "standard input") }
    return .file(try FileBytes.open(path), path)
  }
}

/// Unchecked: one item is asked for after the other.
private final class InputFeedReader: @unchecked Sendable {
  private var sources: [InputFeed.Source] // the next one is last
  private let form: InputFeed.Form
  private let place: String
  private var buffer: [UInt8] = []
  private var line = 0
  private static let pieceBytes = 64 << 10

  init(_ sources: [InputFeed.Source], _ form: InputFeed.Form, _ place: String) {
    self.sources = sources.reversed()
    self.form = form
    self.place = place
  }

  /// The next item; blocks. nil after the last.
  func next() throws -> ChainValue? {
    while let source = sources.last {
      switch source {
      case .item(let value):
        sources.removeLast()
        return value
      case .file(let descriptor, let name):
        if let value = try next(of: descriptor, name) { return value }
        sources.removeLast()
        line = 0
        if descriptor != STDIN_FILENO { close(descriptor) }
      }
    }
    return nil
  }

  private func next(of descriptor: Int32, _ name: String) throws -> ChainValue? {
    if form == .pieces {
      let piece = try more(of: descriptor, name)
      return piece.isEmpty ? nil : .bytes(piece)
    }
    while let text = try nextLine(of: descriptor, name) {
      line += 1
      if form == .json, text.allSatisfy({ $0 == 32 || $0 == 9 }) { continue }
      do throws(Failure) {
        if form == .json { return try ChainValue(json: text) }
      } catch { throw problem(name, error.message) }
      guard let string = String(validating: text, as: UTF8.self) else { throw problem(name, "the line is not UTF-8 text") }
      return .string(string)
    }
    return nil
  }

  private func problem(_ name: String, _ message: String) -> Failure {
    Failure(code: Failure.Code.badInput, message: "\(place): \(name):\(line): \(message)")
  }

  /// Without its end; nil when there is none.
  private func nextLine(of descriptor: Int32, _ name: String) throws -> [UInt8]? {
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        var text = Array(buffer[..<end])
        buffer.removeSubrange(...end)
        if text.last == UInt8(ascii: "\r") { text.removeLast() }
        return text
      }
      let piece = try more(of: descriptor, name)
      if piece.isEmpty {
        defer { buffer = [] }
        return buffer.isEmpty ? nil : buffer
      }
      buffer += piece
      guard buffer.count <= FileBytes.most else { throw problem(name, "the line is longer than an input may be (\(FileBytes.most >> 20) MB)") }
    }
  }

  private func more(of descriptor: Int32, _ name: String) throws -> [UInt8] {
    while true {
      var count = 0
      let piece = [UInt8](unsafeUninitializedCapacity: InputFeedReader.pieceBytes) { block, used in
        count = read(descriptor, block.baseAddress, block.count)
        used = max(0, count)
      }
      if count >= 0 { return piece }
      if errno != EINTR { throw problem(name, "it cannot be read: \(FileBytes.reason(errno))") }
    }
  }
}
