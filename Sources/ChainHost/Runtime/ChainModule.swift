import ChainBase
import CLuaGuard
import LuaBridge

/// What `require "chain"` offers beside the declarations, in one state: waiting functions and natives of the runtime.
final class ChainModule {
  private unowned let lane: Lane
  /// Unowned: the state keeps the functions that refer to this module.
  private unowned let lua: LuaState
  private let name: String
  let failures: FailureValues
  private(set) var resources: ResourceHandles!
  /// Any plain data, from this state to itself.
  var anything: SchemaLink { failures.anything }
  /// The state that this module belongs to, once it is made.
  weak var state: ChainletState?

  init(lane: Lane, lua: LuaState, name: String) throws(LuaError) {
    self.lane = lane
    self.lua = lua
    self.name = name
    failures = try FailureValues(lua)
    lua.own(self) // the state's functions are methods of this object
    lua.stepped = SteppedFunctions(share: lane.workShare, waitingFor: Op.stepped.rawValue)
    resources = ResourceHandles(lua: lua, module: self)
    try lua.hostSection { stack in
      stack.pushRealGlobals()
      stack.push({ enter($0, $1) { $0.logLine($1, .info, "print") } }, of: self)
      stack.rawSet(-2, field: "print")
      stack.pop()
    }
  }

  // MARK: Metatables

  /// What stands behind the values that the module gives out; each is made when the first value is.
  private var metatables: [HandleKind: Int32] = [:]

  enum HandleKind { case task, stream }

  func metatable(of kind: HandleKind) -> Int32 {
    if let known = metatables[kind] { return known }
    lua.core.pointee.memory.host += 1
    defer { lua.core.pointee.memory.host -= 1 }
    let stack = lua.main
    guard stack.ensure(8) else { return 0 }
    let made = switch kind {
    case .task:
      keepMetatable(
        stack, name: "task", methods: [("await", .wait(.await)), ("cancel", .native({ enter($0, $1) { $0.cancelTask($1) } }))],
        events: [("__gc", .native({ enter($0, $1) { $0.taskWasCollected($1) } }))])
    case .stream:
      keepMetatable(
        stack, name: "stream", methods: [("result", .wait(.result)), ("close", ChainModule.close)],
        events: [
          ("__call", .wait(.nextItem)), ("__close", ChainModule.close),
          ("__gc", .native({ enter($0, $1) { $0.streamWasCollected($1) } })),
        ])
    }
    metatables[kind] = made
    return made
  }

  private static let close = Entry.native { enter($0, $1) { $0.closeStream($1) } }

  private enum Entry {
    case wait(Op)
    case native(NativeMethod)
  }

  private func push(_ entry: Entry, onto stack: LuaStack) {
    switch entry {
    case .wait(let op): stack.pushWait(op: op.rawValue)
    case .native(let method): stack.push(method, of: self)
    }
  }

  private func keepMetatable(
    _ stack: LuaStack, name: String, methods: [(String, Entry)], events: [(String, Entry)] = []
  ) -> Int32 {
    stack.pushTable(fields: 4)
    stack.pushTable(fields: Int32(methods.count))
    for (name, entry) in methods {
      push(entry, onto: stack)
      stack.rawSet(-2, field: name)
    }
    stack.rawSet(-2, field: "__index")
    for (event, entry) in events {
      push(entry, onto: stack)
      stack.rawSet(-2, field: event)
    }
    stack.push(text: name)
    stack.rawSet(-2, field: "__name")
    stack.push(boolean: false)
    stack.rawSet(-2, field: "__metatable")
    return stack.keep()
  }

  // MARK: Modules

  /// The async primitives that this state has required, by operand.
  private(set) var waiting: [WaitingFunction] = []
  var counters: NativeCounters { lane.counters }

  struct WaitingFunction {
    let counter: NativeCounter
    let begin: (LuaStack, CallRef) throws -> NativeWork
  }

  /// Pushes a function that waits for work away from the lane.
  func pushWait(_ counter: NativeCounter, onto stack: LuaStack, _ begin: @escaping (LuaStack, CallRef) throws -> NativeWork) {
    stack.pushWait(op: Op.native.rawValue, operand: Int32(clamping: waiting.count))
    waiting.append(WaitingFunction(counter: counter, begin: begin))
  }

  /// Runs what a native function does. A `Failure` is raised as it is, any other error at the author's line.
  @inline(__always) func answering(_ stack: LuaStack, _ body: () throws -> Int32) -> Int32 {
    do { return try body() } catch let failure as Failure {
      failures.push(failure, onto: stack)
      return -1
    } catch { return stack.fail(error) }
  }

  /// Pushes what `require` gives beside `chain` and Lua's own libraries.
  func pushModule(_ name: String, _ modules: [PrimitiveModule], onto stack: LuaStack) -> Bool {
    if BuiltInModule.push(name, onto: stack, of: lua) { return true }
    guard let module = modules.first(where: { $0.name == name }) else { return false }
    stack.pushTable(fields: Int32(clamping: module.primitives.count))
    for primitive in module.primitives {
      let what = "\(name).\(primitive.name)"
      let counter = counters.counter(what)
      switch primitive.body {
      case .plain(let body):
        let function = NativeFunction { [unowned self, unowned lua] stack in
          guard lua.core.pointee.loading == 0 else { return refuseWhileLoading(stack, what) }
          counter.began()
          return answering(stack) { try body(stack) }
        }
        lua.push(function, onto: stack)
      case .streaming(let body):
        let function = NativeFunction { [unowned self, unowned lua] stack in
          guard lua.core.pointee.loading == 0 else { return refuseWhileLoading(stack, what) }
          counter.began()
          return answering(stack) { try PrimitiveStream.push(onto: stack, of: lua) { try body(stack) } }
        }
        lua.push(function, onto: stack)
      case .waiting(let body): pushWait(counter, onto: stack) { stack, _ in try body(stack) }
      }
      stack.rawSet(-2, field: primitive.name)
    }
    for kind in module.kinds {
      ResourceUse.pushConstructor(of: kind.name, onto: stack, state: lua)
      stack.rawSet(-2, field: String(kind.name.dropFirst(name.utf8.count + 1)))
    }
    stack.makeReadOnly(name: name)
    return true
  }

  // MARK: The table

  private static let waits: [(String, Op)] = [
    ("map", .map), ("each", .each), ("settle", .settle), ("all", .all), ("race", .race), ("timeout", .timeout), ("sleep", .sleep),
  ]

  private static let natives: [(String, NativeMethod)] = [
    ("async", { enter($0, $1) { $0.async($1) } }),
    ("background", { enter($0, $1) { $0.background($1) } }),
    ("context", { enter($0, $1) { $0.context($1) } }),
    ("stream", { enter($0, $1) { $0.stream($1) } }),
    ("mutex", { enter($0, $1) { $0.mutex($1) } }),
    ("is_stream", { enter($0, $1) { $0.isStream($1) } }),
    ("map_for", { enter($0, $1) { $0.mapFor($1) } }),
    ("failure", { enter($0, $1) { $0.makeFailure($1) } }),
  ]

  /// Pushes the table that chain.lua takes its native functions from.
  func pushNatives(onto stack: LuaStack) {
    stack.pushTable(fields: Int32(ChainModule.waits.count + ChainModule.natives.count + 3))
    for (name, op) in ChainModule.waits {
      stack.pushWait(op: op.rawValue)
      stack.rawSet(-2, field: name)
    }
    for (name, method) in ChainModule.natives {
      stack.push(method, of: self)
      stack.rawSet(-2, field: name)
    }
    stack.pushTry({ enter($0, $1) { $0.toFailure($1) } }, of: self)
    stack.rawSet(-2, field: "try")
    lua.push(stepped: { [unowned self] in describe($0, $1) }, onto: stack)
    stack.rawSet(-2, field: "describe")
    pushLog(onto: stack)
    stack.rawSet(-2, field: "log")
  }

  /// What `chain.try` makes of the error value on top.
  private func toFailure(_ stack: LuaStack) -> Int32 {
    if stack.ensure(24), !failures.isFailure(stack, at: -1) {
      let failure = failures.read(stack, at: -1, report: nil)
      stack.pop()
      failures.push(failure, onto: stack)
    }
    return 1
  }

  /// The run in which a native function was called; nil while a file is being loaded.
  private var current: CallRef? {
    // While a file is evaluated no lane runs this code.
    guard lua.core.pointee.loading == 0 else { return nil }
    return lane.watch.pointee.run.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: Call.self) }
  }

  func refuseWhileLoading(_ stack: LuaStack, _ what: String) -> Int32 {
    stack.fail("\(what) has an effect and is not available while the file is being loaded; use it in init or run")
  }

  // MARK: Tasks

  private func async(_ stack: LuaStack) -> Int32 {
    guard let call = current else { return refuseWhileLoading(stack, "chain.async") }
    guard stack.type(at: 1) == .function else { return stack.fail("chain.async: expected a function, got \(stack.describe(at: 1))") }
    if let problem = startProblem(stack, "chain.async", call) { return problem }
    lane.startTask(stack, at: 1, by: call)
    return 1
  }

  /// Why no task can be started just now.
  private func startProblem(_ stack: LuaStack, _ what: String, _ call: CallRef) -> Int32? {
    guard lane.mayStartTasks(call) else { return stack.fail("\(what): this call is being ended and can start nothing more") }
    let request = call.pointee.request.takeUnretainedValue()
    if request.hasRoomForTask { return nil }
    failures.push(request.tooManyTasks(for: what, at: stack.place(level: 1), in: call.state.name), onto: stack)
    return Int32(CLG_ERROR)
  }

  private func cancelTask(_ stack: LuaStack) -> Int32 {
    guard let call = current, lane.cancelTask(stack, by: call) else { return stack.fail(Lane.notItsTask) }
    return 0
  }

  /// Called by the collector, at any allocation, and while the state closes.
  private func taskWasCollected(_ stack: LuaStack) -> Int32 {
    guard let state, let id = stack.lightUserdata(at: 1)?.load(as: UInt64.self) else { return 0 }
    lane.taskWasCollected(id, of: state)
    return 0
  }

  private func background(_ stack: LuaStack) -> Int32 {
    guard let call = current, let state else { return refuseWhileLoading(stack, "chain.background") }
    guard stack.type(at: 1) == .function else { return stack.fail("chain.background: expected a function, got \(stack.describe(at: 1))") }
    guard state.background < Lane.backgroundLimit else {
      return stack.fail("chain.background: \(Lane.backgroundLimit) functions of \(name) are in the background already")
    }
    state.background += 1
    lane.runInBackground(state, startedBy: call) { target in
      stack.push(copyOf: 1)
      stack.move(1, to: target)
      return 0
    } ended: { [unowned self] failure in
      state.background -= 1
      if state.background == 0, state.isRetired, state.core.pointee.slotsTaken == 0 { lane.retiredStateIsEmpty(state) }
      if let failure { log(.error, "background: \(failure)", nil) }
    }
    return 0
  }

  // MARK: Streams and locks

  private func stream(_ stack: LuaStack) -> Int32 {
    guard let call = current else { return refuseWhileLoading(stack, "chain.stream") }
    guard stack.type(at: 1) == .function else { return stack.fail("chain.stream: expected a function(emit), got \(stack.describe(at: 1))") }
    if let problem = startProblem(stack, "chain.stream", call) { return problem }
    lane.openLocalStream(stack, by: call)
    return 4
  }

  /// A function for streams → `chain.map`, which calls it for them.
  private func mapFor(_ stack: LuaStack) -> Int32 {
    stack.setTop(1)
    stack.pushWaitOrCall(op: Op.map.rawValue)
    return 1
  }

  private func isStream(_ stack: LuaStack) -> Int32 {
    let isOurs = metatables[.stream].map { stack.handle(at: 1, metatable: $0) != nil } ?? false
    stack.push(boolean: isOurs || PrimitiveStream.userdata.object(stack, at: 1) != nil)
    return 1
  }

  private func closeStream(_ stack: LuaStack) -> Int32 {
    if let call = current { lane.closeStream(stack, by: call) }
    return 0
  }

  /// As a task's handle.
  private func streamWasCollected(_ stack: LuaStack) -> Int32 {
    guard let state, let handle = stack.lightUserdata(at: 1)?.load(as: UInt64.self) else { return 0 }
    lane.streamWasCollected(handle, of: state)
    return 0
  }

  private func mutex(_ stack: LuaStack) -> Int32 {
    guard state != nil else { return refuseWhileLoading(stack, "chain.mutex") }
    Lock.userdata.push(Lock(), onto: stack)
    return 1
  }

  // MARK: Failures

  private static let failureFields = ["code", "message", "status", "details", "retry", "cause"]

  /// `chain.failure { … }` marks the author's table as a failure.
  private func makeFailure(_ stack: LuaStack) -> Int32 {
    guard stack.type(at: 1) == .table else { return stack.fail("chain.failure: expected a table, got \(stack.describe(at: 1))") }
    if stack.pushMetatable(of: 1) { // a read-only view has one, and no metatable is set twice
      stack.pop()
      guard failures.isFailure(stack, at: 1) else {
        return stack.fail("chain.failure: expected a plain table, got one with a metatable of its own")
      }
    }
    do throws(LuaError) { try stack.forEachField(at: 1) { key, value throws(LuaError) in try checkFailure(stack, key, value) } } catch {
      return stack.fail("chain.failure: \(error.message)")
    }
    stack.setTop(1)
    fillIn(stack, "code") { $0.push(text: Failure.Code.failed) }
    fillIn(stack, "message") { stack in stack.rawGet(1, field: "code") }
    fillIn(stack, "status") { $0.push(integer: 500) }
    fillIn(stack, "retry") { $0.push(boolean: false) }
    fillIn(stack, "chainlet") { [name] in $0.push(text: name) }
    failures.mark(stack)
    return 1
  }

  private func checkFailure(_ stack: LuaStack, _ key: String, _ value: Int32) throws(LuaError) {
    let isRight: Bool
    let expected: String
    switch key {
    case "code", "message", "cause": (isRight, expected) = (stack.type(at: value) == .string, "string")
    case "retry": (isRight, expected) = (stack.type(at: value) == .boolean, "boolean")
    case "status":
      isRight = stack.isInteger(at: value) && (400...599).contains(stack.integer(at: value))
      expected = "an integer from 400 to 599"
    case "details", "trace", "chainlet": return
    default:
      let meant = nearestName(to: key, among: ChainModule.failureFields).map { "; did you mean '\($0)'?" } ?? ""
      throw LuaError(.runtime, "unknown field '\(key)'\(meant)")
    }
    guard isRight else { throw LuaError(.runtime, "\(key): expected \(expected), got \(stack.describe(at: value))") }
  }

  private func fillIn(_ stack: LuaStack, _ field: String, _ push: (LuaStack) -> Void) {
    if stack.rawGet(1, field: field) == .nil {
      stack.pop()
      push(stack)
      stack.rawSet(1, field: field)
    } else {
      stack.pop()
    }
  }

  // MARK: Context

  private func context(_ stack: LuaStack) -> Int32 {
    guard let call = current else { return refuseWhileLoading(stack, "chain.context") }
    let request = call.pointee.request.takeUnretainedValue()
    stack.pushTable(fields: 5)
    func set(_ field: String, _ text: String) {
      stack.push(text: text)
      stack.rawSet(-2, field: field)
    }
    set("id", String(request.id))
    set("entry", request.entry)
    set("trace_id", request.trace.description)
    stack.push(integer: Int64(request.generation.generation?.number ?? 0))
    stack.rawSet(-2, field: "version")
    stack.push({ enter($0, $1) { $0.remaining($1) } }, of: self)
    stack.rawSet(-2, field: "remaining")
    return 1
  }

  private func remaining(_ stack: LuaStack) -> Int32 {
    guard let call = current, call.pointee.run.deadline != .max else {
      stack.pushNil()
      return 1
    }
    let now = lane.environmentNow()
    stack.push(number: call.pointee.run.deadline > now ? Double(call.pointee.run.deadline - now) / 1e9 : 0)
    return 1
  }

  // MARK: Logging

  private static let logFunctions: [(String, NativeMethod)] = [
    ("debug", { enter($0, $1) { $0.logLine($1, .debug, "chain.log.debug") } }),
    ("info", { enter($0, $1) { $0.logLine($1, .info, "chain.log.info") } }),
    ("warn", { enter($0, $1) { $0.logLine($1, .warning, "chain.log.warn") } }),
    ("error", { enter($0, $1) { $0.logLine($1, .error, "chain.log.error") } }),
  ]

  private func pushLog(onto stack: LuaStack) {
    stack.pushTable(fields: Int32(ChainModule.logFunctions.count))
    for (name, method) in ChainModule.logFunctions {
      stack.push(method, of: self)
      stack.rawSet(-2, field: name)
    }
    stack.makeReadOnly(name: "chain.log")
  }

  private func logLine(_ stack: LuaStack, _ level: LogLine.Level, _ what: String) -> Int32 {
    guard let call = current else { return refuseWhileLoading(stack, what) }
    let request = call.pointee.request.takeUnretainedValue()
    log(level, LogText(stack, failures).text, request.id == 0 ? nil : String(request.id))
    return 0
  }

  private func log(_ level: LogLine.Level, _ message: String, _ request: String?) {
    lane.log(LogLine(level: level, chainlet: name, request: request, message: state?.redacted(message) ?? message))
  }
}

private func enter(_ L: OpaquePointer?, _ module: UnsafeMutableRawPointer?, _ method: (ChainModule, LuaStack) -> Int32) -> Int32 {
  NativeMethods.call(L, module, on: ChainModule.self, method)
}
