import CLuaGuard
import LuaBridge

/// A stack that belongs to no run: on it a value lies between two events of the lane.
///
/// Confined to the lane of its state.
final class Carrier {
  let stack: LuaStack
  private let state: ChainletState
  private let reference: Int32

  /// nil: the state has no room for it.
  init?(in state: ChainletState) {
    let main = state.lua.main
    state.lua.core.pointee.memory.host += 1
    defer { state.lua.core.pointee.memory.host -= 1 }
    guard main.ensure(4), let stack = main.pushCoroutine() else { return nil }
    self.stack = stack
    self.state = state
    reference = main.keep()
  }

  deinit { state.lua.main.release(reference) }
}
