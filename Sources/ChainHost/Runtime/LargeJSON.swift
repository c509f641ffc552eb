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
    let (state, stack) = (call.state, call.waiter)
    if isOutOfMemory {
      stack.setTop(0)
      endForMemory(call)
      return wake(call, answers: 0)
    }
    guard let problem else {
      stack.remove(at: 1)
      return wake(call, answers: 1)
    }
    state.core.pointee.lua.pointee.memory.host += 1
    let message = call.place(of: stack) + problem.message
    stack.setTop(0)
    stack.push(text: message)
    state.core.pointee.lua.pointee.memory.host -= 1
    wake(call, answers: 1, failed: true)
  }
}
