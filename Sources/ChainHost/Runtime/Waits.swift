import ChainBase
import CLuaGuard
import LuaBridge

/// What a run can wait for, by the `op` of the function in which it waits.
enum Op: Int32 {
  case call, sleep, map, each, settle, all, race, timeout, await, emit, nextItem, result, lock, native, nextNative, stepped
  /// Known to `TensorModule`, which lies below.
  case tensor = 255
}

extension Lane {
  /// A run has stopped in a waiting function.
  @inline(__always) func beginWait(_ call: CallRef) {
    call.pointee.phase = .waiting
    if call.pointee.run.cancel == 0, call.pointee.run.op == Op.call.rawValue { return beginCall(call) }
    beginOtherWait(call)
  }

  private func beginOtherWait(_ call: CallRef) {
    let serial = call.pointee.serial
    defer { charge(call, serial: serial) }
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
    case .stepped: beginStepped(call)
    case .tensor: beginTensor(call)
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
    wakeLater(call, at: moment(time, after: now))
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
