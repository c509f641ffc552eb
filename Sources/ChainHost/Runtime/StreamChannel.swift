import ChainBase
import CLuaGuard
import LuaBridge

/// A stream between two coroutines, or between a coroutine and the outside: at most 16 items or 1 MB in between.
///
/// An item crosses once, when it is emitted: checked and copied into the reader's state, or encoded for the outside. What
/// comes from outside, or lies in the state of one that has handed the stream on, crosses when it is read.
final class StreamChannel: Charged {
  static let maxItems = 16
  static let maxBytes = 1 << 20
  /// About what one takes, with the task that fills it: it counts toward the memory of the state that reads.
  static let weight = 1 << 10

  let id: Int32
  let name: String
  /// The call whose `emit` fills it; nil once it has ended.
  var producer: CallRef?
  /// The call that reads it, or may: nil for the outside.
  var owner: CallRef?
  /// Handles in the state that reads. With the last of them the script has let go of the stream.
  var handles = 0
  /// The type of the items and of the result, in the producer's state.
  var items: SchemaLink
  private(set) var result: SchemaLink?
  /// From outside: how many items are asked for, and what follows the items.
  var wanted = 0
  /// From outside: whoever asked has gone.
  var isAbandoned = false
  var lastOutput = ChainOutput.value(.null)
  /// Who reads: a state inside, or the outside.
  var reader: Reader
  /// Items that nobody has taken yet.
  var queue: [Item] = []
  var queuedBytes = 0
  /// Calls that wait for room, their item on their stack.
  var writers = WaitLine()
  /// While writers are being let in: a write lets the next one in.
  var isAdmitting = false
  /// The writer whose large item crosses in pieces: the others wait behind it.
  var writing: CallRef?
  /// The call that waits for an item or for the result.
  var waiting: Waiter?
  var waitsForResult = false
  var end: End?
  /// What fills it, where that is the outside.
  var feeding: StreamFeeding?
  /// While the producing call waits for a slot: its input, in the caller's state, so that the caller can go on.
  var arguments: Carrier?

  enum Reader {
    case state(ChainletState, items: SchemaLink, result: SchemaLink?)
    case outside(OutputForm, (Event) -> Void)
    /// Closed: what is emitted is dropped and the producer is being cancelled.
    case nobody
  }

  enum Item {
    /// In the registry of a state: the reader's, or of one that handed the stream on.
    case kept(Int32, in: ChainletState, bytes: Int)
    /// For the outside, or from there.
    case output(ChainOutput)

    var bytes: Int {
      switch self {
      case .kept(_, _, let bytes): bytes
      case .output(let output): output.size
      }
    }

    func release() {
      if case .kept(let reference, let home, _) = self { home.lua.main.release(reference) }
    }
  }

  enum End {
    /// The result, kept in the reader's registry; 0 for none.
    case finished(Int32)
    case failed(KeptFailure)
  }

  enum Event {
    case item(ChainOutput)
    case finished(ChainOutput)
    case failed(Failure)
  }

  init(id: Int32, name: String, items: SchemaLink, result: SchemaLink?, reader: Reader) {
    self.id = id
    self.name = name
    self.items = items
    self.result = result
    self.reader = reader
    if case .state(let state, _, _) = reader { super.init(StreamChannel.weight, to: state.lua) } else { super.init(0, to: nil) }
  }

  var hasRoom: Bool {
    writing == nil && queue.count < StreamChannel.maxItems && queuedBytes < StreamChannel.maxBytes
  }

  /// The call that waits for something to come: for the next item, or past all of them for the result.
  var asker: CallRef? { waiting.flatMap { $0.isWaiting && $0.call.pointee.wait == .item ? $0.call : nil } }

  /// The state of its writer was rebuilt while that waited for a slot. False: there is no room in it.
  func writerMoved(to state: ChainletState) -> Bool {
    result = state.core.pointee.result
    do throws(LuaError) { items = try state.link(to: items.program.takeUnretainedValue()) } catch { return false }
    return true
  }

  var isBeingRead: Bool { waiting?.isWaiting == true }
  /// No script has it any more.
  var isForgotten: Bool {
    guard handles == 0, !isBeingRead, case .state = reader else { return false }
    let isHandedOn = owner?.pointee.phase == .queued || owner?.pointee.phase == .crossing
    return !isHandedOn // the handle that it is about to get is not made yet
  }

  func add(_ item: Item) {
    queue.append(item)
    queuedBytes += item.bytes
  }

  func removeFirst() {
    queuedBytes -= queue[0].bytes
    queue.removeFirst().release()
  }

  func dropQueue() {
    for item in queue { item.release() }
    queue = []
    queuedBytes = 0
  }

  func forget(_ call: CallRef) {
    if waiting?.call == call { waiting = nil }
    if writing == call { writing = nil }
  }
}
