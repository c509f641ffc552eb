import CLua

/// A type that editors can be told of.
public protocol LuaAnnotated {
  /// As annotations of LuaCATS write it: `integer`, `string[]`.
  static var annotation: String { get }
}

extension LuaAnnotated {
  public static var annotation: String { "any" }
}

/// A Swift value that can be given to Lua.
public protocol LuaPushable: LuaAnnotated {
  /// Pushes one value. Inside a host section only, with room for a few values.
  func push(to stack: borrowing LuaStack) throws(LuaError)
}

/// A Swift value that can be made from a Lua value.
public protocol LuaReadable: LuaAnnotated {
  /// What a message says was expected: "number", "string".
  static var expected: String { get }
  /// Reads the value at `index` without changing the stack.
  static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> Self
}

extension LuaReadable {
  @usableFromInline static func mismatch(_ stack: borrowing LuaStack, _ index: Int32) -> LuaError {
    LuaError(.runtime, "\(expected) expected, got \(stack.describe(at: index))")
  }
}

/// No value at all: the result of a function called for its effects.
public struct LuaNothing: LuaReadable, LuaPushable, Sendable {
  public init() {}
  public static var expected: String { "nothing" }
  public static var annotation: String { "nil" }
  public static func read(from stack: borrowing LuaStack, at index: Int32) -> LuaNothing { LuaNothing() }
  public func push(to stack: borrowing LuaStack) { stack.pushNil() }
}

extension Int: LuaPushable, LuaReadable {
  public static var expected: String { "integer" }
  public static var annotation: String { "integer" }
  @inlinable public func push(to stack: borrowing LuaStack) throws(LuaError) { stack.push(integer: Int64(self)) }
  /// A float with an integral value is taken too.
  @inlinable public static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> Int {
    if stack.isInteger(at: index) { return Int(stack.integer(at: index)) }
    if stack.type(at: index) == .number, let exact = Int(exactly: stack.number(at: index)) { return exact }
    throw mismatch(stack, index)
  }
}

extension Double: LuaPushable, LuaReadable {
  public static var expected: String { "number" }
  public static var annotation: String { "number" }
  @inlinable public func push(to stack: borrowing LuaStack) throws(LuaError) { stack.push(number: self) }
  @inlinable public static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> Double {
    guard stack.type(at: index) == .number else { throw mismatch(stack, index) }
    return stack.number(at: index)
  }
}

extension Bool: LuaPushable, LuaReadable {
  public static var expected: String { "boolean" }
  public static var annotation: String { "boolean" }
  @inlinable public func push(to stack: borrowing LuaStack) throws(LuaError) { stack.push(boolean: self) }
  @inlinable public static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> Bool {
    guard stack.type(at: index) == .boolean else { throw mismatch(stack, index) }
    return stack.boolean(at: index)
  }
}

extension String: LuaPushable, LuaReadable {
  public static var expected: String { "string" }
  public static var annotation: String { "string" }
  public func push(to stack: borrowing LuaStack) throws(LuaError) { stack.push(text: self) }
  /// Refuses a string that is not UTF-8: take `[UInt8]` for bytes.
  public static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> String {
    guard stack.type(at: index) == .string else { throw mismatch(stack, index) }
    let bytes = stack.bytes(at: index)
    try LuaStack(stack.L).countRead(bytes: bytes.count)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw LuaError(.runtime, "string of valid UTF-8 expected")
    }
    return text
  }
}

extension Array: LuaPushable where Element: LuaPushable {
  public func push(to stack: borrowing LuaStack) throws(LuaError) {
    guard stack.ensure(4) else { throw .noMemory }
    stack.pushTable(array: Int32(clamping: count))
    for (position, element) in enumerated() {
      try element.push(to: stack)
      stack.rawSet(-2, at: Int64(position + 1))
    }
  }
}

extension Array: LuaReadable where Element: LuaReadable {
  public static var expected: String { "list" }
  public static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> [Element] {
    guard stack.type(at: index) == .table else { throw mismatch(stack, index) }
    guard stack.ensure(4) else { throw .noMemory }
    let index = stack.absolute(index)
    let count = stack.rawLength(at: index)
    let stack = LuaStack(stack.L)
    return try stack.reading(count) { () throws(LuaError) in
      var result: [Element] = []
      result.reserveCapacity(count)
      for position in 0..<count {
        stack.rawGet(index, at: Int64(position + 1))
        defer { stack.pop() }
        do throws(LuaError) {
          result.append(try Element.read(from: stack, at: -1))
        } catch { throw LuaError(error.kind, "item \(position + 1): \(error.message)") }
      }
      return result
    }
  }
}

extension Dictionary: LuaPushable where Key == String, Value: LuaPushable {
  public func push(to stack: borrowing LuaStack) throws(LuaError) {
    guard stack.ensure(6) else { throw .noMemory }
    stack.pushTable(fields: Int32(clamping: count))
    for (key, value) in self {
      stack.push(text: key)
      try value.push(to: stack)
      stack.rawSet(-3)
    }
  }
}

extension Dictionary: LuaReadable where Key == String, Value: LuaReadable {
  public static var expected: String { "table" }
  public static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> [String: Value] {
    guard stack.type(at: index) == .table else { throw mismatch(stack, index) }
    guard stack.ensure(6) else { throw .noMemory }
    let index = stack.absolute(index)
    let stack = LuaStack(stack.L)
    let top = stack.top
    return try stack.reading(0) { () throws(LuaError) in
      var result: [String: Value] = [:]
      stack.pushNil()
      while stack.next(index) {
        do throws(LuaError) {
          try stack.countRead(values: 1)
          let key = try String.read(from: stack, at: -2)
          result[key] = try Value.read(from: stack, at: -1)
        } catch {
          stack.setTop(top)
          throw error
        }
        stack.pop()
      }
      return result
    }
  }
}

extension Optional: LuaPushable where Wrapped: LuaPushable {
  @inlinable public func push(to stack: borrowing LuaStack) throws(LuaError) {
    switch self {
    case .some(let value): try value.push(to: stack)
    case .none: stack.pushNil()
    }
  }
}

extension Optional: LuaReadable where Wrapped: LuaReadable {
  public static var expected: String { "\(Wrapped.expected) or nil" }
  @inlinable public static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> Wrapped? {
    let type = stack.type(at: index)
    return type == .nil || type == .none ? nil : try Wrapped.read(from: stack, at: index)
  }
}

extension Array: LuaAnnotated where Element: LuaAnnotated {
  public static var annotation: String { "\(Element.annotation)[]" }
}

extension Dictionary: LuaAnnotated where Key == String, Value: LuaAnnotated {
  public static var annotation: String { "table<string, \(Value.annotation)>" }
}

extension Optional: LuaAnnotated where Wrapped: LuaAnnotated {
  public static var annotation: String { "\(Wrapped.annotation)?" }
}
