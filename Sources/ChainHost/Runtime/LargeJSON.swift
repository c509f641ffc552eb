import ChainBase
import LuaBridge

/// `json.encode` and `json.decode` of what is too large for one event.
extension Lane {
  /// To the author this is no wait: no other run of the state goes on before this one does.
  func beginJSON(_ call: CallRef) {
    let (state, stack) = (call.state, call.waiter)
    let encodes = call.pointee.run.op == Op.encode.rawValue
    guard let own = OwnLink(JSONModule.program, state.lua) else { return jsonEnded(call, nil, isOutOfMemory: true) }
    var problem: TypeMismatch?
    crossInPieces(call, holding: state.core, writing: state.core, staysHeld: true) { pause in
      let binding = own.link.binding.takeUnretainedValue()
      do throws(TypeMismatch) {
        if encodes {
          try JSONModule.encode(stack, binding, within: nil, pause: pause)
        } else {
          try JSONModule.decode(stack, binding, pause: pause)
        }
      } catch { problem = error }
    } ended: { [unowned self] isOutOfMemory in jsonEnded(call, problem, isOutOfMemory: isOutOfMemory) }
  }

  private func jsonEnded(_ call: CallRef, _ problem: TypeMismatch?, isOutOfMemory: Bool) {
    if isOutOfMemory { return wakeWithoutMemory(call) }
    if let problem { return wake(call, problem: problem.message) }
    call.waiter.remove(at: 1)
    wake(call, answers: 1)
  }
}

extension Lane {
  /// A wait is over with an error at the author's line.
  func wake(_ call: CallRef, problem: String) {
    let stack = call.waiter
    call.pointee.core.pointee.lua.pointee.memory.host += 1
    let message = call.place(of: stack) + problem
    stack.setTop(0)
    stack.push(text: message)
    call.pointee.core.pointee.lua.pointee.memory.host -= 1
    wake(call, answers: 1, failed: true)
  }

  /// A wait is over because its state has no room for what it comes to.
  func wakeWithoutMemory(_ call: CallRef) {
    call.waiter.setTop(0)
    endForMemory(call)
    wake(call, answers: 0)
  }
}
