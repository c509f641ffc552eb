import ChainBase
import ChainTensors
import CLuaGuard
import LuaBridge

/// `require "tensor"`.
enum TensorModule {
  /// Pushes the module's table, a new one. In a host section of the state.
  static func push(onto stack: LuaStack, state: LuaState) {
    let functions = TensorFunctions.constructors + TensorFunctions.methods
    stack.pushTable(fields: Int32(functions.count + 1))
    for (name, body) in functions {
      state.push(NativeFunction { TensorModule.call(name, body, $0) }, onto: stack)
      stack.rawSet(-2, field: name)
    }
    pushPick(onto: stack, state: state)
    stack.rawSet(-2, field: "pick")
    stack.makeReadOnly(name: "tensor")
  }

  /// Calls `math.random` before it comes to Swift, so that a pick follows the state's seed.
  static func pushPick(onto stack: LuaStack, state: LuaState) {
    state.pushWithChance(NativeFunction { TensorModule.call("pick", TensorScores.pick, $0) }, onto: stack)
  }

  /// Runs a function for a script. What it makes may not be larger than the state has room for; when it would be, the
  /// state is collected first, and then it is out of memory.
  static func call(_ name: String, _ body: TensorFunctions.Body, _ stack: LuaStack) -> Int32 {
    guard stack.ensure(16) else { return Int32(CLG_NO_MEMORY) }
    let memory = LuaState.of(stack)
    let arguments = TensorArguments(stack: stack, name: name)
    for isLast in [false, true] {
      let room = memory.pointee.memory.limit - min(memory.pointee.memory.used, memory.pointee.memory.limit)
      do {
        return try TensorAllowance.$bytes.withValue(room) { try body(arguments) }
      } catch let failure as Failure where failure.code == Failure.Code.memoryLimit {
        if isLast { break }
        stack.collectGarbage()
      } catch let error as LuaError where error.kind == .memory {
        return Int32(CLG_NO_MEMORY)
      } catch {
        return stack.fail(message(of: error))
      }
    }
    return Int32(CLG_NO_MEMORY)
  }
}
