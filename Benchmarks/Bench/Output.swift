import Foundation

/// Lines on stdout and stderr, unbuffered.
enum Output {
  static func line(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
  static func error(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}

/// Nanoseconds of what `body` does.
func nanoseconds(_ body: () async throws -> Void) async rethrows -> Double {
  let spent = try await ContinuousClock().measure { try await body() }
  return Double(spent.components.seconds) * 1e9 + Double(spent.components.attoseconds) / 1e9
}
