import ChainBase
import CLuaGuard
import LuaBridge

/// Failures as Lua values in one state: tables with a metatable of their own, whose `tostring` reads like a sentence.
final class FailureValues {
  /// Unowned: the state keeps the module that has these values.
  private unowned let state: LuaState
  /// 0 until the first failure.
  private var madeMetatable: Int32 = 0
  /// Any plain data in this state.
  let anything: SchemaLink

  /// Any data: what the details of a failure are.
  private static let program = SchemaProgram(ChainType(.any))

  init(_ state: LuaState) throws(LuaError) {
    anything = try SchemaLink(FailureValues.program, state)
    self.state = state
  }

  private var metatable: Int32 {
    if madeMetatable == 0 { madeMetatable = makeMetatable() }
    return madeMetatable
  }

  private func makeMetatable() -> Int32 {
    state.core.pointee.memory.host += 1
    defer { state.core.pointee.memory.host -= 1 }
    let stack = state.main
    guard stack.ensure(8) else { return 0 }
    stack.pushTable(fields: 3)
    stack.push({ L, values in
      NativeMethods.call(L, values, on: FailureValues.self) { _, stack in
        stack.push(text: FailureValues.sentence(stack))
        return 1
      }
    }, of: self)
    stack.rawSet(-2, field: "__tostring")
    stack.push(text: "failure")
    stack.rawSet(-2, field: "__name")
    stack.push(boolean: false)
    stack.rawSet(-2, field: "__metatable")
    return stack.keep()
  }

  deinit { anything.release() }

  // MARK: To Lua

  /// Pushes a failure. Inside a host section.
  func push(_ failure: Failure, onto stack: LuaStack) {
    guard stack.ensure(24) else { return stack.pushNil() }
    stack.pushTable(fields: 9)
    set(stack, "code", failure.code)
    set(stack, "message", failure.message)
    set(stack, "chainlet", failure.chainlet)
    set(stack, "cause", failure.cause)
    stack.push(integer: Int64(failure.status))
    stack.rawSet(-2, field: "status")
    stack.push(boolean: failure.retry)
    stack.rawSet(-2, field: "retry")
    if failure.details != .null, push(failure.details, onto: stack) { stack.rawSet(-2, field: "details") }
    pushTrace(failure.trace, onto: stack)
    stack.rawSet(-2, field: "trace")
    stack.push(kept: metatable)
    stack.setMetatable(of: -2)
  }

  private func set(_ stack: LuaStack, _ field: String, _ text: String?) {
    guard let text else { return }
    stack.push(text: text)
    stack.rawSet(-2, field: field)
  }

  private func pushTrace(_ trace: [Failure.TraceEntry], onto stack: LuaStack) {
    stack.pushTable(array: Int32(clamping: trace.count))
    for (position, entry) in trace.enumerated() {
      stack.pushTable(fields: 4)
      set(stack, "chainlet", entry.chainlet)
      set(stack, "file", entry.place?.file)
      set(stack, "function", entry.function)
      if let line = entry.place?.line {
        stack.push(integer: Int64(line))
        stack.rawSet(-2, field: "line")
      }
      stack.rawSet(-2, at: Int64(position + 1))
    }
  }

  // MARK: Plain data

  /// Pushes a value; false when it cannot be one in Lua.
  func push(_ value: ChainValue, onto stack: LuaStack) -> Bool {
    let (program, binding) = (anything.program.takeUnretainedValue(), anything.binding.takeUnretainedValue())
    return (try? ValueCoder.push(value, program: program, onto: stack, binding: binding, limits: CrossingLimits(), root: "value")) != nil
  }

  func value(_ stack: LuaStack, at index: Int32, bytes: Int = 1 << 20) -> ChainValue? {
    try? ValueCoder.read(
      anything.program.takeUnretainedValue(), from: stack, at: index, limits: CrossingLimits(bytes: bytes, nodes: min(bytes, 10_000)),
      root: "value")
  }

  /// A table as JSON for a log line; nil where it is no plain data, or too large.
  func json(_ stack: LuaStack, at index: Int32, most: Int) -> String? {
    value(stack, at: index, bytes: most).map { String(decoding: $0.json, as: UTF8.self) }
  }

  // MARK: From Lua

  func isFailure(_ stack: LuaStack, at index: Int32) -> Bool {
    guard madeMetatable != 0, stack.type(at: index) == .table, stack.pushMetatable(of: index) else { return false }
    stack.push(kept: madeMetatable)
    defer { stack.pop(2) }
    return stack.rawEqual(-1, -2)
  }

  /// Marks the table on top as a failure.
  func mark(_ stack: LuaStack) {
    stack.push(kept: metatable)
    stack.setMetatable(of: -2)
  }

  /// The error value at `index` as a failure, with the trace of where it was raised.
  func read(_ stack: LuaStack, at index: Int32, report: ErrorReport?) -> Failure {
    guard stack.ensure(16) else { return Failure(code: Failure.Code.failed, message: "an error that could not be read") }
    let index = stack.absolute(index)
    var failure: Failure
    if isFailure(stack, at: index) {
      failure = readTable(stack, index)
    } else if let text = stack.text(at: index, most: FailureValues.longestText) {
      let message = report.flatMap { $0.original == text ? $0.message : nil } ?? text
      failure = Failure(code: Failure.Code.failed, message: message.escapingControls())
    } else {
      failure = Failure(
        code: Failure.Code.failed,
        message: "the error value is a \(stack.type(at: index).name); raise a string or chain.failure { … }")
    }
    failure.trace += report?.trace ?? []
    return failure
  }

  /// Bytes of a script's text that messages and logs carry, and of a name in a trace.
  static let longestText = 4096
  private static let longestName = 256

  private func readTable(_ stack: LuaStack, _ index: Int32) -> Failure {
    let code = text(stack, index, "code") ?? Failure.Code.failed
    var failure = Failure(code: code, message: text(stack, index, "message") ?? code)
    failure.chainlet = text(stack, index, "chainlet")
    failure.cause = text(stack, index, "cause")
    if stack.rawGet(index, field: "status") == .number { failure.status = Int(clamping: stack.integer(at: -1)) }
    stack.pop()
    if stack.rawGet(index, field: "retry") == .boolean { failure.retry = stack.boolean(at: -1) }
    stack.pop()
    if stack.rawGet(index, field: "details") != .nil, let details = value(stack, at: -1) { failure.details = details }
    stack.pop()
    if stack.rawGet(index, field: "trace") == .table { failure.trace = readTrace(stack, stack.top) }
    stack.pop()
    return failure
  }

  private func readTrace(_ stack: LuaStack, _ index: Int32) -> [Failure.TraceEntry] {
    var trace: [Failure.TraceEntry] = []
    for position in 0..<min(64, stack.rawLength(at: index)) {
      if stack.rawGet(index, at: Int64(position + 1)) == .table {
        let entry = stack.top
        var place: SourcePlace?
        if let file = text(stack, entry, "file", most: FailureValues.longestName) {
          let isLine = stack.rawGet(entry, field: "line") == .number
          place = SourcePlace(file: file, line: isLine ? Int(clamping: stack.integer(at: -1)) : 0)
          stack.pop()
        }
        trace.append(Failure.TraceEntry(
          chainlet: text(stack, entry, "chainlet", most: FailureValues.longestName) ?? "?", place: place,
          function: text(stack, entry, "function", most: FailureValues.longestName)))
      }
      stack.pop()
    }
    return trace
  }

  private func text(_ stack: LuaStack, _ index: Int32, _ field: String, most: Int = longestText) -> String? {
    stack.rawGet(index, field: field)
    defer { stack.pop() }
    return stack.text(at: -1, most: most).map { $0.escapingControls() }
  }

  /// `tostring(failure)`.
  private static func sentence(_ stack: LuaStack) -> String {
    guard stack.type(at: 1) == .table, stack.ensure(16) else { return "failure" }
    func field(_ index: Int32, _ name: String, most: Int = longestName) -> String? {
      stack.rawGet(index, field: name)
      defer { stack.pop() }
      return stack.text(at: -1, most: most)
    }
    var text = field(1, "message", most: longestText) ?? field(1, "code") ?? "failure"
    guard stack.rawGet(1, field: "trace") == .table else { return text }
    let trace = stack.top
    for position in 0..<min(16, stack.rawLength(at: trace)) {
      if stack.rawGet(trace, at: Int64(position + 1)) == .table {
        let entry = stack.top
        text += "\n  in \(field(entry, "chainlet") ?? "?")"
        if let function = field(entry, "function") { text += ".\(function)" }
        if let file = field(entry, "file") {
          stack.rawGet(entry, field: "line")
          text += " (\(file):\(stack.integer(at: -1)))"
          stack.pop()
        }
      }
      stack.pop()
    }
    return text
  }
}
