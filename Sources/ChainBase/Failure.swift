/// What every floor throws and what crosses every boundary between chainlets: a code for programs, a sentence for
/// people, and the way by which it came.
public struct Failure: Error, Sendable, Equatable {
  /// Stable, for programs: one of `Failure.Code`'s or the author's own.
  public var code: String
  /// A sentence: what happened, where, what was expected and what came, and the fix where it is known.
  public var message: String
  /// The HTTP status that it answers.
  public var status: Int
  /// The author's own data.
  public var details: ChainValue
  /// Whether trying again may help.
  public var retry: Bool
  /// The chainlet in which it happened.
  public var chainlet: String?
  /// The chain of calls, innermost first.
  public var trace: [TraceEntry]
  /// What it was before it crossed a boundary that changed its code.
  public var cause: String?

  public struct TraceEntry: Sendable, Equatable {
    public var chainlet: String
    public var place: SourcePlace?
    /// The function in which it was, as far as Lua knows its name.
    public var function: String?
    public init(chainlet: String, place: SourcePlace?, function: String? = nil) {
      self.chainlet = chainlet
      self.place = place
      self.function = function
    }
  }

  public init(
    code: String, message: String, status: Int? = nil, details: ChainValue = .null, retry: Bool? = nil,
    chainlet: String? = nil, trace: [TraceEntry] = [], cause: String? = nil
  ) {
    self.code = code
    self.message = message
    self.status = status ?? Failure.status(of: code)
    self.details = details
    self.retry = retry ?? Failure.mayBeRetried(code)
    self.chainlet = chainlet
    self.trace = trace
    self.cause = cause
  }

  /// The host's own codes.
  public enum Code {
    public static let badInput = "bad_input"
    public static let tooLarge = "too_large"
    public static let cancelled = "cancelled"
    public static let badOutput = "bad_output"
    public static let failed = "failed"
    public static let cpuLimit = "cpu_limit"
    public static let memoryLimit = "memory_limit"
    public static let depthLimit = "depth_limit"
    public static let outputLimit = "output_limit"
    public static let deadlock = "deadlock"
    public static let unavailable = "unavailable"
    public static let overloaded = "overloaded"
    public static let stateLost = "state_lost"
    public static let timeout = "timeout"
    /// The graph itself is wrong; nothing was run.
    public static let invalidGraph = "invalid_graph"
  }

  /// The HTTP status that a code answers unless its author says otherwise.
  public static func status(of code: String) -> Int {
    switch code {
    case Code.badInput: 422
    case Code.tooLarge: 413
    case Code.cancelled: 499
    case Code.unavailable: 502
    case Code.overloaded, Code.stateLost: 503
    case Code.timeout: 504
    default: 500
    }
  }

  static func mayBeRetried(_ code: String) -> Bool {
    code == Code.stateLost || code == Code.unavailable || code == Code.overloaded
  }
}

extension Failure: CustomStringConvertible {
  public var description: String {
    var text = message
    for entry in trace {
      text += "\n  in \(entry.chainlet)"
      if let function = entry.function { text += ".\(function)" }
      if let place = entry.place { text += " (\(place))" }
    }
    return text
  }
}
