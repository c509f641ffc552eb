import ChainBase
import CLuaGuard
import LuaBridge

/// A task that `chain.async` started: how the call that owns it finds it.
final class TaskHandle: Charged {
  let id: UInt64
  /// The call that started it; it takes the task with it when it ends.
  let owner: CallRef
  /// While it runs.
  var call: CallRef?
  var isObserved = false
  var failure: KeptFailure?
  /// In the state's registry: its values, a list, once it has ended well; or its failure, once somebody has awaited that.
  var kept: Int32?
  var waiters = WaitLine()
  /// Whether the script holds it still.
  var isHeld = true
  /// About what it takes.
  private static let weight = 256

  init(id: UInt64, owner: CallRef) {
    self.id = id
    self.owner = owner
    super.init(TaskHandle.weight, to: owner.state.lua)
  }

  /// It has ended, and nobody can ask for it any more.
  var isDone: Bool { !isHeld && call == nil }
}

extension TaskGroup {
  /// How many values a task, or a function with a timeout, may return.
  static let mostResults: Int32 = 250

  static func tooManyResults(_ results: Int32, of what: String) -> Failure? {
    guard results > mostResults else { return nil }
    return Failure(
      code: Failure.Code.failed, message: "\(what): expected at most \(mostResults) results, got \(results); return them in a table")
  }
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
    task.waiters.add(Waiter(call, ticket: stamp()))
    watchForDeadlocks()
  }

  func cancelTask(_ stack: LuaStack, by current: CallRef) -> Bool {
    guard let task = findTask(current, stack) else { return false }
    task.isObserved = true
    if let call = task.call { cancel(call, Ending(code: Failure.Code.cancelled, message: "the task was cancelled")) }
    return true
  }

  func taskEnded(_ task: TaskHandle, _ call: CallRef, failure: Failure?, results: Int32) {
    if call.pointee.run.cancel != 0 { task.isObserved = true } // it was ended, it did not fail
    let stack = call.stack
    let memory = call.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    if let failure = failure ?? TaskGroup.tooManyResults(results, of: "chain.async") {
      task.failure = KeptFailure(failure, in: call.state)
    } else if stack.ensure(4) {
      stack.pushTable(array: results)
      stack.insert(at: stack.top - results)
      for position in stride(from: results, to: 0, by: -1) { stack.rawSet(stack.top - position, at: Int64(position)) }
      stack.push(integer: Int64(results))
      stack.rawSet(-2, field: "n")
      task.kept = stack.keep()
    }
    memory.pointee.memory.host -= 1
    task.call = nil // only now: the collector may look at it meanwhile
    // Each takes its values when its turn comes: they may be many, and large.
    while let waiter = task.waiters.popFirst() { makeReady(waiter) }
    forgetIfDone(task, of: call.state)
  }

  /// The turn of a call whose awaited task has ended; false when the call itself is to go on.
  func takeAwaited(_ call: CallRef, _ extra: CallExtra) -> Bool {
    guard let task = extra.awaitedTask else { return false }
    extra.awaitedTask = nil
    guard call.pointee.run.cancel == 0 else { return false }
    let begun = now
    giveTask(task, to: call)
    now = environmentNow()
    clg_charge(call.raw, now &- begun) // its own work
    return true
  }

  /// The script has let go of a task: a call that starts one after the other keeps no pile of them.
  func taskWasCollected(_ id: UInt64, of state: ChainletState) {
    guard let task = state.tasks[id] else { return }
    task.isHeld = false
    forgetIfDone(task, of: state)
  }

  private func forgetIfDone(_ task: TaskHandle, of state: ChainletState) {
    guard task.isDone, state.tasks.removeValue(forKey: task.id) != nil else { return }
    let extra = task.owner.extra
    extra.tasks[task.id] = nil
    if let kept = task.kept { state.lua.main.release(kept) }
    if !task.isObserved, let failure = task.failure, task.id < extra.lostFailure?.task ?? .max { extra.lostFailure = (task.id, failure) }
  }

  private func giveTask(_ task: TaskHandle, to call: CallRef) {
    call.pointee.wait = .nothing
    let waiter = call.waiter
    waiter.setTop(0)
    let memory = call.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    let answers = waiter.ensure(TaskGroup.mostResults + 24) ? pushOutcome(of: task, onto: waiter, call.state) : 0
    memory.pointee.memory.host -= 1
    guard !call.state.isOutOfMemory() else { // and what did not fit goes at once: others may wait for the same
      waiter.setTop(0)
      endForMemory(call)
      return wake(call, answers: 0)
    }
    wake(call, answers: answers, failed: task.failure != nil)
  }

  /// All that await a task which failed get the same failure.
  private func pushOutcome(of task: TaskHandle, onto stack: LuaStack, _ state: ChainletState) -> Int32 {
    if let kept = task.failure {
      if let known = task.kept {
        stack.push(kept: known)
      } else {
        state.failures.push(kept.failure, onto: stack)
        if state.tasks[task.id] != nil { // else it has been collected meanwhile
          stack.push(copyOf: -1)
          task.kept = stack.keep()
        }
      }
      return 1
    }
    guard let values = task.kept else { return 0 }
    stack.push(kept: values)
    stack.rawGet(1, field: "n")
    let count = min(Int32(clamping: stack.integer(at: -1)), TaskGroup.mostResults)
    stack.pop()
    for position in 0..<count { stack.rawGet(1, at: Int64(position + 1)) }
    stack.keepOnly(count)
    return count
  }

  /// Frees what a call's tasks left in its state.
  func forgetTasks(_ extra: CallExtra, in state: ChainletState) {
    for task in extra.tasks.values {
      state.tasks[task.id] = nil
      if let kept = task.kept { state.lua.main.release(kept) }
    }
    extra.tasks = [:]
  }
}

// MARK: - Hooks and background work

extension Lane {
  /// At most so many functions of one chainlet run in the background, for at most so long.
  static let backgroundLimit = 64
  static let backgroundTime: UInt64 = 30_000_000_000

  /// What work in the background starts there itself has what is left of its time and CPU: no chain of it goes on for ever.
  func runInBackground(
    _ state: ChainletState, startedBy call: CallRef, push: (LuaStack) -> Int32, ended: @escaping (Failure?) -> Void
  ) {
    let starter = call.pointee.request.takeUnretainedValue()
    let end = starter.backgroundEnd ?? moment(Lane.backgroundTime, after: now)
    let work = runHook(state, time: end - min(now, end), push: push, ended: ended)
    work.pointee.request.takeUnretainedValue().backgroundEnd = end
    if starter.backgroundEnd != nil { work.pointee.run.cpu_left = min(work.pointee.run.cpu_left, clg_cpu_left(call.raw)) }
  }

  /// Runs a function of a state outside of any request from outside: `init`, `close`, background work.
  /// - Parameter push: pushes the function and its arguments, and gives their number (the function not counted).
  @discardableResult func runHook(
    _ state: ChainletState, time: UInt64, push: (LuaStack) -> Int32, returned: ((LuaStack, Int32) -> Void)? = nil,
    ended: @escaping (Failure?) -> Void
  ) -> CallRef {
    let call = ChainletState.take(from: state.core)
    call.pointee.kind = .hook
    let request = Request.outside(taskLimit: state.taskLimit)
    request.servant = state
    call.extra.request = request
    call.pointee.request = .passUnretained(request)
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
