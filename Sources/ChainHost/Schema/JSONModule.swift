import ChainBase
import CLuaGuard
import LuaBridge

/// `require "json"`: `encode`, `decode`, `null`, `array`. Values are those of `t.any`.
package enum JSONModule {
  static let program = SchemaProgram(ChainType(.any))

  /// How what is too large for one event is handed to whoever runs the state: by waits, where the run can wait.
  struct Pieces {
    /// What may be done at once.
    let share: CrossingLimits
    /// What the run waits for; both arguments and results lie on its stack.
    let encode, decode: Int32
  }

  /// Pushes the module's table, a new one. In a host section of the state.
  package static func push(onto stack: LuaStack, state: LuaState) throws(LuaError) {
    try push(onto: stack, state: state, nil)
  }

  static func push(onto stack: LuaStack, state: LuaState, _ pieces: Pieces?) throws(LuaError) {
    let binding = try SchemaBinding(program: program, state: state)
    stack.pushTable(fields: 4)
    func add(_ name: String, _ op: Int32? = nil, _ body: @escaping (LuaStack) -> Int32) {
      if let op { state.push(NativeFunction(body), waitingFor: op, onto: stack) } else { state.push(NativeFunction(body), onto: stack) }
      stack.rawSet(-2, field: name)
    }
    add("encode", pieces?.encode) { encode($0, binding, pieces) }
    add("decode", pieces?.decode) { decode($0, binding, pieces) }
    add("array") { array($0) }
    JSONMarks.pushNull(onto: stack)
    stack.rawSet(-2, field: "null")
  }

  private static func encode(_ stack: LuaStack, _ binding: SchemaBinding, _ pieces: Pieces?) -> Int32 {
    guard stack.top >= 1 else { return stack.fail("bad argument #1 to 'encode': value expected, got nothing") }
    let share = stack.canWait ? pieces?.share : nil
    do throws(TypeMismatch) { try encode(stack, binding, within: share, pause: nil) } catch {
      if share != nil, error.code == Failure.Code.outputLimit {
        stack.setTop(1)
        return LuaStack.waits
      }
      return stack.fail(error.message)
    }
    return 1
  }

  /// Pushes the text of the value at 1.
  static func encode(
    _ stack: LuaStack, _ binding: SchemaBinding, within share: CrossingLimits?, pause: Pace.Pause?
  ) throws(TypeMismatch) {
    let limits = CrossingLimits(direction: .output)
    var buffer = ByteBuffer()
    try JSONWriter.write(
      program, from: stack, at: 1, binding: binding, into: &buffer, limits: share.map(limits.within) ?? limits, root: "json.encode",
      pause: pause)
    stack.push(bytes: buffer.bytes)
  }

  private static func decode(_ stack: LuaStack, _ binding: SchemaBinding, _ pieces: Pieces?) -> Int32 {
    guard stack.type(at: 1) == .string else {
      return stack.fail("bad argument #1 to 'decode': string expected, got \(stack.describe(at: 1))")
    }
    if let pieces, stack.bytes(at: 1).count > pieces.share.jsonBytes, stack.canWait {
      stack.setTop(1)
      return LuaStack.waits
    }
    do throws(TypeMismatch) { try decode(stack, binding, pause: nil) } catch { return stack.fail(error.message) }
    return 1
  }

  /// Pushes the value of the text at 1.
  static func decode(_ stack: LuaStack, _ binding: SchemaBinding, pause: Pace.Pause?) throws(TypeMismatch) {
    try JSONReader.read(
      stack.bytes(at: 1), program: program, onto: stack, binding: binding, limits: CrossingLimits(), root: "json.decode", pause: pause)
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
