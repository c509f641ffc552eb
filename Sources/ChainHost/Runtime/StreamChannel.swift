import ChainBase
import CLuaGuard
import LuaBridge

/// A stream between two coroutines, or between a coroutine and the outside: at most 16 items or 1 MB in between.
///
/// An item crosses once, when it is emitted: checked and copied into the reader's state, or encoded for the outside.
final class StreamChannel {
  static let maxItems = 16
  static let maxBytes = 1 << 20

  let id: Int32
  let name: String
  /// The call whose `emit` fills it; nil once it has ended.
  var producer: CallRef?
  /// The call that reads it, or may: nil for the outside.
  var owner: CallRef?
  /// The type of the items and of the result, in the producer's state.
  var items: SchemaLink
  let result: SchemaLink?
  /// Links made for this stream alone, and released with it.
  var ownLinks: [SchemaLink] = []
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
  var writers: [Waiter] = []
  /// The call that waits for an item or for the result.
  var waiting: Waiter?
  var waitsForResult = false
  var end: End?
  /// What fills it, where that is the outside.
  var feeding: StreamFeeding?
  /// While the producing call waits for a slot: where its input lies.
  var arguments: LuaStack?
  /// The caller's state, which keeps that stack: not the reader's any more when the stream has been handed on.
  private var argumentsState: ChainletState?
  private var argumentsReference: Int32 = 0

  enum Reader {
    case state(ChainletState, items: SchemaLink, result: SchemaLink?)
    case outside(OutputForm, (Event) -> Void)
    /// Closed: what is emitted is dropped and the producer is being cancelled.
    case nobody
  }

  enum Item {
    /// In the reader's registry.
    case kept(Int32, bytes: Int)
    case output(ChainOutput, bytes: Int)
  }

  enum End {
    /// The result, kept in the reader's registry; 0 for none.
    case finished(Int32)
    case failed(Failure)
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
  }

  deinit { for link in ownLinks { link.release() } }

  var hasRoom: Bool { queue.count < StreamChannel.maxItems && queuedBytes < StreamChannel.maxBytes }

  func forget(_ call: CallRef) {
    writers.removeAll { $0.call == call }
    if waiting?.call == call { waiting = nil }
  }

  /// Moves a call's input to a stack of its own, so that its caller can go on while the call waits for a slot.
  func keepArguments(_ waiter: LuaStack, in state: ChainletState) {
    let main = state.lua.main
    guard main.ensure(4), let stack = main.pushCoroutine() else { return }
    argumentsReference = main.keep()
    waiter.push(copyOf: 1)
    waiter.move(1, to: stack)
    arguments = stack
    argumentsState = state
  }

  func releaseArguments() {
    guard arguments != nil else { return }
    arguments = nil
    argumentsState?.lua.main.release(argumentsReference)
    argumentsState = nil
  }
}
