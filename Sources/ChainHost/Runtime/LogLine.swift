/// A line that a chainlet logged, or the host about it.
public struct LogLine: Sendable {
  public enum Level: String, Sendable, CaseIterable { case debug, info, warning, error }
  public var level: Level
  public var chainlet: String
  /// The request in which it was logged.
  public var request: String?
  public var message: String
}
