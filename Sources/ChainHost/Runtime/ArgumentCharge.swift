import CLuaGuard
import LuaBridge

/// What native work holds of its arguments: part of what the state that gave them uses until the work has ended, whatever
/// became of the call that waits for it.
///
/// On the lane's thread alone.
final class ArgumentCharge {
  /// Weakly: work that does not come back must not keep a state that has ended.
  private weak var lua: LuaState?
  private let copied: Int
  private let shared: [SharedMemory]

  /// Less is not worth the counting.
  private static let least = 4096

  /// Nil: it is little.
  init?(_ taken: TakenArguments, to lua: LuaState) {
    guard taken.bytes >= ArgumentCharge.least else { return nil }
    let state = lua.core
    state.pointee.memory.host += 1
    clg_charge_bytes(state, taken.copied)
    shared = taken.shared.filter { clg_charge_shared(state, $0.address, $0.bytes) != 0 }
    state.pointee.memory.host -= 1
    copied = taken.copied
    self.lua = lua
  }

  func end() {
    guard let lua else { return }
    for memory in shared { clg_discharge_shared(lua.core, memory.address) }
    clg_discharge(lua.core, copied)
    self.lua = nil
  }
}
