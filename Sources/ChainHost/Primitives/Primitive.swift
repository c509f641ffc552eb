import ChainBase
import LuaBridge

/// A Swift function that chainlets can call: `Primitive("add") { (a: Double, b: Double) in a + b }`.
///
/// A plain one runs on the lane and must be short; an `async` one is waited for while other requests go on, and its
/// task is cancelled with the request; one that returns an `AsyncSequence` is a stream for a `for` loop. Arguments and
/// results are read and pushed by `LuaReadable` and `LuaPushable`; records by `ChainRecord`. A wrong call is an error at
/// the author's line: `bad argument #2 to 'add': number expected, got string ("7")`.
public struct Primitive: Sendable {
  public let name: String
  /// What it does, for people and editors.
  public let doc: String?
  /// `fun(a: number, b: number): number`, for editors.
  public let annotation: String
  let body: Body

  enum Body: Sendable {
    /// Called with its arguments on the stack.
    case plain(@Sendable (LuaStack) throws -> Int32)
    /// Reads its arguments at once and gives the work that is left.
    case waiting(@Sendable (LuaStack) throws -> NativeWork)
    /// Reads its arguments at once and gives the stream.
    case streaming(@Sendable (LuaStack) throws -> PrimitiveStream)
  }

  /// A function that does not wait. Called on a lane's thread.
  /// - Parameter parameters: names of its arguments, for editors.
  @inlinable public init<each Argument: LuaReadable, Result: LuaPushable>(
    _ name: String, doc: String? = nil, parameters: [String] = [],
    _ body: @escaping @Sendable (repeat each Argument) throws -> Result
  ) {
    let annotation = Annotation.function((repeat (each Argument).self), Result.self, parameters)
    self.init(name: name, doc: doc, annotation: annotation, plain: { stack in
      var arguments = ArgumentReader(stack: stack, function: name)
      let result = try body(repeat try arguments.next((each Argument).self))
      try result.push(to: stack)
      return 1
    })
  }

  /// A function that may wait. It begins on the lane's thread and goes on where Swift's concurrency puts it.
  public init<each Argument: LuaReadable & Sendable, Result: LuaPushable & Sendable>(
    _ name: String, doc: String? = nil, parameters: [String] = [],
    _ body: @escaping @Sendable (repeat each Argument) async throws -> Result
  ) {
    self.name = name
    self.doc = doc
    annotation = Annotation.function((repeat (each Argument).self), Result.self, parameters)
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

  /// A function that gives a stream: `for frame in camera.frames(10) do … end`. The next element is asked for when the
  /// loop asks; leaving the loop, or the end of the request, ends the sequence.
  public init<each Argument: LuaReadable, Elements: AsyncSequence & Sendable>(
    _ name: String, doc: String? = nil, parameters: [String] = [],
    _ body: @escaping @Sendable (repeat each Argument) throws -> Elements
  ) where Elements.Element: LuaPushable & Sendable {
    self.name = name
    self.doc = doc
    annotation = Annotation.stream((repeat (each Argument).self), Elements.Element.self, parameters)
    self.body = .streaming { stack in
      var arguments = ArgumentReader(stack: stack, function: name)
      return PrimitiveStream(try body(repeat try arguments.next((each Argument).self)), name: name)
    }
  }

  @usableFromInline init(name: String, doc: String?, annotation: String, plain: @escaping @Sendable (LuaStack) throws -> Int32) {
    self.name = name
    self.doc = doc
    self.annotation = annotation
    body = .plain(plain)
  }
}

/// Reads the arguments of a native function one after the other.
public struct ArgumentReader {
  @usableFromInline let stack: LuaStack
  @usableFromInline let function: String
  @usableFromInline var index: Int32 = 0
  /// The argument that messages call #1 comes after so many others.
  @usableFromInline let skipped: Int32

  @inlinable init(stack: LuaStack, function: String, skipping skipped: Int32 = 0) {
    self.stack = stack
    self.function = function
    self.skipped = skipped
    index = skipped
  }

  @inlinable mutating func next<A: LuaReadable>(_: A.Type) throws(LuaError) -> A {
    index += 1
    do throws(LuaError) {
      return try A.read(from: stack, at: index)
    } catch { throw LuaError(.runtime, "bad argument #\(index - skipped) to '\(function)': \(error.message)") }
  }
}
