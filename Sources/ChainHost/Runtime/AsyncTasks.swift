import ChainBase
import CLuaGuard
import LuaBridge

/// A task that `chain.async` started: how the call that owns it finds it.
final class TaskHandle {
  let id: UInt64
  /// The call that started it; it takes the task with it when it ends.
  let owner: CallRef
  /// While it runs.
  var call: CallRef?
  var isObserved = false
  var failure: Failure?
  /// Its values, a list in the state's registry, once it has ended well.
  var values: Int32?
  var waiters: [Waiter] = []
  /// Whether the script holds it still.
  var isHeld = true

  init(id: UInt64, owner: CallRef) {
    self.id = id
    self.owner = owner
  }

  /// Nobody can ask for it any more, and its failure, if it has one, was told.
  var isDone: Bool { !isHeld && call == nil && (isObserved || failure == nil) }
}

extension Lane {
  /// Starts a task for the function at `index` of a native function's stack, and pushes its handle.
  func startTask(_ stack: LuaStack, at index: Int32, by current: CallRef) {
    let owner = owningCall(current)
    let state = owner.state
    let handle = TaskHandle(id: stamp(), owner: owner)
    let task = ChainletState.take(from: state.core)
    openTask(task, under: owner)
    task.pointee.group = nil
    task.extra.handle = handle
    handle.call = task
    owner.extra.tasks[handle.id] = handle
    state.tasks[handle.id] = handle
    ChainletState.pushBody(onto: task.stack)
    stack.push(copyOf: index)
    stack.move(1, to: task.stack)
    task.pointee.run.answers = 2
    makeReady(task)
    stack.pushHandle(handle.id, metatable: state.taskMetatable)
  }

  /// Whether a run may start tasks: not once it, or the call that would own them, is being ended.
  func mayStartTasks(_ run: CallRef) -> Bool {
    let owner = owningCall(run)
    return run.pointee.run.cancel == 0 && run.pointee.run.killed == 0 && owner.pointee.run.cancel == 0 && owner.pointee.phase != .ending
  }

  /// The chainlet call (or hook) that a run is part of: tasks belong to it.
  func owningCall(_ run: CallRef) -> CallRef {
    var call = run
    while call.pointee.kind == .task, let parent = call.parent { call = parent }
    return call
  }

  private func findTask(_ call: CallRef, _ stack: LuaStack) -> TaskHandle? {
    guard let id = stack.handle(at: 1, metatable: call.state.taskMetatable) else { return nil }
    return owningCall(call).existingExtra?.tasks[id]
  }

  static let notItsTask = "this task belongs to another call; a task can be awaited only by the call that started it"

  func beginAwait(_ call: CallRef) {
    let waiter = call.waiter
    guard let task = findTask(call, waiter) else {
      return wake(call, failure: Failure(code: Failure.Code.failed, message: call.place(of: waiter) + Lane.notItsTask))
    }
    task.isObserved = true
    guard task.call != nil else { return giveTask(task, to: call) }
    call.pointee.wait = .tasks
    call.pointee.waitingSince = now
    call.extra.awaitedTask = task
    task.waiters.append(Waiter(call, ticket: stamp()))
    watchForDeadlocks()
  }

  func cancelTask(_ stack: LuaStack, by current: CallRef) -> Bool {
    guard let task = findTask(current, stack) else { return false }
    task.isObserved = true
    if let call = task.call { cancel(call, Ending(code: Failure.Code.cancelled, message: "the task was cancelled")) }
    return true
  }

  func taskEnded(_ task: TaskHandle, _ call: CallRef, failure: Failure?, results: Int32) {
    task.call = nil
    task.failure = failure
    if call.pointee.run.cancel != 0 { task.isObserved = true } // it was ended, it did not fail
    let memory = call.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    if failure == nil {
      let stack = call.stack
      stack.pushTable(array: results)
      stack.insert(at: stack.top - results)
      for position in stride(from: results, to: 0, by: -1) { stack.rawSet(stack.top - position, at: Int64(position)) }
      stack.push(integer: Int64(results))
      stack.rawSet(-2, field: "n")
      task.values = stack.keep()
    }
    memory.pointee.memory.host -= 1
    let waiters = task.waiters
    task.waiters = []
    for waiter in waiters where waiter.isWaiting { giveTask(task, to: waiter.call) }
    forgetIfDone(task, of: call.state)
  }

  /// The script has let go of a task: a call that starts one after the other keeps no pile of them.
  func taskWasCollected(_ id: UInt64, of state: ChainletState) {
    guard let task = state.tasks[id] else { return }
    task.isHeld = false
    forgetIfDone(task, of: state)
  }

  private func forgetIfDone(_ task: TaskHandle, of state: ChainletState) {
    guard task.isDone, state.tasks.removeValue(forKey: task.id) != nil else { return }
    task.owner.existingExtra?.tasks[task.id] = nil
    if let values = task.values { state.lua.main.release(values) }
  }

  private func giveTask(_ task: TaskHandle, to call: CallRef) {
    if let failure = task.failure { return wake(call, failure: failure) }
    let waiter = call.waiter
    waiter.setTop(0)
    guard let values = task.values else { return wake(call, answers: 0) }
    let memory = call.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    waiter.push(kept: values)
    waiter.rawGet(1, field: "n")
    let count = Int32(clamping: waiter.integer(at: -1))
    waiter.pop()
    if waiter.ensure(count) { for position in 0..<count { waiter.rawGet(1, at: Int64(position + 1)) } }
    waiter.keepOnly(count)
    memory.pointee.memory.host -= 1
    if call.state.isOutOfMemory() { endForMemory(call) }
    wake(call, answers: count)
  }

  /// Frees what a call's tasks left in its state.
  func forgetTasks(_ extra: CallExtra, in state: ChainletState) {
    for task in extra.tasks.values {
      state.tasks[task.id] = nil
      if let values = task.values { state.lua.main.release(values) }
    }
    extra.tasks = [:]
  }
}

// MARK: - Hooks and background work

extension Lane {
  /// At most so many functions of one chainlet run in the background, for at most so long.
  static let backgroundLimit = 64
  static let backgroundTime: UInt64 = 30_000_000_000

  /// Runs a function of a state outside of any request: `init`, `close`, background work.
  /// - Parameter push: pushes the function and its arguments, and gives their number (the function not counted).
  @discardableResult func runHook(
    _ state: ChainletState, time: UInt64, push: (LuaStack) -> Int32, returned: ((LuaStack, Int32) -> Void)? = nil,
    ended: @escaping (Failure?) -> Void
  ) -> CallRef {
    let call = ChainletState.take(from: state.core)
    call.pointee.kind = .hook
    call.pointee.request = .passUnretained(state.hooks)
    call.pointee.run.owner = 0
    call.pointee.depth = 0
    call.pointee.group = nil
    begin(call, deadline: .max)
    call.extra.hookEnded = ended
    call.extra.hookReturned = returned
    hookCalls.append(call)
    tighten(call, by: time, .hook)
    let memory = state.core.pointee.lua
    memory.pointee.memory.host += 1
    ChainletState.pushBody(onto: call.stack)
    call.pointee.run.answers = push(call.stack) + 2
    memory.pointee.memory.host -= 1
    if state.isOutOfMemory() { endForMemory(call) }
    makeReady(call)
    wakeLoop()
    return call
  }

  /// A hook has been put away.
  func hookLeft(_ call: CallRef, _ extra: CallExtra?, _ failure: Failure?) {
    hookCalls.removeAll { $0 == call }
    extra?.hookEnded?(failure)
    becameIdle()
  }
}
