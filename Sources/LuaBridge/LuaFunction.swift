import CLua
import CLuaGuard

/// A Lua function that Swift holds. It keeps its state alive; the state's thread only.
public final class LuaFunction: LuaPushable, LuaReadable {
  let state: LuaState
  let reference: Int32

  package init(kept reference: Int32, in state: LuaState) {
    self.reference = reference
    self.state = state
  }

  deinit { state.main.release(reference) }

  public static var expected: String { "function" }
  public func push(to stack: borrowing LuaStack) throws(LuaError) { stack.push(kept: reference) }
  public static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> LuaFunction {
    guard stack.type(at: index) == .function else { throw mismatch(stack, index) }
    guard let owner = LuaState.of(stack).pointee.owner else { throw LuaError(.runtime, "this state holds no functions for Swift") }
    stack.push(copyOf: index)
    return LuaFunction(kept: stack.keep(), in: Unmanaged<LuaState>.fromOpaque(owner).takeUnretainedValue())
  }

  /// Calls it and reads its first result: `let three: Int = try add.call(1, 2)`.
  /// - Throws: what the function raised, with the stack of Lua calls; a memory error; or a result of another type.
  public func call<each Argument: LuaPushable, Result: LuaReadable>(_ argument: repeat each Argument) throws(LuaError) -> Result {
    var count: Int32 = 0
    try state.hostSection { stack throws(LuaError) in
      stack.push(kept: reference)
      for argument in repeat each argument {
        try argument.push(to: stack)
        count += 1
      }
    }
    try state.call(arguments: count, results: 1)
    return try state.hostSection { stack throws(LuaError) in
      defer { stack.pop() }
      return try Result.read(from: stack, at: -1)
    }
  }
}

// MARK: - Swift functions for Lua

/// What Lua calls: a Swift closure behind a C trampoline. It returns a trampoline status and never lets an error out.
package final class NativeFunction {
  let body: (LuaStack) -> Int32
  package init(_ body: @escaping (LuaStack) -> Int32) { self.body = body }

  static let entry: clg_function = { L, context in
    guard let L, let context else { return 0 }
    return Unmanaged<NativeFunction>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.body(LuaStack(L)) }
  }
}

/// A method of an object that outlives the state's code, as Lua calls it: nothing is made for it but Lua's own closure.
/// ```swift
/// static let double: NativeMethod = { NativeMethods.call($0, $1, on: Counter.self) { $0.double($1) } }
/// ```
package typealias NativeMethod = clg_function

package enum NativeMethods {
  @inline(__always) package static func call<Object: AnyObject>(
    _ L: OpaquePointer?, _ object: UnsafeMutableRawPointer?, on _: Object.Type, _ method: (Object, LuaStack) -> Int32
  ) -> Int32 {
    guard let L, let object else { return 0 }
    return Unmanaged<Object>.fromOpaque(object)._withUnsafeGuaranteedRef { method($0, LuaStack(L)) }
  }
}

extension LuaStack {
  /// Pushes a method of `object`, which somebody else must keep.
  package func push(_ method: NativeMethod, of object: AnyObject) {
    clg_push_function(L, method, Unmanaged.passUnretained(object).toOpaque())
  }
}

extension LuaState {
  /// Pushes a native function; the state keeps it.
  package func push(_ function: NativeFunction, onto stack: LuaStack) {
    own(function)
    clg_push_function(stack.L, NativeFunction.entry, Unmanaged.passUnretained(function).toOpaque())
  }

  /// As `push`, of a function whose body may return `LuaStack.waits`: the run then waits for `op`, its arguments on its
  /// stack.
  package func push(_ function: NativeFunction, waitingFor op: Int32, operand: Int32 = 0, onto stack: LuaStack) {
    own(function)
    clg_push_waiting_function(stack.L, NativeFunction.entry, Unmanaged.passUnretained(function).toOpaque(), op, operand)
  }

  /// As that, of a function that finds a `math.random()` behind its arguments.
  package func pushWithChance(_ function: NativeFunction, waitingFor op: Int32, operand: Int32 = 0, onto stack: LuaStack) {
    own(function)
    clg_push_with_chance(stack.L, NativeFunction.entry, Unmanaged.passUnretained(function).toOpaque(), op, operand)
  }

  /// Gives scripts a Swift function as a global: `try lua.register("add") { (a: Double, b: Double) in a + b }`.
  ///
  /// A wrong call is an error in Lua, with the place of the call: `bad argument #2 to 'add': number expected, got
  /// string ("7")`. What `body` throws becomes a Lua error too.
  @inlinable public func register<each Argument: LuaReadable, Result: LuaPushable>(
    _ name: String, _ body: @escaping (repeat each Argument) throws -> Result
  ) throws(LuaError) {
    // Inlinable, so that the caller's module compiles it for its types; otherwise each argument is read by witnesses.
    try register(name, native: { stack in
      var index: Int32 = 0
      do {
        let result = try body(repeat try stack.argument((each Argument).self, of: name, &index))
        try result.push(to: stack)
        return 1
      } catch {
        return stack.fail(error)
      }
    })
  }

  @usableFromInline func register(_ name: String, native body: @escaping (LuaStack) -> Int32) throws(LuaError) {
    try hostSection { stack in
      stack.pushRealGlobals()
      push(NativeFunction(body), onto: stack)
      stack.rawSet(-2, field: name)
      stack.pop()
    }
  }
}

extension LuaStack {
  /// Reads the argument after the one at `index`, of the function `name`.
  @inlinable func argument<A: LuaReadable>(_: A.Type, of name: String, _ index: inout Int32) throws(LuaError) -> A {
    index &+= 1
    do throws(LuaError) {
      return try A.read(from: self, at: index)
    } catch { throw LuaError(.runtime, "bad argument #\(index) to '\(name)': \(error.message)") }
  }

  /// Leaves an error message with the place of the Lua call on top, for the trampoline to raise.
  @usableFromInline package func fail(_ error: any Error) -> Int32 {
    fail((error as? LuaError)?.message ?? String(describing: error))
  }

  package func fail(_ message: String) -> Int32 {
    push(text: place(level: 1) + message)
    return Int32(CLG_ERROR)
  }

  /// As Lua's library does where a string would be longer than one may be.
  package func failTooLong() -> Int32 {
    let message = String(cString: clg_push_too_long(L))
    pop()
    return fail(message)
  }

  /// "file:line: " of the innermost Lua function with lines, from `level` calls up: the host's own Lua has none. Or "".
  package func place(level: Int32) -> String {
    var activation = lua_Debug()
    for level in level..<level + 4 where lua_getstack(L, level, &activation) != 0 {
      guard lua_getinfo(L, "Sl", &activation) != 0, activation.currentline > 0 else { continue }
      let file = withUnsafeBytes(of: &activation.short_src) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      return "\(file):\(activation.currentline): "
    }
    return ""
  }
}
