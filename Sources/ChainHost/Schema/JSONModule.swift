import ChainBase
import CLuaGuard
import LuaBridge

/// `require "json"`: `encode`, `decode`, `null`, `array`. Values are those of `t.any`.
package enum JSONModule {
  static let program = SchemaProgram(ChainType(.any))

  /// Pushes the module's table, a new one. In a host section of the state.
  package static func push(onto stack: LuaStack, state: LuaState) throws(LuaError) {
    // One for all of them: while one goes in pieces, no other run of the state goes on.
    let binding = try SchemaBinding(program: program, state: state)
    stack.pushTable(fields: 4)
    state.push(stepped: { encode($0, binding, $1) }, onto: stack)
    stack.rawSet(-2, field: "encode")
    state.push(stepped: { decode($0, binding, $1) }, onto: stack)
    stack.rawSet(-2, field: "decode")
    state.push(NativeFunction { array($0) }, onto: stack)
    stack.rawSet(-2, field: "array")
    JSONMarks.pushNull(onto: stack)
    stack.rawSet(-2, field: "null")
  }

  private static func encode(_ stack: LuaStack, _ binding: SchemaBinding, _ stepping: Stepping) -> Int32 {
    guard stack.top >= 1 else { return stack.fail("bad argument #1 to 'encode': value expected, got nothing") }
    let limits = CrossingLimits(direction: .output)
    var buffer = ByteBuffer()
    do throws(TypeMismatch) {
      try JSONWriter.write(
        program, from: stack, at: 1, binding: binding, into: &buffer, limits: stepping.share.map { limits.within(CrossingLimits($0)) } ?? limits,
        root: "json.encode", pause: stepping.pause)
    } catch {
      if stepping.share != nil, error.code == Failure.Code.outputLimit {
        stack.setTop(1)
        return LuaStack.waits
      }
      return stack.fail(error.message)
    }
    // Escapes make up to six bytes of one.
    guard buffer.count <= LuaState.of(stack).pointee.memory.string_limit else { return stack.failTooLong() }
    stack.push(bytes: buffer.bytes)
    return 1
  }

  private static func decode(_ stack: LuaStack, _ binding: SchemaBinding, _ stepping: Stepping) -> Int32 {
    guard stack.type(at: 1) == .string else {
      return stack.fail("bad argument #1 to 'decode': string expected, got \(stack.describe(at: 1))")
    }
    if let share = stepping.share, stack.bytes(at: 1).count > CrossingLimits(share).jsonBytes {
      stack.setTop(1)
      return LuaStack.waits
    }
    do throws(TypeMismatch) {
      try JSONReader.read(
        stack.bytes(at: 1), program: program, onto: stack, binding: binding, limits: CrossingLimits(), root: "json.decode",
        pause: stepping.pause)
    } catch { return stack.fail(error.message) }
    return 1
  }

  /// Marks a table, or a new one, as an array: written as `[]` even when it is empty.
  private static func array(_ stack: LuaStack) -> Int32 {
    let type = stack.type(at: 1)
    if type == .none || type == .nil {
      stack.setTop(0)
      stack.pushTable()
    }
    guard stack.type(at: 1) == .table else {
      return stack.fail("bad argument #1 to 'array': table expected, got \(stack.describe(at: 1))")
    }
    stack.setTop(1)
    JSONMarks.pushArrayMark(onto: stack)
    if stack.pushMetatable(of: 1) {
      guard stack.rawEqual(-1, -2) else { return stack.fail("bad argument #1 to 'array': the table has a metatable of its own") }
    } else {
      stack.setMetatable(of: 1)
    }
    stack.setTop(1)
    return 1
  }
}
