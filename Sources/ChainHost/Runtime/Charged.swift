import CLuaGuard
import LuaBridge

/// What the host keeps for a script: its bytes are part of what the script's state uses, and so of its limit, as long as it
/// lives. It is made and let go on the thread of that state.
class Charged {
  private var state: LuaState?
  private var bytes = 0

  init(_ bytes: Int, to state: LuaState?) { charge(bytes, to: state) }

  /// Charges this state instead; nil: none.
  final func charge(_ bytes: Int, to state: LuaState?) {
    discharge()
    guard let state else { return }
    self.state = state
    self.bytes = max(0, bytes)
    state.core.pointee.memory.host += 1
    clg_charge_bytes(state.core, self.bytes)
    state.core.pointee.memory.host -= 1
  }

  private func discharge() {
    if let state { clg_discharge(state.core, bytes) }
    state = nil
  }

  deinit { discharge() }
}
