import ChainBase

/// What a request brings.
package enum ChainInput: Sendable {
  /// A JSON text; it is decoded straight onto the entry's stack.
  case json([UInt8])
  case value(ChainValue)

  var item: ChainOutput {
    switch self {
    case .json(let bytes): .json(bytes)
    case .value(let value): .value(value)
    }
  }
}

extension ChainOutput {
  /// Whether it is more than what crosses in one event.
  func isLarger(than share: CrossingLimits) -> Bool {
    switch self {
    case .json(let bytes): return bytes.count > share.jsonBytes
    case .value(let value):
      var left = share
      return !left.hasRoom(for: value)
    }
  }
}

extension CrossingLimits {
  /// Takes what a value needs from the limits; false, at once, when it is more than they are.
  fileprivate mutating func hasRoom(for value: ChainValue) -> Bool {
    nodes -= 1
    switch value {
    case .string(let text): bytes -= text.utf8.count
    case .bytes(let data): bytes -= data.count
    case .list(let items): for item in items { guard hasRoom(for: item) else { return false } }
    case .record(let fields): for field in fields { guard hasRoom(for: field.value) else { return false } }
    case .null, .boolean, .integer, .number, .reference: break
    }
    return nodes >= 0 && bytes >= 0
  }
}

/// The form in which an answer is wanted.
package enum OutputForm: Sendable { case json, value }

/// An answer, or an item of a streamed one.
public enum ChainOutput: Sendable, Equatable {
  case json([UInt8])
  case value(ChainValue)
}

/// One request from outside: served from its first to its last line by one generation, on one lane.
final class Request {
  let id: UInt64
  let entry: String
  let generation: LaneGeneration
  let input: ChainInput
  let feed: ChainFeed?
  let form: OutputForm
  let trace: TraceID
  /// Monotonic nanoseconds; `.max` for none.
  let deadline: UInt64
  /// Called once, on the lane.
  let completion: (Result<ChainOutput, Failure>) -> Void
  /// Its tasks that have not ended. `taskLimit` bounds them, but each group may always have one, so that groups
  /// inside the items of groups cannot wait for themselves.
  var tasks = 0
  let taskLimit: TaskLimit
  /// Groups that have items to start when `tasks` falls.
  var held = WaitLine()
  /// Of work in the background: when it, and what it starts in the background itself, has to be over.
  var backgroundEnd: UInt64?
  /// Of work outside of any request from outside: the state that does it. All such work of a state has one debt.
  var servant: ChainletState?
  var root: CallRef?
  /// Its ready runs.
  let line: UnsafeMutablePointer<RunLine>
  /// For a streamed answer: where its items go, and who takes them.
  var stream: StreamChannel?
  var onEvent: ((StreamChannel.Event) -> Void)?

  init(
    id: UInt64, entry: String, generation: LaneGeneration, input: ChainInput, feed: ChainFeed? = nil, form: OutputForm, trace: TraceID,
    deadline: UInt64, taskLimit: TaskLimit, completion: @escaping (Result<ChainOutput, Failure>) -> Void
  ) {
    self.id = id
    self.entry = entry
    self.generation = generation
    self.input = input
    self.feed = feed
    self.form = form
    self.trace = trace
    self.deadline = deadline
    self.taskLimit = taskLimit
    self.completion = completion
    line = .allocate(capacity: 1)
    line.initialize(to: RunLine(of: self))
  }

  deinit { line.deallocate() }

  /// For what runs outside of any request.
  static func outside(taskLimit: TaskLimit = TaskLimit()) -> Request {
    Request(
      id: 0, entry: "", generation: .none, input: .value(.null), form: .value, trace: TraceID(high: 0, low: 0),
      deadline: .max, taskLimit: taskLimit, completion: { _ in })
  }
}

/// How many tasks a request may have at once, and the chainlet whose `limits.tasks` that is: the one that it enters.
struct TaskLimit {
  var most = Int.max
  var chainlet = ""
}

extension Request {
  var hasRoomForTask: Bool { tasks < taskLimit.most }

  /// Why `what` starts nothing: streams of needs count as tasks.
  /// - Parameter place: of the Lua line, as messages begin with it.
  func tooManyTasks(for what: String, at place: String, in chainlet: String) -> Failure {
    let (most, owner) = (taskLimit.most, taskLimit.chainlet)
    return Failure(
      code: Failure.Code.failed,
      message: "\(place)\(what): the request has as many tasks as limits.tasks of \(owner) allows (\(most)); wait for some of them first",
      details: ["limit": "limits.tasks", "value": .integer(Int64(most))], chainlet: chainlet)
  }
}

/// A W3C trace id.
package struct TraceID: Sendable, Hashable, CustomStringConvertible {
  package var high: UInt64
  package var low: UInt64
  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }
  package var description: String { TraceID.hex(high) + TraceID.hex(low) }

  private static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
