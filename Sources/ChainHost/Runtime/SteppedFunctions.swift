import ChainBase
import CLuaGuard
import LuaBridge

/// How a native function is to do work that may be too large for one event of a lane.
enum Stepping {
  /// So much, at once. Where that is not enough the function returns `LuaStack.waits`, its arguments as they were, and is
  /// called again to go in pieces.
  case share(CrossingLimits)
  /// With a pause now and then, in the midst of it; when that says false, the rest is not wanted.
  case pieces(Pace.Pause)
  /// All of it at once, since the run cannot wait where it is: what would take too long is an error.
  case whole

  var share: CrossingLimits? { if case .share(let share) = self { share } else { nil } }
  var pause: Pace.Pause? { if case .pieces(let pause) = self { pause } else { nil } }
}

/// Of one state: the native functions whose work may go in pieces, by the operand of their wait.
final class SteppedFunctions {
  /// Called with its arguments on the stack, inside a host section; returns a trampoline status.
  typealias Body = (LuaStack, Stepping) -> Int32

  /// What one of them may do at once.
  fileprivate let share: CrossingLimits
  fileprivate var bodies: [Body] = []

  init(share: CrossingLimits) { self.share = share }
}

extension LuaState {
  /// Pushes a native function whose work may be too large for one event; the state keeps it. Where no lane runs the state,
  /// and so nobody waits for its events, it is done at once.
  func push(stepped body: @escaping SteppedFunctions.Body, onto stack: LuaStack) {
    guard let stepped = companion as? SteppedFunctions else { return push(NativeFunction { body($0, .whole) }, onto: stack) }
    let share = stepped.share
    push(
      NativeFunction { body($0, $0.canWait ? .share(share) : .whole) }, waitingFor: Op.stepped.rawValue,
      operand: Int32(clamping: stepped.bodies.count), onto: stack)
    stepped.bodies.append(body)
  }
}

extension Lane {
  /// A native function has found its work too large for one event. To the author this is no wait: no other run of the state
  /// goes on before this one does.
  func beginStepped(_ call: CallRef) {
    let (state, stack) = (call.state, call.waiter)
    guard let stepped = state.lua.companion as? SteppedFunctions, stepped.bodies.indices.contains(Int(call.pointee.run.operand)) else {
      return wake(call, failure: Failure(code: Failure.Code.failed, message: "a function that the host does not know"))
    }
    let body = stepped.bodies[Int(call.pointee.run.operand)]
    var status: Int32 = 0
    crossInPieces(call, holding: state.core, writing: state.core, staysHeld: true) { pause in
      status = stack.ensure(Lane.slotsOfStepped) ? body(stack, .pieces(pause)) : Int32(CLG_NO_MEMORY)
    } ended: { [unowned self] isOutOfMemory in
      if isOutOfMemory || status == Int32(CLG_NO_MEMORY) {
        stack.setTop(0)
        endForMemory(call)
        return wake(call, answers: 0)
      }
      let answers = max(status, status == Int32(CLG_ERROR) ? 1 : 0)
      stack.keepOnly(answers)
      wake(call, answers: answers, failed: status == Int32(CLG_ERROR))
    }
  }

  /// As many as Lua itself gives a native function.
  private static let slotsOfStepped: Int32 = 20
}
