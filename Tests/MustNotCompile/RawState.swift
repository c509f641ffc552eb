// error: 'L' is inaccessible
import LuaBridge

/// With the raw state in hand a function that raises could be called over Swift frames.
func raw(_ stack: borrowing LuaStack) {
  _ = stack.L
}
