import ChainBase
import ChainHost
import LuaBridge

/// Two Lua states with one type bound in each: what a call between two chainlets crosses.
final class SchemaBridge {
  let program: SchemaProgram
  let first: LuaState
  let second: LuaState
  let source: SchemaBinding
  let target: SchemaBinding
  var limits = CrossingLimits()

  init(_ type: ChainType) throws {
    program = SchemaProgram(type)
    first = try LuaState()
    second = try LuaState()
    source = try SchemaBinding(program: program, state: first)
    target = try SchemaBinding(program: program, state: second)
    for state in [first, second] {
      try state.hostSection { stack throws(LuaError) in
        stack.pushRealGlobals()
        try JSONModule.push(onto: stack, state: state)
        stack.rawSet(-2, field: "json")
        try Blob(Array("blob".utf8)).push(to: stack)
        stack.rawSet(-2, field: "blob")
        stack.pop()
      }
    }
  }

  /// Evaluates a Lua expression in the first state and crosses its value into the second, where it is a global `it`.
  /// nil when it crossed, else why not.
  func cross(_ expression: String, root: String = "Test.input") throws -> TypeMismatch? {
    try push(expression)
    defer { first.main.pop() }
    return try first.hostSection { from throws(LuaError) in
      try second.hostSection { to in
        let (fromTop, toTop) = (from.top, to.top)
        _ = from.ensure(program.stackDepth)
        _ = to.ensure(program.stackDepth)
        to.pushRealGlobals()
        let crossed = LuaToLua.crossing(program, from: from, at: -1, binding: source, to: to, binding: target, limits: limits)
        precondition(!crossed || (from.top == fromTop && to.top == toTop + 2), "a crossing pushes exactly one value")
        if crossed { to.rawSet(-2, field: "it") }
        from.setTop(fromTop)
        to.setTop(toTop)
        let mismatch = crossed ? nil : TypeMismatch.explain(program, from: from, at: -1, root: root, limits: limits)
        precondition(from.top == fromTop)
        return mismatch
      }
    }
  }

  /// Evaluates a Lua expression in the first state and writes its value as JSON.
  func write(_ expression: String, root: String = "Test.output") throws -> Result<String, TypeMismatch> {
    try push(expression)
    defer { first.main.pop() }
    return try first.hostSection { stack in
      var buffer = ByteBuffer()
      let top = stack.top
      do throws(TypeMismatch) {
        try JSONWriter.write(program, from: stack, at: -1, binding: source, into: &buffer, limits: limits, root: root)
        precondition(stack.top == top)
        return .success(buffer.string)
      } catch {
        precondition(stack.top == top)
        return .failure(error)
      }
    }
  }

  /// Reads JSON into the second state, where it is a global `it`. nil when it fits, else why not.
  func read(_ json: [UInt8], root: String = "Test.input") throws -> TypeMismatch? {
    try second.hostSection { stack in
      stack.pushRealGlobals()
      defer { stack.pop() }
      let top = stack.top
      return json.withUnsafeBytes { bytes -> TypeMismatch? in
        do throws(TypeMismatch) {
          try JSONReader.read(bytes, program: program, onto: stack, binding: target, limits: limits, root: root)
          precondition(stack.top == top + 1)
          stack.rawSet(-2, field: "it")
          return nil
        } catch {
          precondition(stack.top == top)
          return error
        }
      }
    }
  }
  func read(_ json: String, root: String = "Test.input") throws -> TypeMismatch? { try read(Array(json.utf8), root: root) }

  /// Writes the second state's `it` as JSON.
  func text() throws -> String {
    try second.hostSection { stack in
      stack.pushRealGlobals()
      stack.rawGet(-1, field: "it")
      defer { stack.pop(2) }
      var buffer = ByteBuffer()
      do throws(TypeMismatch) {
        try JSONWriter.write(program, from: stack, at: -1, binding: target, into: &buffer, limits: limits, root: "Test.output")
        return buffer.string
      } catch { return error.message }
    }
  }

  /// Evaluates an expression over `it` in the second state.
  func ask<R: LuaReadable>(_ expression: String) throws -> R {
    try second.run("local it = it return " + expression)
  }

  private func push(_ expression: String) throws {
    let function = try first.load("return " + expression)
    try first.hostSection { stack throws(LuaError) in try function.push(to: stack) }
    try first.call(arguments: 0, results: 1)
  }

  // MARK: Shorthands

  /// The message of a value that must not cross from state to state; "" when it does.
  static func refusal(_ type: ChainType, _ expression: String) throws -> String {
    try SchemaBridge(type).cross(expression)?.message ?? ""
  }

  /// The message of JSON text that must not be read; "" when it is.
  static func refusal(_ type: ChainType, json: String) throws -> String {
    try SchemaBridge(type).read(json)?.message ?? ""
  }

  /// What JSON text becomes when it is read and written again, or the message.
  static func echo(_ type: ChainType, _ json: String) throws -> String {
    let bridge = try SchemaBridge(type)
    return try bridge.read(json)?.message ?? bridge.text()
  }
}

extension ChainType {
  static var string: ChainType { ChainType(.string) }
  static var integer: ChainType { ChainType(.integer) }
  static var number: ChainType { ChainType(.number) }
  static var boolean: ChainType { ChainType(.boolean) }
  static var bytes: ChainType { ChainType(.bytes) }
  static var blob: ChainType { ChainType(.blob) }
  static var any: ChainType { ChainType(.any) }
  static func list(_ element: ChainType) -> ChainType { ChainType(.list(element)) }
  static func map(_ element: ChainType) -> ChainType { ChainType(.map(element)) }
  static func optional(_ inner: ChainType) -> ChainType { ChainType(.optional(inner)) }
  static func union(_ members: ChainType...) -> ChainType { ChainType(.union(members)) }
  static func choice(_ values: String...) -> ChainType { ChainType(.enumeration(values)) }
  static func record(_ fields: [String: ChainType]) -> ChainType {
    ChainType(.record(fields.sorted { $0.key < $1.key }.map { Field(name: $0.key, type: $0.value) }))
  }
  func with(_ change: (inout ChainType) -> Void) -> ChainType {
    var copy = self
    change(&copy)
    return copy
  }
  func bounded(_ min: Double? = nil, _ max: Double? = nil) -> ChainType { with { $0.min = min; $0.max = max } }
}
