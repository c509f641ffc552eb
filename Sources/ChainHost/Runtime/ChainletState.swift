import ChainBase
import CLuaGuard
import LuaBridge

/// What the path of a call needs of a chainlet's state; in memory of its own, used by pointer.
struct StateCore {
  let lua: UnsafeMutablePointer<clg_state>
  let owner: Unmanaged<ChainletState>
  /// Finished coroutines, ready for the next call.
  var pool: CallRef?
  var pooled: Int32 = 0
  /// Calls that have a slot, and how many may.
  var slotsTaken: Int32 = 0
  let slots: Int32
  /// A run whose slice was spent: no other run of this state may go on before it waits or ends.
  var holder: CallRef?
  /// Whether calls may start: `init` has ended well and the state is not closing.
  var isReady = false
  /// Whether one may now.
  var mayStart: Bool { isReady && slotsTaken < slots }
  /// Calls in the queue.
  var waiting: Int32 = 0
  /// While slots are being given on: a call may end in the midst of it.
  var isStarting = false
  let cpuLimit: UInt64
  let timeLimit: UInt64
  let depthLimit: Int32
  /// In the order of the operands of the waiting functions in `self`.
  var needs: UnsafeMutablePointer<Need>?
  var input: SchemaLink
  /// For a stream: of its items.
  var output: SchemaLink
  /// For a stream: of what follows the items.
  var result: SchemaLink?
  let outputLimits: CrossingLimits
  /// What of an input, and of an output, crosses in one event.
  let inputShare: CrossingLimits
  let outputShare: CrossingLimits
}

/// One chainlet's Lua state on one lane: its `self`, its pool of coroutines, its slots and its queue.
///
/// Confined to the lane's thread.
final class ChainletState {
  let lane: Lane
  let lua: LuaState
  let program: ChainletProgram
  let core: UnsafeMutablePointer<StateCore>
  let live: LiveChainlet
  private(set) var selfReference: Int32 = 0
  private var handlerReference: Int32 = 0
  let module: ChainModule
  var failures: FailureValues { module.failures }
  /// Names of the needs, by operand.
  var needNames: [String] = []
  var needCount = 0
  /// What `chain.describe` can be asked about, by identity.
  var describable: [UnsafeRawPointer: [ChainletDeclaration.Need]] = [:]
  private let secrets: [String]
  /// How this state sees the items of streams, its own or others', whose readers say what they are.
  private var streamLinks: [ObjectIdentifier: SchemaLink] = [:]
  /// Locks that calls hold.
  var heldLocks = 0
  /// What scripts hold of `chain.async`, by number.
  var tasks: [UInt64: TaskHandle] = [:]
  /// Where it serves: its generation on this lane, and its place there.
  weak var built: LaneGeneration?
  var index = 0
  /// One of its runs reached a limit: it takes no calls, and closes when those that it has are through.
  var isRetired = false
  /// That of its last request, with which a new one begins.
  var debt = RunDebt()
  /// What its hooks and its work in the background have taken.
  var hookDebt = RunDebt()
  /// Functions that run in the background.
  var background = 0
  var taskMetatable: Int32 { module.metatable(of: .task) }
  var streamMetatable: Int32 { module.metatable(of: .stream) }
  /// Of a chainlet with `batch`: how its calls run together.
  private(set) var batching: Batching?
  /// Calls that wait for a slot.
  private var queue = FairQueue()
  /// Ready runs that wait while another run, or a large crossing, holds the state.
  var parked: [CallRef] = []

  var name: String { program.declaration.name }
  /// Of what enters here.
  var taskLimit: TaskLimit { TaskLimit(most: program.limits.tasks, chainlet: name) }

  /// The most coroutines that are kept for later calls.
  private static let poolLimit: Int32 = 1024

  /// Evaluates the chainlet's file in a state of its own and makes its `self`; `init` has not run yet. Any thread: it
  /// must touch nothing of the lane that changes.
  init(lane: Lane, program: ChainletProgram, generation: Generation) throws(Failure) {
    self.lane = lane
    self.program = program
    let declaration = program.declaration
    let limits = program.limits
    do throws(LuaError) {
      lua = try LuaState(memoryLimit: limits.memory, seed: lane.environment.random() | 1)
      lua.coroutineLimit = limits.coroutines
      module = try ChainModule(lane: lane, lua: lua, name: declaration.name)
    } catch { throw ChainletState.failure(program, error) }
    if let replacement = generation.replacements[declaration.name] {
      do throws(LuaError) {
        live = try LiveChainlet(replacing: program, by: replacement, module: module, state: lua)
      } catch { throw ChainletState.failure(program, error) }
    } else {
      let (module, modules) = (module, generation.modules)
      live = try LiveChainlet.evaluate(
        declaration, in: program.graph, state: lua, native: module.pushNatives,
        modules: { name, stack, _ in module.pushModule(name, modules, onto: stack) })
    }
    secrets = declaration.secrets.compactMap { generation.secrets[$0] }
    let state = lua
    let links: (input: SchemaLink, output: SchemaLink, result: SchemaLink?)
    do throws(LuaError) {
      links = (
        try SchemaLink(program.input, state), try SchemaLink(program.output, state),
        try program.result.map { result throws(LuaError) in try SchemaLink(result, state) }
      )
    } catch { throw ChainletState.failure(program, error) }
    core = .allocate(capacity: 1) // from here on the object is whole, and `deinit` puts all of it away
    core.initialize(
      to: StateCore(
        lua: lua.core, owner: .passUnretained(self), slots: Int32(clamping: declaration.scaling.concurrency),
        cpuLimit: nanoseconds(limits.cpu), timeLimit: limits.time.map(nanoseconds) ?? .max,
        depthLimit: Int32(clamping: limits.depth), input: links.input, output: links.output, result: links.result,
        outputLimits: program.outputLimits, inputShare: CrossingLimits().within(lane.share),
        outputShare: program.outputLimits.within(lane.share)))
    module.state = self
    let environment = lane.environment
    lua.closer = { environment.runOnWorker($0) }
    let entry = (name: declaration.name, limit: limits.cpu)
    lane.names.withLock { $0[UInt(bitPattern: lua.core)] = entry }
    do throws(LuaError) {
      handlerReference = try lua.hostSection { stack in
        pushErrorHandler(onto: stack)
        return stack.keep()
      }
      selfReference = try makeSelf(generation)
      if let field = program.input.streamField { _ = try link(to: field.items) } // that no call needs to make it
    } catch { throw ChainletState.failure(program, error) }
  }

  private static func failure(_ program: ChainletProgram, _ error: LuaError) -> Failure {
    let name = program.declaration.name
    if error.kind == .memory { return .stateTooSmall(for: name, memory: program.limits.memory) }
    return Failure(code: Failure.Code.invalidGraph, message: "\(name): \(error.message)", chainlet: name)
  }

  deinit {
    lane.names.withLock { _ = $0.removeValue(forKey: UInt(bitPattern: lua.core)) }
    core.pointee.input.release()
    core.pointee.output.release()
    core.pointee.result?.release()
    for link in streamLinks.values { link.release() }
    if let needs = core.pointee.needs {
      for operand in 0..<needCount { needs[operand].release() }
      needs.deallocate()
    }
    core.deinitialize(count: 1)
    core.deallocate()
  }

  /// On the lane, before the first call.
  func prepareBatching(key: UInt64) {
    if let batch = program.declaration.batch, live.runBatch != 0 { batching = Batching(batch, key: key) }
  }

  // MARK: Coroutines

  /// A call with a coroutine whose stack begins with: body, handler, `run`, `self`.
  @inline(__always) static func take(from core: UnsafeMutablePointer<StateCore>) -> CallRef {
    if let call = core.pointee.pool {
      core.pointee.pool = call.pointee.nextFree
      core.pointee.pooled &-= 1
      return call
    }
    return core.pointee.owner.takeUnretainedValue().makeCall()
  }

  private func makeCall() -> CallRef {
    let call = lane.blankCall(core)
    core.pointee.lua.pointee.memory.host += 1
    defer { core.pointee.lua.pointee.memory.host -= 1 }
    let main = lua.main
    _ = main.ensure(8)
    guard let stack = main.pushCoroutine() else { return call }
    call.pointee.reference = main.keep()
    call.pointee.run.coroutine = stack.L
    call.pointee.run.state = core.pointee.lua
    _ = stack.ensure(16)
    stack.pushRunBody()
    stack.push(kept: handlerReference)
    if live.run != 0 { stack.push(kept: live.run) } else { stack.pushNil() }
    stack.push(kept: selfReference)
    return call
  }

  /// How many values stay at the bottom of a pooled coroutine.
  static let prefix: Int32 = 4

  /// Takes back a call whose coroutine ended well. Static, as all that a call passes: an instance would be counted.
  @inline(__always) static func recycle(_ call: CallRef) {
    let core = call.pointee.core
    guard core.pointee.pooled < ChainletState.poolLimit else { return call.state.drop(call) }
    call.stack.setTop(ChainletState.prefix)
    call.pointee.nextFree = core.pointee.pool
    core.pointee.pool = call
    core.pointee.pooled &+= 1
  }

  /// Forgets the coroutine of a call that ended in an error.
  func drop(_ call: CallRef) {
    lua.main.release(call.pointee.reference)
    lane.reuse(call)
  }

  /// Gives a call that was made without a coroutine one of the pool's.
  func adoptCoroutine(_ call: CallRef) {
    let pooled = ChainletState.take(from: core)
    call.pointee.run.coroutine = pooled.pointee.run.coroutine
    call.pointee.run.state = pooled.pointee.run.state
    call.pointee.reference = pooled.pointee.reference
    lane.reuse(pooled)
  }

  // MARK: The queue

  func enqueue(_ call: CallRef) {
    queue.add(Waiter(call, ticket: lane.stamp()))
    call.pointee.isEnqueued = true
    core.pointee.waiting += 1
  }

  func dequeue() -> CallRef? {
    guard let call = queue.popFirst() else { return nil }
    left(call)
    return call
  }

  func removeFromQueue(_ call: CallRef) {
    if call.pointee.isEnqueued { left(call) }
  }

  /// Its place in the line, if it has one still, is void.
  private func left(_ call: CallRef) {
    call.pointee.isEnqueued = false
    call.pointee.ticket = 0
    core.pointee.waiting -= 1
  }

  // MARK: Stack prefixes

  /// Pushes body, handler, `run` and `self`; the arguments follow.
  @inline(__always) static func pushRun(onto stack: LuaStack) {
    stack.push(copyOf: 1)
    stack.push(copyOf: 2)
    stack.push(copyOf: 3)
    stack.push(copyOf: 4)
  }

  /// Pushes body and handler; a function and its arguments follow.
  @inline(__always) static func pushBody(onto stack: LuaStack) {
    stack.push(copyOf: 1)
    stack.push(copyOf: 2)
  }

  /// This state's view of the items of a stream: made once for each type, which a graph has few of.
  func link(to items: SchemaProgram) throws(LuaError) -> SchemaLink {
    if core.pointee.output.program.toOpaque() == Unmanaged.passUnretained(items).toOpaque() { return core.pointee.output }
    if let known = streamLinks[ObjectIdentifier(items)] { return known }
    let link = try SchemaLink(items, lua)
    streamLinks[ObjectIdentifier(items)] = link
    return link
  }

  func pushSelf(onto stack: LuaStack) { stack.push(kept: selfReference) }

  /// True when the state is still over its memory limit after a collection.
  @inline(__always) func isOutOfMemory() -> Bool {
    core.pointee.lua.pointee.memory.over != 0 && clg_settle_protected(core.pointee.lua) != 0
  }

  // MARK: self

  /// The table that methods get as `self`: its needs and secrets are fields, its methods stand behind it.
  private func makeSelf(_ generation: Generation) throws(LuaError) -> Int32 {
    try lua.hostSection { stack throws(LuaError) in
      let declared = program.declaration
      stack.pushTable(fields: Int32(clamping: declared.needs.count + declared.uses.count + 2))
      let instance = stack.top
      for (use, lease) in zip(declared.uses, generation.resources(of: declared.name)) {
        try addResource(use, lease, to: instance, stack)
      }
      for (operand, need) in declared.needs.enumerated() { addNeed(need, operand, to: instance, stack) }
      if !declared.secrets.isEmpty {
        stack.pushTable(fields: Int32(clamping: declared.secrets.count))
        for name in declared.secrets {
          stack.push(text: generation.secrets[name] ?? "")
          stack.rawSet(-2, field: name)
        }
        stack.makeReadOnly(name: "self.secrets")
        stack.rawSet(instance, field: "secrets")
      }
      stack.pushTable(fields: 1)
      stack.push(kept: live.classReference)
      stack.rawSet(-2, field: "__index")
      stack.setMetatable(of: instance)
      return stack.keep()
    }
  }

  /// Pushes the table for the last name of a path, after those above it; the groups on the way are made where they are
  /// not there yet.
  private func pushGroup(of path: [String], in instance: Int32, _ stack: LuaStack, each: (UnsafeRawPointer) -> Void = { _ in }) {
    stack.push(copyOf: instance)
    for group in path.dropLast() {
      if stack.rawGet(-1, field: group) != .table {
        stack.pop()
        stack.pushTable()
        stack.push(copyOf: -1)
        stack.rawSet(-3, field: group)
      }
      if let identity = stack.identity(at: -1) { each(identity) }
    }
  }

  /// A function for the need, in nested tables for its groups.
  private func addNeed(_ need: ChainletDeclaration.Need, _ operand: Int, to instance: Int32, _ stack: LuaStack) {
    let top = stack.top
    defer { stack.setTop(top) }
    pushGroup(of: need.path, in: instance, stack) { group in describable[group, default: []].append(need) }
    guard let last = need.path.last else { return }
    stack.pushWait(op: Op.call.rawValue, operand: Int32(operand))
    if let identity = stack.identity(at: -1) { describable[identity] = [need] }
    stack.rawSet(-2, field: last)
  }

  /// The handle of a resource, in nested tables for its groups.
  private func addResource(
    _ use: ChainletDeclaration.Use, _ lease: ResourceLease, to instance: Int32, _ stack: LuaStack
  ) throws(LuaError) {
    let top = stack.top
    pushGroup(of: use.path, in: instance, stack)
    if let last = use.path.last {
      try module.resources.push(lease, onto: stack)
      stack.rawSet(-2, field: last)
    }
    stack.setTop(top)
  }

  /// A text without the secrets that this chainlet knows.
  func redacted(_ text: String) -> String {
    var text = text
    for secret in secrets where secret.utf8.count >= 4 { text = text.replacing(secret, with: "[redacted]") }
    return text
  }

  // MARK: Closing

  /// Frees the pool; the state closes when its last reference goes. No run of it may be left.
  func close() {
    core.pointee.isReady = false
    if let batching { lane.batchings[batching.key] = nil }
    emptyPool()
  }

  func emptyPool() {
    while let call = core.pointee.pool {
      core.pointee.pool = call.pointee.nextFree
      drop(call)
    }
    core.pointee.pooled = 0
  }
}

/// The time that is so many nanoseconds after another; far away is never.
func moment(_ time: UInt64, after now: UInt64) -> UInt64 { time > .max - now ? .max : now + time }

func nanoseconds(_ seconds: Double) -> UInt64 { seconds >= 1e9 ? .max : UInt64(Swift.max(0, seconds) * 1e9) }
