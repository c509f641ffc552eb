import ChainBase
import LuaBridge

/// A Swift function that chainlets can call: `Primitive("add") { (a: Double, b: Double) in a + b }`.
///
/// A plain one runs on the lane and must be short; an `async` one is waited for while other requests go on, and its
/// task is cancelled with the request. Arguments and results are read and pushed by `LuaReadable` and `LuaPushable`;
/// a wrong call is an error at the author's line: `bad argument #2 to 'add': number expected, got string ("7")`.
public struct Primitive: Sendable {
  public let name: String
  /// What it does, for people and editors.
  public let doc: String?
  let body: Body

  /// Answers on a lane: pushes the results and returns their number, or throws.
  typealias Answer = (LuaStack) throws -> Int32

  enum Body: Sendable {
    /// Called with its arguments on the stack.
    case plain(@Sendable (LuaStack) throws -> Int32)
    /// Reads its arguments at once and gives the work that is left.
    case waiting(@Sendable (LuaStack) throws -> @Sendable () async throws -> @Sendable (LuaStack) throws -> Int32)
  }

  /// A function that does not wait. Called on a lane's thread.
  @inlinable public init<each Argument: LuaReadable, Result: LuaPushable>(
    _ name: String, doc: String? = nil, _ body: @escaping @Sendable (repeat each Argument) throws -> Result
  ) {
    self.init(name: name, doc: doc, plain: { stack in
      var arguments = ArgumentReader(stack: stack, function: name)
      let result = try body(repeat try arguments.next((each Argument).self))
      try result.push(to: stack)
      return 1
    })
  }

  /// A function that may wait. It begins on the lane's thread and goes on where Swift's concurrency puts it.
  public init<each Argument: LuaReadable & Sendable, Result: LuaPushable & Sendable>(
    _ name: String, doc: String? = nil, _ body: @escaping @Sendable (repeat each Argument) async throws -> Result
  ) {
    self.name = name
    self.doc = doc
    self.body = .waiting { stack in
      var arguments = ArgumentReader(stack: stack, function: name)
      let values = (repeat try arguments.next((each Argument).self))
      return {
        let result = try await body(repeat each values)
        return { stack in
          try result.push(to: stack)
          return 1
        }
      }
    }
  }

  @usableFromInline init(name: String, doc: String?, plain: @escaping @Sendable (LuaStack) throws -> Int32) {
    self.name = name
    self.doc = doc
    body = .plain(plain)
  }
}

/// Reads the arguments of a native function one after the other.
public struct ArgumentReader {
  @usableFromInline let stack: LuaStack
  @usableFromInline let function: String
  @usableFromInline var index: Int32 = 0

  @inlinable init(stack: LuaStack, function: String) {
    self.stack = stack
    self.function = function
  }

  @inlinable mutating func next<A: LuaReadable>(_: A.Type) throws(LuaError) -> A {
    index += 1
    do throws(LuaError) {
      return try A.read(from: stack, at: index)
    } catch { throw LuaError(.runtime, "bad argument #\(index) to '\(function)': \(error.message)") }
  }
}
