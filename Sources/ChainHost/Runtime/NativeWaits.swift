import ChainBase
import CLuaGuard
import LuaBridge

/// Swift's async functions and Lua's coroutines wait for each other: the rim of a lane.
extension Lane {
  /// A chainlet waits in an async primitive; its arguments are on its stack.
  func beginNative(_ call: CallRef) {
    let function = call.state.module.waiting[Int(call.pointee.run.operand)]
    beginNative(call, counter: function.counter) { try function.begin($0, call) }
  }

  /// - Parameter begin: reads the arguments and gives the work that is left.
  func beginNative(_ call: CallRef, counter: NativeCounter, _ begin: (LuaStack) throws -> NativeWork) {
    let waiter = call.waiter
    counter.began()
    let work: NativeWork
    let lua = call.state.lua
    lua.startNoting()
    do {
      work = try begin(waiter)
    } catch {
      _ = lua.stopNoting()
      return wake(call, failure: failure(from: error, of: call, waiter))
    }
    let taken = lua.stopNoting()
    waiter.setTop(0)
    let charge = taken.flatMap { ArgumentCharge($0, to: lua) }
    if charge != nil, call.state.isOutOfMemory() {
      charge?.end()
      endForMemory(call)
      return wake(call, answers: 0)
    }
    call.pointee.wait = .native
    let answer = NativeAnswer(lane: self, call: call, ticket: stamp(), counter: counter, charge: charge, began: now)
    call.pointee.ticket = answer.ticket
    let running = nativeTasks.start {
      do {
        let push = try await work()
        answer.give(.success(push))
      } catch { answer.give(.failure(error)) }
    }
    // It may have ended already, and the memory of the call may be in use for another.
    guard call.pointee.ticket == answer.ticket else { return }
    call.extra.cancelNative = {
      counter.cancelled()
      running.cancel()
    }
  }

  fileprivate func nativeEnded(_ call: CallRef, _ result: Result<NativeAnswer.Push, any Error>) {
    call.pointee.extra?.takeUnretainedValue().cancelNative = nil
    let waiter = call.waiter
    let memory = call.pointee.core.pointee.lua
    memory.pointee.memory.host += 1
    do {
      guard waiter.ensure(16) else { throw LuaError(.memory, "stack overflow") }
      let answers = try result.get()(waiter)
      memory.pointee.memory.host -= 1
      if call.state.isOutOfMemory() { endForMemory(call) }
      wake(call, answers: answers)
    } catch {
      memory.pointee.memory.host -= 1
      wake(call, failure: failure(from: error, of: call, waiter))
    }
  }

  private func failure(from error: any Error, of call: CallRef, _ waiter: LuaStack) -> Failure {
    switch error {
    case let failure as Failure: failure
    case let error as LuaError: Failure(code: Failure.Code.failed, message: call.place(of: waiter) + error.message)
    case is CancellationError: Failure(code: Failure.Code.cancelled, message: "a primitive was cancelled")
    default: Failure(code: Failure.Code.failed, message: call.place(of: waiter) + String(describing: error))
    }
  }
}

/// The way back of an async primitive. It may be sent because the call is only touched on its lane.
private struct NativeAnswer: @unchecked Sendable {
  typealias Push = @Sendable (LuaStack) throws -> Int32
  let lane: Lane
  let call: CallRef
  let ticket: UInt64
  let counter: NativeCounter
  let charge: ArgumentCharge?
  /// When its wait began.
  let began: UInt64

  func give(_ result: Result<NativeAnswer.Push, any Error>) { lane.comeBack { finish(result) } }

  private func finish(_ result: Result<NativeAnswer.Push, any Error>) {
    charge?.end()
    guard call.pointee.ticket == ticket, call.pointee.phase == .waiting else { return } // cancelled since
    if case .failure = result { counter.ended(after: lane.environmentNow() &- began, failed: true) } else {
      counter.ended(after: lane.environmentNow() &- began, failed: false)
    }
    lane.nativeEnded(call, result)
  }
}
