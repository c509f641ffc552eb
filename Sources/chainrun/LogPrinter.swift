import ArgumentParser
import ChainBase
import ChainHost

/// `--log-level`: which lines of chainlets are shown.
enum LogLevel: String, CaseIterable, ExpressibleByArgument {
  case debug, info, warning, error, none

  /// Prints `info SayHello: text` on standard error.
  var printer: @Sendable (LogLine) -> Void {
    let shown = Set(LogLine.Level.allCases.filter { rank(of: $0) >= rank })
    return { line in
      guard shown.contains(line.level) else { return }
      StandardError.log("\(line.level.rawValue) \(line.chainlet): \(line.message)".escapingControls(asLine: true))
    }
  }

  private var rank: Int { LogLevel.allCases.firstIndex(of: self) ?? 0 }
  private func rank(of level: LogLine.Level) -> Int { LogLevel(rawValue: level.rawValue)?.rank ?? 0 }
}
