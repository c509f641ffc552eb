import ChainBase
import CLuaGuard
import LuaBridge

/// `chain.map`, `each`, `settle`, `all` and `race`: functions of one call that run at once, each on a coroutine of
/// its own in the same state.
///
/// On the waiter's stack lie: 1 the list (or the table of functions), 2 the function (or nil), 3 the results, and for
/// named functions 4 the list of names.
final class TaskGroup {
  /// Functions that one `chain.all` or `chain.race` may name.
  static let mostNames = 10_000

  enum Mode { case map, each, settle, all, race, timeout }

  let mode: Mode
  let owner: CallRef
  let count: Int64
  let limit: Int
  var started: Int64 = 0
  var running = 0
  /// How long `<close>` variables of its items have run, in nanoseconds.
  var unwound: UInt64 = 0
  var failure: KeptFailure? { didSet { isStopping = true } }
  /// The winner of a race; its value lies at 3.
  var winner: Int64? { didSet { isStopping = true } }
  /// The last failure of a race in which all fail.
  var lastFailure: KeptFailure?

  init(mode: Mode, owner: CallRef, count: Int64, limit: Int) {
    self.mode = mode
    self.owner = owner
    self.count = count
    self.limit = limit
  }

  private(set) var isStopping = false
  var canStart: Bool { started < count && running < limit && !isStopping }
  var isOver: Bool { running == 0 && (started == count || isStopping) }
  var usesNames: Bool { mode == .all || mode == .race }
}

extension Lane {
  /// How many items a group starts before others have their turn.
  private static let startsPerTurn = 32

  // MARK: Beginning

  func beginGroup(_ call: CallRef, _ mode: TaskGroup.Mode) {
    let waiter = call.waiter
    let name = "chain.\(mode)"
    var limit = mode == .map || mode == .each || mode == .settle ? 64 : Int.max
    if let problem = groupProblem(waiter, mode, name, &limit) {
      return wake(call, failure: Failure(code: Failure.Code.failed, message: call.place(of: waiter) + problem))
    }
    waiter.setTop(2)
    let memory = call.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    var count = Int64(waiter.rawLength(at: 1))
    if mode == .all || mode == .race {
      waiter.setTop(1)
      waiter.pushNil()
      waiter.pushTable()
      do throws(LuaError) { count = try waiter.pushSortedNames(of: 1, most: TaskGroup.mostNames) } catch {
        memory.pointee.memory.host -= 1
        return wake(call, failure: Failure(code: Failure.Code.failed, message: "\(call.place(of: waiter))\(name): \(error.message)"))
      }
    } else if mode == .map || mode == .settle {
      waiter.pushTable(array: Int32(clamping: min(count, 1_000_000)))
    } else {
      waiter.pushNil()
    }
    memory.pointee.memory.host -= 1
    let group = TaskGroup(mode: mode, owner: call, count: count, limit: limit)
    call.extra.group = group
    call.pointee.wait = .tasks
    call.pointee.waitingSince = now
    watchForDeadlocks()
    if group.isOver { return finishGroup(group) }
    makeReady(call)
  }

  /// `chain.timeout(seconds, fn)`: a group of one with a deadline.
  func beginTimeout(_ call: CallRef) {
    let waiter = call.waiter
    guard waiter.type(at: 1) == .number, waiter.type(at: 2) == .function else {
      return wake(call, failure: Failure(
        code: Failure.Code.failed,
        message: call.place(of: waiter) + "chain.timeout: expected seconds and a function, got "
          + "\(waiter.describe(at: 1)) and \(waiter.describe(at: 2))"))
    }
    let time = nanoseconds(waiter.number(at: 1))
    waiter.setTop(2)
    waiter.pushNil()
    let group = TaskGroup(mode: .timeout, owner: call, count: 1, limit: 1)
    call.extra.group = group
    call.pointee.wait = .tasks
    call.pointee.waitingSince = now
    startItem(group, of: call, call.pointee.request.takeUnretainedValue())
    if let task = call.pointee.run.first_child {
      tighten(UnsafeMutableRawPointer(task).assumingMemoryBound(to: Call.self), by: time, .function)
    }
  }

  private func groupProblem(_ waiter: LuaStack, _ mode: TaskGroup.Mode, _ name: String, _ limit: inout Int) -> String? {
    guard waiter.type(at: 1) == .table else {
      let expected = mode == .all || mode == .race ? "a table of functions" : "a list"
      return "\(name): expected \(expected), got \(waiter.describe(at: 1))"
    }
    guard mode != .all && mode != .race else { return nil }
    guard waiter.type(at: 2) == .function else {
      return "\(name): expected a function as its second argument, got \(waiter.describe(at: 2))"
    }
    guard waiter.top >= 3, waiter.type(at: 3) != .nil else { return nil }
    guard waiter.type(at: 3) == .table else { return "\(name): expected a table of options, got \(waiter.describe(at: 3))" }
    do throws(LuaError) {
      try waiter.forEachField(at: 3) { key, value throws(LuaError) in
        guard key == "limit" else { throw LuaError(.runtime, "unknown option '\(key)'; the one option is 'limit'") }
        guard waiter.isInteger(at: value), waiter.integer(at: value) >= 1 else {
          throw LuaError(.runtime, "limit: expected an integer of at least 1, got \(waiter.describe(at: value))")
        }
        limit = Int(clamping: waiter.integer(at: value))
      }
    } catch { return "\(name): \(error.message)" }
    return nil
  }

  // MARK: Items

  /// The turn of a call that waits for tasks: it takes what one gave, or starts items of its group. False when the call
  /// itself is to go on.
  func continueGroup(_ call: CallRef) -> Bool {
    guard let extra = call.existingExtra else { return false }
    guard let group = extra.group else { return takeAwaited(call, extra) }
    call.pointee.phase = .waiting
    call.pointee.ticket = 0 // it does not wait for room among its request's tasks any more
    if call.pointee.run.cancel != 0 {
      if !call.hasChildren { unwindNow(call) }
      return call.hasChildren
    }
    if group.isOver {
      finishGroup(group)
      return true
    }
    let request = call.pointee.request.takeUnretainedValue()
    var starts = 0
    while group.canStart, starts < Lane.startsPerTurn {
      guard request.hasRoomForTask || group.running == 0 else {
        request.held.add(Waiter(call, ticket: stamp()))
        return true
      }
      starts += 1
      startItem(group, of: call, request)
    }
    if group.canStart { makeReady(call) }
    return true
  }

  /// A cancelled run, about to go on where it waited, ends there instead: were it to take its answer first, an error
  /// perhaps, the end would strike its `<close>` variables.
  func unwindNow(_ call: CallRef) {
    call.pointee.ticket = 0
    call.pointee.run.killed = sig_atomic_t(CLG_CANCELLED.rawValue)
    call.waiter.setTop(0)
    call.pointee.run.answers = 0
  }

  private func startItem(_ group: TaskGroup, of owner: CallRef, _ request: Request) {
    let waiter = owner.waiter
    let task = ChainletState.take(from: owner.pointee.core)
    openTask(task, under: owner)
    task.pointee.group = .passUnretained(group)
    group.started += 1
    group.running += 1
    task.pointee.index = group.started
    let memory = owner.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    let stack = task.stack
    ChainletState.pushBody(onto: stack)
    if group.mode == .timeout {
      waiter.push(copyOf: 2)
      waiter.move(1, to: stack)
      task.pointee.run.answers = 2
    } else if group.usesNames {
      waiter.rawGet(4, at: group.started)
      waiter.rawGet(1)
      waiter.move(1, to: stack)
      task.pointee.run.answers = 2
    } else {
      waiter.push(copyOf: 2)
      waiter.rawGet(1, at: group.started)
      waiter.move(2, to: stack)
      stack.push(integer: group.started)
      task.pointee.run.answers = 4
    }
    memory.pointee.memory.host -= 1
    makeReady(task)
  }

  /// Sets up a pooled call as a task of `owner`.
  func openTask(_ task: CallRef, under owner: CallRef) {
    clg_link(owner.raw, task.raw)
    task.pointee.kind = .task
    task.pointee.request = owner.pointee.request
    task.pointee.run.owner = owner.pointee.run.owner
    task.pointee.depth = owner.pointee.depth
    begin(task, deadline: owner.pointee.run.deadline)
    task.pointee.run.cpu_left = owner.pointee.run.cpu_left
    owner.pointee.request.takeUnretainedValue().tasks += 1
  }

  /// A task has left: groups that waited for its place go on.
  func taskLeft(_ task: CallRef) {
    task.pointee.request._withUnsafeGuaranteedRef { request in
      request.tasks -= 1
      if request.hasRoomForTask, let owner = request.held.popFirst() { makeReady(owner) }
    }
  }

  /// A function of `chain.map` has returned a value: what `complete` does for it, without a failure to carry along.
  /// False, with nothing done, when there is more to look at.
  func mapItemReturned(_ task: CallRef, to owner: CallRef, results: Int32) -> Bool {
    guard let reference = task.pointee.group else { return false }
    let stack = task.stack
    return reference._withUnsafeGuaranteedRef { group in
      guard group.mode == .map, !group.isStopping, owner.pointee.wait == .tasks, owner.pointee.run.killed == 0, results > 0,
        stack.type(at: stack.top &- results &+ 1) != .nil
      else { return false }
      group.running -= 1
      let memory = owner.pointee.core.pointee.lua
      memory.pointee.memory.host += 1
      keepResult(group, task, stack, results)
      memory.pointee.memory.host -= 1
      if owner.pointee.phase == .waiting {
        if group.isOver {
          // The owner lets its group go.
          withExtendedLifetime(reference.takeUnretainedValue()) { finishGroup($0) }
        } else if group.canStart {
          makeReady(owner)
        }
      }
      taskLeft(task)
      leave(task)
      task.pointee.group = nil
      ChainletState.recycle(task)
      return true
    }
  }

  func groupItemEnded(_ group: TaskGroup, _ task: CallRef, failure: Failure?, results: Int32) {
    group.running -= 1
    let owner = group.owner
    guard owner.pointee.run.cancel == 0, owner.pointee.wait == .tasks else { return } // it does not wait any more
    if owner.pointee.run.killed == 0 { takeOutcome(group, task, failure, results) }
    // An owner that has its place in the ring, to start more items, comes round and sees for itself.
    guard owner.pointee.phase == .waiting else { return }
    if owner.pointee.run.killed != 0 {
      wake(owner, answers: 0) // a limit ends it, and so its items
    } else if group.isOver {
      finishGroup(group)
    } else if group.canStart {
      makeReady(owner)
    }
  }

  private func takeOutcome(_ group: TaskGroup, _ task: CallRef, _ failure: Failure?, _ results: Int32) {
    let (owner, stack, wasStopping) = (group.owner, task.stack, group.isStopping)
    let memory = owner.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    if let failure = failure ?? group.problem(with: stack, results, of: task) {
      itemFailed(group, task, failure)
    } else {
      keepResult(group, task, stack, results)
    }
    memory.pointee.memory.host -= 1
    if owner.state.isOutOfMemory() { endForMemory(owner) }
    if group.isStopping, !wasStopping, group.running > 0 { cancelItems(of: group, but: task) }
  }

  private func itemFailed(_ group: TaskGroup, _ task: CallRef, _ failure: Failure) {
    let waiter = group.owner.waiter
    switch group.mode {
    case .settle:
      waiter.pushTable(fields: 2)
      waiter.push(boolean: false)
      waiter.rawSet(-2, field: "ok")
      group.owner.state.failures.push(failure, onto: waiter)
      waiter.rawSet(-2, field: "error")
      waiter.rawSet(3, at: task.pointee.index)
    case .race:
      if group.winner == nil { group.lastFailure = KeptFailure(failure, in: group.owner.state) }
    default:
      if group.failure == nil { group.failure = KeptFailure(failure, in: group.owner.state) }
    }
  }

  private func keepResult(_ group: TaskGroup, _ task: CallRef, _ stack: LuaStack, _ results: Int32) {
    let waiter = group.owner.waiter
    guard group.mode != .each, !group.isStopping else { return }
    if group.mode == .timeout {
      stack.move(results, to: waiter)
      return
    }
    if results == 0 { stack.pushNil() } else if results > 1 { stack.setTop(stack.top - results + 1) }
    stack.move(1, to: waiter)
    switch group.mode {
    case .map: waiter.rawSet(3, at: task.pointee.index)
    case .settle:
      waiter.pushTable(fields: 2)
      waiter.insert(at: -2)
      waiter.rawSet(-2, field: "value")
      waiter.push(boolean: true)
      waiter.rawSet(-2, field: "ok")
      waiter.rawSet(3, at: task.pointee.index)
    case .all:
      waiter.rawGet(4, at: task.pointee.index)
      waiter.insert(at: -2)
      waiter.rawSet(3)
    case .race:
      group.winner = task.pointee.index
      waiter.replace(at: 3)
    case .each, .timeout: break
    }
  }

  private func cancelItems(of group: TaskGroup, but ended: CallRef) {
    let key = Unmanaged.passUnretained(group).toOpaque()
    var child = group.owner.pointee.run.first_child
    var items: [CallRef] = []
    while let run = child {
      let item = UnsafeMutableRawPointer(run).assumingMemoryBound(to: Call.self)
      if item != ended, item.pointee.group?.toOpaque() == key { items.append(item) }
      child = run.pointee.next
    }
    for item in items { cancel(item, Ending(code: Failure.Code.cancelled, message: "a sibling ended it")) }
  }

  private func finishGroup(_ group: TaskGroup) {
    let owner = group.owner
    let waiter = owner.waiter
    let failure = group.failure?.failure ?? (group.mode == .race && group.winner == nil ? group.raceFailure : nil)
    owner.extra.group = nil
    owner.pointee.wait = .nothing
    if let failure { return wake(owner, failure: failure) }
    let memory = owner.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    defer { memory.pointee.memory.host -= 1 }
    switch group.mode {
    case .map, .settle, .all:
      waiter.setTop(3)
      waiter.keepOnly(1)
      wake(owner, answers: 1)
    case .timeout:
      let values = waiter.top - 3
      waiter.keepOnly(values)
      wake(owner, answers: values)
    case .each:
      waiter.setTop(0)
      wake(owner, answers: 0)
    case .race:
      waiter.rawGet(4, at: group.winner ?? 1)
      waiter.push(copyOf: 3)
      waiter.keepOnly(2)
      wake(owner, answers: 2)
    }
    if owner.state.isOutOfMemory() { endForMemory(owner) }
  }
}

extension TaskGroup {
  fileprivate var raceFailure: Failure {
    lastFailure?.failure ?? Failure(code: Failure.Code.failed, message: "chain.race: there is nothing to run")
  }

  /// Why what an item returned cannot be taken.
  fileprivate func problem(with stack: LuaStack, _ results: Int32, of item: CallRef) -> Failure? {
    switch mode {
    case .map where results == 0 || stack.type(at: stack.top - results + 1) == .nil:
      Failure(code: Failure.Code.failed, message: AuthorModule.noValue(forItem: item.pointee.index))
    case .timeout: TaskGroup.tooManyResults(results, of: "chain.timeout")
    case .map, .each, .settle, .all, .race: nil
    }
  }
}
