import ChainBase
import LuaBridge

/// The most that a chainlet's `limits`, and its stores, may be on this host: what is nil is not bounded unless it says so.
///
/// A chainlet that asks for more is refused when its graph is loaded, with what it asks for and what is allowed. One
/// that does not ask gets its default, or the bound where that is less; without a `time` of its own it gets the bound.
public struct OperatorLimits: Sendable, Hashable {
  /// Bytes that a chainlet's state may hold.
  public var memory: Int?
  /// Seconds that one call may run.
  public var cpu: Double?
  /// Seconds that one call may last.
  public var time: Double?
  /// Nested calls.
  public var depth: Int?
  /// Bytes of one output.
  public var output: Int?
  /// Values in one output.
  public var nodes: Int?
  public var coroutines: Int?
  /// Bytes of one source file. Without it files have at most 1 MB; a larger bound lets larger ones in.
  public var source: Int?
  /// Calls of one request alive at once.
  public var tasks: Int?
  /// Bytes that one `chain.store` may hold: its `max_bytes`. Without it 1 GB.
  public var store: Int?
  /// Bytes that all stores of a graph may hold together. Without it 4 GB.
  public var stores: Int?

  public init() {}

  /// In the order of the documentation.
  public static let names = ["memory", "cpu", "time", "depth", "output", "nodes", "coroutines", "source", "tasks", "store", "stores"]

  /// Sets a bound by its name, from a text as `limits` takes it: `("memory", "64MB")`, `("cpu", "2.5")`.
  /// - Throws: a `Failure` that says what is expected, for an unknown name or a text that is no such value.
  public mutating func set(_ name: String, to text: String) throws(Failure) {
    switch name {
    case "memory", "output", "source", "store", "stores":
      guard let bytes = RecordReader.byteCount(text) else {
        throw OperatorLimits.wrong(name, text, "a number of bytes or a text like 64MB (\(RecordReader.byteUnits))")
      }
      switch name {
      case "memory": memory = bytes
      case "output": output = bytes
      case "source": source = bytes
      case "store": store = bytes
      default: stores = bytes
      }
    case "cpu", "time":
      guard let seconds = Double(text), seconds > 0, seconds <= 1e9 else { throw OperatorLimits.wrong(name, text, "a number of seconds above 0") }
      if name == "cpu" { cpu = seconds } else { time = seconds }
    case "depth", "nodes", "coroutines", "tasks":
      guard let count = Int(text), (1...1_000_000_000).contains(count) else { throw OperatorLimits.wrong(name, text, "an integer of at least 1") }
      switch name {
      case "depth": depth = count
      case "nodes": nodes = count
      case "coroutines": coroutines = count
      default: tasks = count
      }
    default:
      let meant = nearestName(to: name, among: OperatorLimits.names).map { "did you mean '\($0)'?" }
      throw Failure(
        code: Failure.Code.badInput,
        message: "there is no limit '\(name)'; \(meant ?? "the limits are \(OperatorLimits.names.joined(separator: ", "))")")
    }
  }

  private static func wrong(_ name: String, _ text: String, _ expected: String) -> Failure {
    Failure(code: Failure.Code.badInput, message: "the limit '\(name)' must be \(expected), got '\(text)'")
  }

  // MARK: Against a chainlet's

  /// What a chainlet has on this host.
  func bounding(_ asked: ChainletDeclaration.Limits) -> ChainletDeclaration.Limits {
    var limits = asked
    func least<Value: Comparable>(_ value: Value, _ bound: Value?) -> Value { bound.map { min(value, $0) } ?? value }
    limits.memory = least(limits.memory, memory)
    limits.cpu = least(limits.cpu, cpu)
    limits.time = limits.time.map { least($0, time) } ?? time
    limits.depth = least(limits.depth, depth)
    limits.output = least(limits.output, output)
    limits.nodes = least(limits.nodes, nodes)
    limits.coroutines = least(limits.coroutines, coroutines)
    limits.source = least(limits.source, source)
    limits.tasks = least(limits.tasks, tasks)
    return limits
  }

  /// What a chainlet asks for beyond the bounds: the limit's name, what was asked, what is allowed.
  func excesses(of limits: ChainletDeclaration.Limits) -> [(name: String, asked: String, allowed: String)] {
    var found: [(String, String, String)] = []
    func look<Value: Comparable>(_ name: String, _ asked: Value?, _ bound: Value?, _ text: (Value) -> String) {
      guard limits.given.contains(name), let asked, let bound, asked > bound else { return }
      found.append((name, text(asked), text(bound)))
    }
    look("memory", limits.memory, memory, byteText)
    look("cpu", limits.cpu, cpu, secondsText)
    look("time", limits.time, time, secondsText)
    look("depth", limits.depth, depth) { "\($0)" }
    look("output", limits.output, output, byteText)
    look("nodes", limits.nodes, nodes) { "\($0)" }
    look("coroutines", limits.coroutines, coroutines) { "\($0)" }
    look("source", limits.source, source, byteText)
    look("tasks", limits.tasks, tasks) { "\($0)" }
    return found
  }
}

/// "0.05 s".
func secondsText(_ seconds: Double) -> String {
  if let whole = Int(exactly: seconds) { return "\(whole) s" }
  return "\(seconds) s"
}

/// "2 MB", "1.5 KB", "100 bytes".
func byteText(_ bytes: Int) -> String {
  for (unit, name) in [(1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")] where bytes >= unit {
    if bytes % unit == 0 { return "\(bytes / unit) \(name)" }
    return "\((Double(bytes) / Double(unit) * 100).rounded() / 100) \(name)"
  }
  return bytes == 1 ? "1 byte" : "\(bytes) bytes"
}
