import ChainBase
import CLuaGuard
import LuaBridge

/// What a run can wait for, by the `op` of the function in which it waits.
enum Op: Int32 {
  case call, sleep, map, each, settle, all, race, timeout, await, emit, nextItem, result, lock, native, nextNative, encode, decode
}

extension Lane {
  /// A run has stopped in a waiting function.
  @inline(__always) func beginWait(_ call: CallRef) {
    call.pointee.phase = .waiting
    if call.pointee.run.cancel == 0, call.pointee.run.op == Op.call.rawValue { return beginCall(call) }
    beginOtherWait(call)
  }

  private func beginOtherWait(_ call: CallRef) {
    guard call.pointee.run.cancel == 0 else {
      if !call.hasChildren { unwind(call) }
      return
    }
    switch Op(rawValue: call.pointee.run.op) {
    case .call: beginCall(call)
    case .sleep: beginSleep(call)
    case .map: beginGroup(call, .map)
    case .each: beginGroup(call, .each)
    case .settle: beginGroup(call, .settle)
    case .all: beginGroup(call, .all)
    case .race: beginGroup(call, .race)
    case .timeout: beginTimeout(call)
    case .await: beginAwait(call)
    case .emit: beginEmit(call)
    case .nextItem: beginNextItem(call)
    case .result: beginResult(call)
    case .lock: beginLock(call)
    case .native: beginNative(call)
    case .nextNative: beginNextNative(call)
    case .encode, .decode: beginJSON(call)
    case nil where call.pointee.run.op == TensorModule.op: beginTensor(call)
    case nil: wake(call, failure: Failure(code: Failure.Code.failed, message: "a wait that the host does not know"))
    }
  }

  private func beginSleep(_ call: CallRef) {
    let waiter = call.waiter
    guard waiter.type(at: 1) == .number, waiter.number(at: 1) >= 0 else {
      let message = call.place(of: waiter) + "chain.sleep: expected seconds of at least 0, got \(waiter.describe(at: 1))"
      return wake(call, failure: Failure(code: Failure.Code.failed, message: message))
    }
    let time = nanoseconds(waiter.number(at: 1))
    waiter.setTop(0)
    call.pointee.wait = .time
    call.pointee.ticket = stamp()
    wakeLater(call, at: time > .max - now ? .max : now &+ time)
  }

  /// The time of a wait has come.
  func timeCame(_ call: CallRef) {
    guard call.pointee.phase == .waiting else { return }
    wake(call, answers: 0)
  }
}

extension UnsafeMutablePointer where Pointee == Call {
  /// "graph.lua:7: " of the Lua line that waits.
  func place(of waiter: LuaStack) -> String { waiter.place(level: 1) }
}

// MARK: - Locks

/// `chain.mutex()`: one holder at a time among the runs of one state, in order of asking. It lives as long as Lua, or
/// somebody who holds it or waits for it, refers to it.
final class Lock: @unchecked Sendable {
  // Unchecked: it belongs to one state, and so to one lane's thread.
  static let userdata = LuaUserdata<Lock>(name: "mutex", methods: { $0.addWait("lock", op: Op.lock.rawValue) })

  var holder: UInt64?
  var holderCall: CallRef?
  var waiting: [Waiter] = []

  func forget(_ call: CallRef) { waiting.removeAll { $0.call == call } }
}

extension Lane {
  func beginLock(_ call: CallRef) {
    let waiter = call.waiter
    guard let lock = Lock.userdata.object(waiter, at: 1) else {
      return wake(call, failure: Failure(
        code: Failure.Code.failed, message: call.place(of: waiter) + "lock: expected a mutex; write local held <close> = mutex:lock()"))
    }
    waiter.setTop(1)
    guard lock.holder != nil else { return take(lock, call) }
    call.pointee.wait = .lock
    call.pointee.waitingSince = now
    call.extra.awaited = lock
    lock.waiting.append(Waiter(call, ticket: stamp()))
    watchForDeadlocks()
  }

  private func take(_ lock: Lock, _ call: CallRef) {
    let waiter = call.waiter
    waiter.setTop(0)
    let held = stamp()
    lock.holder = held
    lock.holderCall = call
    call.extra.locks.append(lock)
    let memory = call.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    waiter.pushHandle(held, metatable: call.state.heldMetatable)
    memory.pointee.memory.host -= 1
    call.state.heldLocks[held] = lock
    wake(call, answers: 1)
  }

  /// The `<close>` variable of a lock has ended, or its call has.
  func release(_ lock: Lock, in state: ChainletState) {
    if let held = lock.holder { state.heldLocks[held] = nil }
    if let holder = lock.holderCall { holder.existingExtra?.locks.removeAll { $0 === lock } }
    lock.holder = nil
    lock.holderCall = nil
    while !lock.waiting.isEmpty {
      let next = lock.waiting.removeFirst()
      if next.isWaiting {
        next.call.extra.awaited = nil
        return take(lock, next.call)
      }
    }
  }

  func unlock(_ stack: LuaStack, by current: CallRef) {
    let state = current.state
    if let held = stack.handle(at: 1, metatable: state.heldMetatable), let lock = state.heldLocks[held] {
      release(lock, in: state)
    }
  }
}
