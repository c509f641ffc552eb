import ChainBase
import CLuaGuard
import LuaBridge

/// Native functions whose work is too large for one event.
extension Lane {
  /// What such a function may do at once.
  var workShare: WorkShare { WorkShare(bytes: share.bytes, nodes: share.nodes, work: share.work) }

  /// As many slots as Lua itself gives a native function.
  private static let slotsOfStepped: Int32 = 20

  func beginStepped(_ call: CallRef) {
    guard let body = call.state.lua.stepped?[call.pointee.run.operand] else {
      return wake(call, failure: Failure(code: Failure.Code.failed, message: "a function that the host does not know"))
    }
    goInPieces(call, body)
  }

  func beginTensor(_ call: CallRef) {
    let place = Int(call.pointee.run.operand)
    goInPieces(call) { TensorModule.call(place, $0, $1) }
  }

  /// To the author this is no wait: no other run of the state goes on before this one does.
  private func goInPieces(_ call: CallRef, _ body: @escaping SteppedFunctions.Body) {
    let (state, stack) = (call.state, call.waiter)
    var status: Int32 = 0
    crossInPieces(call, holding: state.core, writing: state.core, staysHeld: true) { pause in
      status = stack.ensure(Lane.slotsOfStepped) ? body(stack, .pieces(pause)) : Int32(CLG_NO_MEMORY)
    } ended: { [unowned self] isOutOfMemory in
      // Its time may have ended the work early.
      let limit = isOutOfMemory || status == Int32(CLG_NO_MEMORY) ? CLG_MEMORY : clg_cpu_left(call.raw) == 0 ? CLG_CPU : nil
      if let limit { end(call, at: limit) }
      let answers = limit != nil ? 0 : status == Int32(CLG_ERROR) ? 1 : max(0, status)
      stack.keepOnly(answers)
      wake(call, answers: answers, failed: limit == nil && status == Int32(CLG_ERROR))
    }
  }
}
