import CLuaGuard

/// How much one event of a lane may take of the work of a native function.
package struct WorkShare: Sendable {
  /// Bytes that are copied and checked.
  package var bytes: Int
  /// Values, and units of a walk over them.
  package var nodes, work: Int

  package init(bytes: Int, nodes: Int, work: Int) { (self.bytes, self.nodes, self.work) = (bytes, nodes, work) }
}

/// How a native function is to do work that may be too large for one event of a lane.
package enum Stepping {
  /// Gives way to others; false: the rest is not wanted.
  package typealias Pause = () -> Bool

  /// So much, at once. Where that is not enough the function returns `LuaStack.waits`, its arguments as they were, and is
  /// called again to go in pieces.
  case share(WorkShare)
  /// With a pause now and then, in the midst of it.
  case pieces(Pause)
  /// All of it at once, since the run cannot wait where it is: what would take too long is an error.
  case whole

  package var share: WorkShare? { if case .share(let share) = self { share } else { nil } }
  package var pause: Pause? { if case .pieces(let pause) = self { pause } else { nil } }
}

/// Of one state: the native functions whose work may go in pieces.
package final class SteppedFunctions {
  /// Called with its arguments on the stack, inside a host section; returns a trampoline status.
  package typealias Body = (LuaStack, Stepping) -> Int32

  fileprivate let share: WorkShare
  fileprivate let op: Int32
  /// By the operand of their wait.
  private var bodies: [Body] = []

  /// - Parameters:
  ///   - share: what one of them may do at once.
  ///   - op: what a run waits for while one of them goes in pieces.
  package init(share: WorkShare, waitingFor op: Int32) { (self.share, self.op) = (share, op) }

  package subscript(operand: Int32) -> Body? { bodies.indices.contains(Int(operand)) ? bodies[Int(operand)] : nil }

  fileprivate func add(_ body: @escaping Body) -> Int32 {
    bodies.append(body)
    return Int32(clamping: bodies.count - 1)
  }
}

extension LuaState {
  /// Pushes a native function whose work may be too large for one event; the state keeps it. Where no lane runs the state,
  /// and so nobody waits for its events, it is done at once.
  package func push(stepped body: @escaping SteppedFunctions.Body, onto stack: LuaStack) {
    guard let stepped else { return push(NativeFunction { body($0, .whole) }, onto: stack) }
    let share = stepped.share
    push(
      NativeFunction { body($0, $0.canWait ? .share(share) : .whole) }, waitingFor: stepped.op, operand: stepped.add(body),
      onto: stack)
  }
}
