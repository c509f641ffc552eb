import ChainBase
import CLuaGuard
import LuaBridge

/// `chain.mutex()`: one holder at a time among the runs of one state, in order of asking. It lives as long as Lua, or
/// somebody who holds it or waits for it, refers to it.
final class Lock: @unchecked Sendable {
  // Unchecked: it belongs to one state, and so to one lane's thread.
  static let userdata = LuaUserdata<Lock>(name: "mutex", own: 128, methods: { $0.addWait("lock", op: Op.lock.rawValue) })

  fileprivate(set) var holder: CallRef?
  /// Counts its holders: the end of an earlier one says nothing.
  fileprivate var turn: UInt64 = 0
  /// Its place among the locks of its holder.
  fileprivate var position = 0
  fileprivate var waiting = WaitLine()
}

/// What `mutex:lock()` gives: one turn of a lock, over when it is released or its `<close>` variable ends.
private final class HeldLock: @unchecked Sendable {
  // Unchecked: as `Lock`.
  static let userdata = LuaUserdata<HeldLock>(name: "lock", methods: { methods in
    methods.meta("__close", release)
    methods.add("release", release)
  })

  let lock: Lock
  let turn: UInt64

  init(_ lock: Lock) {
    self.lock = lock
    turn = lock.turn
  }

  private static func release(_ held: HeldLock, _: LuaStack) -> Int32 {
    if held.turn == held.lock.turn, let holder = held.lock.holder { holder.state.lane.release(held.lock, of: holder) }
    return 0
  }
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
    lock.waiting.add(Waiter(call, ticket: stamp()))
    watchForDeadlocks()
  }

  private func take(_ lock: Lock, _ call: CallRef) {
    let (waiter, extra) = (call.waiter, call.extra)
    waiter.setTop(0)
    lock.holder = call
    lock.turn += 1
    lock.position = extra.locks.count
    extra.locks.append(lock)
    call.state.heldLocks += 1
    let memory = call.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    HeldLock.userdata.push(HeldLock(lock), onto: waiter)
    memory.pointee.memory.host -= 1
    wake(call, answers: 1)
  }

  fileprivate func release(_ lock: Lock, of holder: CallRef) {
    let extra = holder.extra
    let last = extra.locks.removeLast()
    if last !== lock { // it takes the place that is free
      extra.locks[lock.position] = last
      last.position = lock.position
    }
    pass(lock, from: holder)
  }

  /// What a call still holds at its end.
  func releaseLocks(of call: CallRef, _ extra: CallExtra) {
    let locks = extra.locks
    extra.locks = []
    for lock in locks { pass(lock, from: call) }
  }

  private func pass(_ lock: Lock, from holder: CallRef) {
    holder.state.heldLocks -= 1
    lock.holder = nil
    guard let next = lock.waiting.popFirst() else { return }
    next.extra.awaited = nil
    take(lock, next)
  }
}
