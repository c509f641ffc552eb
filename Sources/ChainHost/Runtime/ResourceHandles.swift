import ChainBase
import LuaBridge

/// The resources of one state, as its scripts see them: handles with the methods of their kinds. The host holds the
/// lifetimes: a handle is a number.
///
/// Confined to the lane's thread.
final class ResourceHandles {
  /// Unowned: the state keeps the functions that refer to this object, and the module keeps both.
  private unowned let lua: LuaState
  private unowned let module: ChainModule
  /// By the number in the handle.
  private var leases: [ResourceLease] = []
  private var metatables: [String: Int32] = [:]

  init(lua: LuaState, module: ChainModule) {
    self.lua = lua
    self.module = module
  }

  /// Pushes the handle of a resource. Inside a host section.
  func push(_ lease: ResourceLease, onto stack: LuaStack) throws(LuaError) {
    let metatable = try metatable(of: lease.kind, stack)
    leases.append(lease)
    stack.pushHandle(UInt64(leases.count - 1), metatable: metatable)
  }

  private func metatable(of kind: ResourceKind, _ stack: LuaStack) throws(LuaError) -> Int32 {
    if let known = metatables[kind.id] { return known }
    let top = stack.top
    let face = kind.face
    stack.pushTable(fields: 4)
    let metatable = stack.top
    stack.push(copyOf: metatable)
    let reference = stack.keep()
    metatables[kind.id] = reference
    stack.pushTable(fields: Int32(clamping: face.methods.count + 1))
    let methods = stack.top
    for method in face.methods {
      push(method.body, method.name, kind, reference, onto: stack)
      stack.rawSet(methods, field: method.name)
    }
    if let script = face.script { try run(script(), kind, reference, methods: methods, stack) }
    pushIndex(face, kind, reference, methods: methods, stack)
    stack.rawSet(metatable, field: "__index")
    if let call = face.call {
      push(call, kind.name, kind, reference, onto: stack)
      stack.rawSet(metatable, field: "__call")
    }
    stack.push(text: kind.name)
    stack.rawSet(metatable, field: "__name")
    stack.push(boolean: false)
    stack.rawSet(metatable, field: "__metatable")
    stack.setTop(top)
    return reference
  }

  /// Pushes what is asked for names: the methods, or a function that looks at them and at the fields.
  private func pushIndex(_ face: ResourceFace, _ kind: ResourceKind, _ metatable: Int32, methods: Int32, _ stack: LuaStack) {
    let names = face.methods.map(\.name) + face.annotations.keys.sorted()
    stack.push(copyOf: methods)
    let reference = stack.keep()
    lua.push(NativeFunction { [unowned self] stack in
      guard stack.ensure(8), let lease = lease(stack, metatable), let name = stack.text(at: 2) else { return 0 }
      stack.push(kept: reference)
      if stack.rawGet(-1, field: name) != .nil { return 1 }
      do {
        if let field = face.field, try field(lease.resource, name, stack) { return 1 }
      } catch { return stack.fail(error) }
      let meant = nearestName(to: name, among: names).map { "; did you mean '\($0)'?" } ?? "; it has \(names.joined(separator: ", "))"
      return stack.fail("\(kind.written) has no '\(name)'\(meant)")
    }, onto: stack)
  }

  private func run(_ code: [UInt8], _ kind: ResourceKind, _ metatable: Int32, methods: Int32, _ stack: LuaStack) throws(LuaError) {
    if let message = code.withUnsafeBytes({ stack.pushChunk($0, name: "\(kind.name).lua", mode: "b") }) { throw LuaError(.runtime, message) }
    stack.push(copyOf: methods)
    for body in kind.face.hidden { push(body, kind.name, kind, metatable, onto: stack) }
    try lua.call(arguments: Int32(clamping: kind.face.hidden.count + 1), results: 0)
  }

  private func lease(_ stack: LuaStack, _ metatable: Int32) -> ResourceLease? {
    guard let id = stack.handle(at: 1, metatable: metatable), leases.indices.contains(Int(id)) else { return nil }
    return leases[Int(id)]
  }

  private func push(_ body: NativeBody, _ name: String, _ kind: ResourceKind, _ metatable: Int32, onto stack: LuaStack) {
    let counter = module.counters.counter("\(kind.id).\(name)")
    switch body {
    case .free(let body): lua.push(stepped: { [unowned self] stack, stepping in answering(stack) { try body(stack, stepping) } }, onto: stack)
    case .stepped(let body):
      lua.push(stepped: { [unowned self] stack, stepping in
        if stepping.pause == nil { counter.began() }
        guard let lease = lease(stack, metatable) else { return stack.fail(wrongHandle(stack, name, kind)) }
        return answering(stack) { try body(lease.resource, stack, stepping) }
      }, onto: stack)
    case .plain(let body):
      lua.push(NativeFunction { [unowned self] stack in
        counter.began()
        guard let lease = lease(stack, metatable) else { return stack.fail(wrongHandle(stack, name, kind)) }
        return module.answering(stack) { try body(lease.resource, stack) }
      }, onto: stack)
    case .streaming(let body):
      lua.push(NativeFunction { [unowned self] stack in
        counter.began()
        guard let lease = lease(stack, metatable) else { return stack.fail(wrongHandle(stack, name, kind)) }
        return module.answering(stack) { try PrimitiveStream.push(onto: stack, of: lua) { try body(lease.resource, stack) } }
      }, onto: stack)
    case .leased(let body):
      module.pushWait(counter, onto: stack) { [unowned self] stack, _ in
        guard let lease = lease(stack, metatable) else { throw LuaError(.runtime, wrongHandle(stack, name, kind)) }
        return try body(lease, stack)
      }
    case .waiting(let body):
      module.pushWait(counter, onto: stack) { [unowned self] stack, _ in
        guard let lease = lease(stack, metatable) else { throw LuaError(.runtime, wrongHandle(stack, name, kind)) }
        return holding(lease, try body(lease.resource, stack))
      }
    case .awaitingRuns(let body):
      module.pushWait(counter, onto: stack) { [unowned self] stack, call in
        guard let lease = lease(stack, metatable) else { throw LuaError(.runtime, wrongHandle(stack, name, kind)) }
        let work = holding(lease, try body(lease.resource, stack, call.mark))
        call.state.lane.beginPatience(call)
        return work
      }
    }
  }

  /// The job holds the resource until it has ended, whatever becomes of the call.
  private func holding(_ lease: ResourceLease, _ work: @escaping NativeWork) -> NativeWork {
    {
      defer { withExtendedLifetime(lease) {} }
      return try await work()
    }
  }

  /// Where a share is not enough the arguments are left as they were.
  private func answering(_ stack: LuaStack, _ body: () throws -> Int32) -> Int32 {
    let arguments = stack.top
    return module.answering(stack) {
      do { return try body() } catch is TooMuchAtOnce {
        stack.setTop(arguments)
        return LuaStack.waits
      }
    }
  }

  private func wrongHandle(_ stack: LuaStack, _ name: String, _ kind: ResourceKind) -> String {
    "calling '\(name)' on a bad self: \(kind.written) expected, got \(stack.describe(at: 1)) (call it with a colon)"
  }
}
