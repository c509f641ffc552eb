import ChainBase
import CLuaGuard
import LuaBridge

/// The host's side of chain.lua: what a state does when a file declares or requires something. There are two: the
/// planning state, which notes everything, and a chainlet's own state, which compares it with the plan.
///
/// Each function is called inside a host section with its arguments on the stack and returns a trampoline status.
protocol AuthorHost: AnyObject {
  var reader: RecordReader { get }
  /// class, methods, name, parent, kind, mark, spec… → whether it lives in this state.
  func declare(_ stack: LuaStack) -> Int32
  /// name → a compiled file and its path; or nil and the module's value.
  func find(_ stack: LuaStack) -> Int32
  /// path, whether it ended well, its value or error → the module's value.
  func loaded(_ stack: LuaStack) -> Int32
  /// spec → the values of the configuration.
  func configure(_ stack: LuaStack) -> Int32
  /// An error that a file raised → what `loaded` is given.
  func explain(_ stack: LuaStack) -> Int32
  /// What only one of them offers.
  func pushExtras(to stack: LuaStack, state: LuaState)
}

extension AuthorHost {
  func explain(_ stack: LuaStack) -> Int32 {
    stack.setTop(1)
    return 1
  }
}

/// A built-in module for `require`: pushes its value, or is false and pushes nothing.
package typealias BuiltInModules = @Sendable (_ name: String, _ stack: LuaStack, _ state: LuaState) -> Bool

enum AuthorModule {
  private struct Code {
    let types, chain, mapStream: [UInt8]
  }

  /// Bytecode of the Lua files, made once in a process. Without lines: no place of ours belongs in a message.
  private static let code: Result<Code, LuaError> = {
    do throws(LuaError) {
      let state = try LuaState()
      func compile(_ text: [UInt8], _ name: String) throws(LuaError) -> [UInt8] {
        try state.hostSection { stack throws(LuaError) in
          if let message = text.withUnsafeBytes({ stack.pushChunk($0, name: name, mode: "t") }) { throw LuaError(.syntax, message) }
          defer { stack.pop() }
          return stack.dump(stripped: true)
        }
      }
      return .success(
        Code(
          types: try compile(PackageResources.types_lua, "types.lua"), chain: try compile(PackageResources.chain_lua, "chain.lua"),
          mapStream: try compile(PackageResources.map_stream_lua, "map_stream.lua")))
    } catch { return .failure(error) }
  }()

  /// Opens `require` and the module `chain` in a state.
  /// - Parameter native: pushes the table of what the runtime offers; nil for an empty one.
  /// - Returns: the registry reference of the module `chain`.
  static func open(in state: LuaState, host: any AuthorHost, native: ((LuaStack) -> Void)?) throws(LuaError) -> Int32 {
    let code = try self.code.get()
    clg_rest_collector(state.core)
    defer { clg_wake_collector(state.core, 0) }
    try state.hostSection { stack throws(LuaError) in
      stack.setTop(0)
      pushOwn(to: stack, state: state, host: host, code) // 1
      try push(code.types, "types.lua", to: stack)
      stack.push(copyOf: 1)
    }
    try state.call(arguments: 1, results: 2) // 2: types, 3: their mark
    try state.hostSection { stack throws(LuaError) in
      host.reader.marks.type = stack.identity(at: 3)
      stack.push(copyOf: 2)
      host.reader.marks.types = stack.keep()
      try push(code.chain, "chain.lua", to: stack)
      if let native { native(stack) } else { stack.pushTable() }
      stack.push(copyOf: 1)
      stack.push(copyOf: 2)
    }
    try state.call(arguments: 3, results: 6) // 4…9: chain, its marks, require
    return try state.hostSection { stack in
      host.reader.marks.chainlet = stack.identity(at: 5)
      host.reader.marks.need = stack.identity(at: 6)
      host.reader.marks.use = stack.identity(at: 7)
      stack.push(copyOf: 7)
      stack.keep(at: ResourceUse.markKey)
      host.reader.marks.pending = stack.identity(at: 8)
      stack.pushRealGlobals()
      stack.push(copyOf: 9)
      stack.rawSet(-2, field: "require")
      stack.push(copyOf: 4)
      let reference = stack.keep()
      stack.setTop(0)
      return reference
    }
  }

  private static func push(_ code: [UInt8], _ name: String, to stack: LuaStack) throws(LuaError) {
    if let message = code.withUnsafeBytes({ stack.pushChunk($0, name: name, mode: "b") }) { throw LuaError(.memory, message) }
  }

  private static func pushOwn(to stack: LuaStack, state: LuaState, host: any AuthorHost, _ code: Code) {
    stack.pushTable(fields: 9)
    func add(_ name: String, _ body: @escaping (LuaStack) -> Int32) {
      state.push(NativeFunction(body), onto: stack)
      stack.rawSet(-2, field: name)
    }
    add("declare") { $0.ensure(32) ? host.declare($0) : $0.fail("stack overflow") }
    add("find") { $0.ensure(32) ? host.find($0) : $0.fail("stack overflow") }
    add("loaded") { $0.ensure(32) ? host.loaded($0) : $0.fail("stack overflow") }
    add("config") { $0.ensure(32) ? host.configure($0) : $0.fail("stack overflow") }
    add("explain") { host.explain($0) }
    add("const", constant)
    add("no_value") {
      $0.push(text: noValue(forItem: $0.integer(at: 1)))
      return Int32(CLG_ERROR)
    }
    add("map_stream") { stack in code.mapStream.withUnsafeBytes { stack.pushChunk($0, name: "map_stream.lua", mode: "b") }.map { stack.fail($0) } ?? 1 }
    add("direct", refuseDirectCall)
    add("refuse_write") { $0.fail("cannot set '\($0.text(at: 2) ?? $0.describe(at: 2))' in the module: it is read-only") }
    host.pushExtras(to: stack, state: state)
  }

  static func noValue(forItem index: Int64) -> String {
    "chain.map: the function returned nothing for item \(index); return a value, or use chain.each for effects"
  }

  /// name, method → an error at the author's line.
  private static func refuseDirectCall(_ stack: LuaStack) -> Int32 {
    let name = stack.text(at: 1) ?? "?"
    let need = snakeCase(name)
    let call = stack.text(at: 2).map { "\(name).\($0) cannot be called directly" } ?? "\(name) cannot be called directly"
    return stack.fail("\(call): each chainlet has a state of its own; declare needs = { \(need) = \(name) } and call self.\(need) { … }", level: 2)
  }

  /// `SayHello` → `say_hello`.
  static func snakeCase(_ name: String) -> String {
    var result = ""
    var previousWasLower = false
    for character in name.prefix(64) {
      if character.isUppercase, previousWasLower { result += "_" }
      previousWasLower = character.isLowercase || character.isNumber
      result += character.lowercased()
    }
    return result
  }

  /// A table → a read-only view of it and of the plain tables inside.
  private static func constant(_ stack: LuaStack) -> Int32 {
    guard stack.type(at: 1) == .table else {
      return stack.fail("chain.const takes a table, got \(stack.describe(at: 1))")
    }
    stack.setTop(1)
    var left = 100_000
    guard seal(stack, 1, depth: 0, &left) else {
      stack.setTop(1)
      return stack.fail("the table given to chain.const is too large or too deep, or holds itself")
    }
    return 1
  }

  /// Pushes a read-only view of the table at `index`.
  private static func seal(_ stack: LuaStack, _ index: Int32, depth: Int, _ left: inout Int) -> Bool {
    guard depth < RecordReader.deepest, stack.ensure(12) else { return false }
    stack.pushTable()
    let copy = stack.top
    stack.pushNil()
    while stack.next(index) {
      left -= 1
      if left < 0 { return false }
      let isPlain = stack.type(at: -1) == .table && !stack.pushMetatable(of: -1)
      if !isPlain, stack.type(at: -2) == .table { stack.pop() }
      if isPlain {
        guard seal(stack, stack.top, depth: depth + 1, &left) else { return false }
        stack.remove(at: -2)
      }
      stack.push(copyOf: -2)
      stack.insert(at: -2)
      stack.rawSet(copy)
    }
    stack.makeReadOnly(name: ConstantTable.name)
    return true
  }
}
