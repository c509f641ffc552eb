// error: with non-Sendable type 'LuaState' in a '@Sendable' closure
import LuaBridge

func elsewhere(_ state: LuaState) -> @Sendable () -> Void {
  { state.collectGarbage() }
}
