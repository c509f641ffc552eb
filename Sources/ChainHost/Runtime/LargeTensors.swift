import ChainBase
import LuaBridge

/// Tensor functions that are too much work for one event.
extension Lane {
  /// To the author this is no wait: no other run of the state goes on before this one does.
  func beginTensor(_ call: CallRef) {
    let (state, stack, place) = (call.state, call.waiter, Int(call.pointee.run.operand))
    var outcome = TensorModule.Outcome.unwanted
    crossInPieces(call, holding: state.core, writing: state.core, staysHeld: true) { pause in
      outcome = TensorModule.attempt(place, stack, work: .max, pause: pause)
    } ended: { [unowned self] isOutOfMemory in tensorEnded(call, isOutOfMemory ? .noMemory : outcome) }
  }

  private func tensorEnded(_ call: CallRef, _ outcome: TensorModule.Outcome) {
    switch outcome {
    case .results(let count):
      call.waiter.keepOnly(count)
      wake(call, answers: count)
    case .wrong(let message): wake(call, problem: message)
    case .noMemory, .tooMuchWork, .unwanted: wakeWithoutMemory(call)
    }
  }
}
