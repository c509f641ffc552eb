import Foundation

/// A program in Python that does a piece of work on demand: it takes a number from its stdin, does its work so often, and
/// prints the nanoseconds of one.
///
/// `@unchecked Sendable` is true because one benchmark uses it, one measurement after the other.
final class Peer: @unchecked Sendable {
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private let name: String

  init(_ script: String, _ arguments: [String]) throws {
    name = script
    guard let python = ProcessInfo.processInfo.environment["BENCH_PYTHON"] else {
      throw BenchFailure("BENCH_PYTHON must name a Python with the peers; scripts/bench sets it")
    }
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [folder.appendingPathComponent("Peers/\(script)").path] + arguments
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  deinit { try? input.fileHandleForWriting.close() }  // it ends at the end of its input

  func measure(_ times: Int) throws -> Double {
    input.fileHandleForWriting.write(Data("\(times)\n".utf8))
    var line = Data()
    while line.last != UInt8(ascii: "\n") {
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { throw BenchFailure("\(name) has ended") }
      line += more
    }
    guard let value = Double(String(decoding: line.dropLast(), as: UTF8.self)) else {
      throw BenchFailure("\(name) gave no number")
    }
    return value
  }
}
