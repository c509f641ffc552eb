import ChainBase
import CLuaGuard
import LuaBridge

typealias CallRef = UnsafeMutablePointer<Call>

/// One run on a lane: a call of a chainlet, a task inside such a call, or a hook of a chainlet.
///
/// Calls live in memory that the lane owns and reuses (`CallMemory`), and are used by pointer: nothing on the path of a
/// call counts references. Only the lane's thread touches them. A pointer that outlives an event (in a timer, in an
/// answer from another thread) carries the call's `ticket`, which changes with every wait and every use.
struct Call {
  /// First, so that a `clg_run` of the tree is a `Call`.
  var run = clg_run()
  var core: UnsafeMutablePointer<StateCore>
  /// Keeps its coroutine in the state's registry.
  var reference: Int32 = 0
  var request: Unmanaged<Request>
  /// The wait, or the use, that an event from outside must still find.
  var ticket: UInt64 = 0
  /// Names this use of the memory; timers of deadlines carry it.
  var serial: UInt64 = 0
  var waitingSince: UInt64 = 0
  /// The group that a task belongs to, and its place in it.
  var group: Unmanaged<TaskGroup>?
  var index: Int64 = 0
  /// What few calls have; made when first needed.
  var extra: Unmanaged<CallExtra>?
  var nextFree: CallRef?
  /// Behind it in its request's line.
  var nextReady: CallRef?
  var kind = Kind.call
  var phase = Phase.idle
  var wait = Wait.nothing
  var holdsSlot = false
  /// Stands in its state's queue.
  var isEnqueued = false
  /// Nested calls above this one.
  var depth: Int32 = 0
  /// Of the caller's needs, the one that this call answers.
  var need: Int32 = 0
  /// Its place in the scan for deadlocks that is at work.
  var place: Int32 = 0
  /// Where it lies in the lane's memory of calls.
  let slab: Int32
  /// Whose deadline is its own: how long it was given, in nanoseconds, and by what.
  var allowance: UInt64 = 0
  var allowedBy = AllowedBy.time

  enum AllowedBy: UInt8 {
    /// Its own limit.
    case time
    case caller, request
    /// `chain.timeout`.
    case function
    case hook
  }

  enum Kind: UInt8 {
    /// A call of `run`, from another chainlet or from outside.
    case call
    /// A function of the author's, started by `chain.map`, `chain.async` and their like.
    case task
    /// `init`, `close` and their like.
    case hook
  }

  enum Phase: UInt8 {
    /// In a pool.
    case idle
    /// Has no slot yet, so no coroutine runs.
    case queued
    /// Has its slot, and a large input or output that crosses piece by piece: its function has not begun, or has ended.
    case crossing
    /// In a ring, or handed the turn.
    case ready
    case running
    case waiting
    /// Its function has ended; its children have not yet.
    case ending
  }

  enum Wait: UInt8 {
    case nothing, answer, time, tasks, item, room, native, lock
    /// A large value that goes on in pieces.
    case pieces
  }

  init(core: UnsafeMutablePointer<StateCore>, request: Unmanaged<Request>, slab: Int32) {
    self.core = core
    self.request = request
    self.slab = slab
  }
}

extension UnsafeMutablePointer where Pointee == Call {
  /// The call that this one belongs to.
  @inline(__always) var parent: CallRef? {
    pointee.run.parent.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: Call.self) }
  }
  @inline(__always) var hasChildren: Bool { pointee.run.first_child != nil }
  /// The stack on which it runs.
  @inline(__always) var stack: LuaStack { LuaStack(pointee.run.coroutine) }
  /// Where its answer goes: the innermost coroutine that waits.
  @inline(__always) var waiter: LuaStack { LuaStack(pointee.run.waiter ?? pointee.run.coroutine) }
  @inline(__always) var state: ChainletState { pointee.core.pointee.owner._withUnsafeGuaranteedRef { $0 } }
  var raw: UnsafeMutablePointer<clg_run> { UnsafeMutableRawPointer(self).assumingMemoryBound(to: clg_run.self) }

  /// The cold part, made when first asked for.
  var extra: CallExtra {
    if let extra = pointee.extra { return extra.takeUnretainedValue() }
    let extra = CallExtra()
    pointee.extra = .passRetained(extra)
    return extra
  }
  /// By which other runs know it, made when first asked for.
  var mark: RunMark {
    if let mark = extra.mark { return mark }
    let mark = RunMark()
    extra.mark = mark
    return mark
  }
  var existingExtra: CallExtra? { pointee.extra?.takeUnretainedValue() }
}

/// A call as something that it waits for remembers it: the call may have been cancelled and its memory reused since.
struct Waiter {
  let call: CallRef
  private let ticket: UInt64

  /// Begins a wait: what knew of an earlier one is forgotten.
  init(_ call: CallRef, ticket: UInt64) {
    self.call = call
    self.ticket = ticket
    call.pointee.ticket = ticket
  }

  var isWaiting: Bool { call.pointee.ticket == ticket && call.pointee.phase == .waiting }
  var isQueued: Bool { call.pointee.ticket == ticket && call.pointee.phase == .queued }
  var isThere: Bool { isWaiting || isQueued }
}

/// What few calls have.
final class CallExtra {
  /// Why it is being ended from outside. Its caller gets this as an ordinary failure.
  var ending: Ending?
  /// What its function returned or raised, while its children end.
  var failure: KeptFailure?
  var results: Int32 = 0
  /// The call that it waits for may be tried again; its arguments are still on its stack.
  var retry: RetryPlan?
  /// Its caller's bound on calls of one need; released with it.
  var needGate: NeedGate?
  /// The bound of that kind behind which it waits.
  var awaitedGate: NeedGate?
  /// As what ordered the end of calls, or the root of these: how long their `<close>` variables have run, in nanoseconds.
  var unwound: UInt64 = 0
  /// Its large input or output, while it crosses; then the output as it has crossed.
  var crossing: LargeCrossing?
  var crossed: CrossedOutput?
  /// The stream that it writes.
  var output: StreamChannel?
  /// The streams that it reads, by number; closed with it.
  var inputs: [Int32: StreamChannel] = [:]
  /// Why the stream that was to be handed to it could not be.
  var streamProblem: String?
  /// The stream on which it waits now.
  var reading: StreamChannel?
  /// As a task: how its owner finds it.
  var handle: TaskHandle?
  /// The tasks that it started with `chain.async`.
  var tasks: [UInt64: TaskHandle] = [:]
  /// Of those that nobody can await any more, the first that failed.
  var lostFailure: (task: UInt64, failure: KeptFailure)?
  /// The task that it waits for.
  var awaitedTask: TaskHandle?
  /// The group whose items it waits for.
  var group: TaskGroup?
  /// Locks that it holds, and the one that it waits for.
  var locks: [Lock] = []
  var awaited: Lock?
  /// By which those know it that wait for it from native functions.
  var mark: RunMark?
  /// Ends the Swift task that it waits for.
  var cancelNative: (() -> Void)?
  /// As a hook: the request that it is.
  var request: Request?
  /// As a hook: who is told of its end.
  var hookEnded: ((Failure?) -> Void)?
  /// As a hook: who takes what it returned, before it is put away.
  var hookReturned: ((LuaStack, Int32) -> Void)?

  /// The first failure of a task that nobody awaited.
  var unobservedFailure: Failure? {
    var first = lostFailure
    for task in tasks.values where !task.isObserved && task.id < first?.task ?? .max {
      if let failure = task.failure { first = (task.id, failure) }
    }
    return first?.failure.failure
  }
}

/// An output that has crossed in pieces.
enum CrossedOutput {
  /// On the caller's stack.
  case answer
  case outside(Result<ChainOutput, Failure>)
  /// For the reader of a stream, in whose state it lies.
  case kept(Carrier)
}

/// Why a call is ended from outside: what its caller will see.
struct Ending {
  let failure: Failure

  init(_ failure: Failure) { self.failure = failure }
  init(code: String, message: String) { self.init(Failure(code: code, message: message)) }
}

/// What is left to try of a call with `retries`.
final class RetryPlan {
  var attemptsLeft: Int
  var delay: UInt64 = 50_000_000
  let deadline: UInt64
  /// The timeout behind the deadline, in nanoseconds.
  let allowance: UInt64?
  init(attempts: Int, deadline: UInt64, allowance: UInt64?) {
    attemptsLeft = attempts
    self.deadline = deadline
    self.allowance = allowance
  }
}
