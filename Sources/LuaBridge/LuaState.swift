import CLua
import CLuaGuard

/// One sandboxed Lua state: the allowed libraries, sealed globals, a memory limit.
///
/// A state belongs to one thread at a time and is not `Sendable`: make it, use it and drop it on the same thread.
/// Swift code reaches Lua's API only through `LuaStack`, inside a host section, where no push can raise.
public final class LuaState {
  @usableFromInline package let core: UnsafeMutablePointer<clg_state>
  /// The Swift objects that Lua holds by address: native functions. They live as long as the state.
  private var owned: [AnyObject] = []

  /// Of whoever runs the state in events; nil: nobody waits for their end.
  package var stepped: SteppedFunctions?

  /// Whether it is noted what a native function takes of its arguments, and what of that it takes by reference.
  var isNoting = false
  var noted: [SharedMemory] = []

  /// Opens a state.
  /// - Parameters:
  ///   - memoryLimit: bytes that Lua may hold; past it the code that asks for more fails with a memory error.
  ///   - seed: of `math.random`; 0 takes a random one.
  /// - Throws: `LuaError` of kind `.memory` when the limit is too small for the libraries (about 15 KB).
  public init(memoryLimit: Int = 64 << 20, seed: UInt64 = 0) throws(LuaError) {
    guard let core = clg_open(max(0, memoryLimit)) else { throw .noMemory }
    self.core = core
    core.pointee.seed = seed
    core.pointee.owner = Unmanaged.passUnretained(self).toOpaque()
    // From here on the object is whole: `deinit` closes the state when this throws.
    clg_rest_collector(core)
    guard clg_protected(core.pointee.main, clg_open_sandbox, nil) == LUA_OK else { throw .noMemory }
    clg_wake_collector(core, 0)
  }

  /// Runs the closing of a large state elsewhere, since that takes long; nil: it is closed where it is let go.
  package var closer: ((@escaping @Sendable () -> Void) -> Void)?
  /// A state of more bytes is large: closing it takes about half a millisecond.
  package static let largeState = 1 << 20

  deinit {
    let remains = StateRemains(core: core, owned: owned)
    guard core.pointee.memory.used > LuaState.largeState, let closer else { return }
    closer { withExtendedLifetime(remains) {} }
  }

  /// The bytes that Lua holds now.
  public var memoryUsed: Int { core.pointee.memory.used }
  /// The most that it ever held.
  public var memoryPeak: Int { core.pointee.memory.peak }
  public var memoryLimit: Int {
    get { core.pointee.memory.limit }
    set { core.pointee.memory.limit = max(0, newValue) }
  }

  /// The longest string that scripts can make, in bytes: 16 MB. Asking for a longer one is an error, or a memory error
  /// where the VM itself makes it (`..`). Strings that the host pushes are not counted.
  public var stringLimit: Int {
    get { core.pointee.memory.string_limit }
    set { core.pointee.memory.string_limit = max(0, newValue) }
  }
  /// The coroutines that scripts may have at once, dead ones counted until they are collected: 10,000.
  public var coroutineLimit: Int {
    get { Int(core.pointee.coroutine_limit) }
    set { core.pointee.coroutine_limit = Int32(clamping: newValue) }
  }
  /// The coroutines that scripts have made and that are not collected yet.
  public var coroutines: Int { clg_coroutines(core) }

  /// Keeps a Swift object alive as long as the state.
  package func own(_ object: AnyObject) { owned.append(object) }

  package static func of(_ stack: LuaStack) -> UnsafeMutablePointer<clg_state> { clg_state_of(stack.L) }

  static func holding(_ stack: LuaStack) -> LuaState? {
    of(stack).pointee.owner.map { Unmanaged<LuaState>.fromOpaque($0).takeUnretainedValue() }
  }

  // MARK: Host sections

  /// The main coroutine's stack. Only inside a host section.
  @inlinable package var main: LuaStack { LuaStack(core.pointee.main) }

  /// Runs `body` with the main stack; no push in it can raise. What it leaves on the stack stays, unless it throws.
  /// - Throws: what `body` throws, or a memory error when the state is over its limit afterwards even when collected.
  package func hostSection<R>(_ body: (LuaStack) throws(LuaError) -> R) throws(LuaError) -> R {
    let stack = main
    let top = stack.top
    core.pointee.memory.host += 1
    guard stack.ensure(64) else {
      core.pointee.memory.host -= 1
      throw .noMemory
    }
    let result: R
    do throws(LuaError) {
      result = try body(stack)
      core.pointee.memory.host -= 1
    } catch {
      stack.setTop(top)
      core.pointee.memory.host -= 1
      throw error
    }
    // Inside another section nothing is refused: that one judges.
    guard core.pointee.memory.host > 0 || clg_settle_protected(core) == LUA_OK else {
      stack.setTop(top)
      throw .noMemory
    }
    return result
  }

  // MARK: Chunks

  /// Compiles a chunk of text; it can see the sealed globals and nothing else.
  /// - Parameter name: what messages call it, for example the file's name.
  public func load(_ source: String, name: String = "chunk") throws(LuaError) -> LuaFunction {
    var source = source
    let loaded: Result<LuaFunction, LuaError> = source.withUTF8 { text in
      do throws(LuaError) {
        try pushChunk(UnsafeRawBufferPointer(text), name: name, mode: "t")
        return .success(LuaFunction(kept: try hostSection { $0.keep() }, in: self))
      } catch { return .failure(error) }
    }
    return try loaded.get()
  }

  /// Compiles a chunk and runs it: `let n: Int = try lua.run("return 1 + 1")`.
  public func run<R: LuaReadable>(_ source: String, name: String = "chunk") throws(LuaError) -> R {
    try load(source, name: name).call()
  }

  /// Compiles a chunk and runs it for its effects.
  public func run(_ source: String, name: String = "chunk") throws(LuaError) {
    let _: LuaNothing = try load(source, name: name).call()
  }

  /// Pushes a compiled chunk onto the main stack. Mode "t" takes text only; "b" is for bytecode that this process made.
  package func pushChunk(_ code: UnsafeRawBufferPointer, name: String, mode: String) throws(LuaError) {
    let L = core.pointee.main
    guard lua_checkstack(L, 8) != 0 else { throw .noMemory }
    let start = code.baseAddress?.assumingMemoryBound(to: CChar.self)
    let status = name.withCString { name in mode.withCString { clg_load(L, start, code.count, name, $0) } }
    guard status == LUA_OK else { throw popError(status, kind: .syntax) }
    try hostSection { stack in
      stack.pushGlobals()
      stack.setUpvalue(1, of: -2)
    }
  }

  /// Calls the function below `arguments` values on the main stack; `results` values replace them.
  /// Outside of any lane: nothing can wait. Must not be called while Lua runs in this state.
  package func call(arguments: Int32, results: Int32) throws(LuaError) {
    let L = core.pointee.main
    let status = clg_call(L, arguments, results)
    guard status == LUA_OK else { throw popError(status, kind: .runtime) }
  }

  /// Pops the error value on top of the main stack.
  package func popError(_ status: Int32, kind: LuaError.Kind) -> LuaError {
    let stack = main
    defer { stack.pop() }
    if status == LUA_ERRMEM { return .noMemory }
    let message = stack.text(at: -1) ?? "the error value is a \(stack.type(at: -1).name)"
    let lines = message.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let marker = lines.firstIndex(of: "stack traceback:") else { return LuaError(kind, message) }
    let trace = lines[(marker + 1)...].map { String($0.drop(while: { $0 == "\t" })) }
    return LuaError(kind, lines[..<marker].joined(separator: "\n"), traceback: Array(trace.prefix(50)))
  }

  // MARK: Globals

  /// Lua's own libraries, as far as scripts have them.
  package static let libraries: [String] = (Int32(0)...).lazy.map { clg_library_name($0) }.prefix { $0 != nil }
    .compactMap { $0.map { String(cString: $0) } }

  /// Adds a global for the scripts: the host alone can.
  public func set<V: LuaPushable>(_ name: String, to value: V) throws(LuaError) {
    try hostSection { stack throws(LuaError) in
      stack.pushRealGlobals()
      try value.push(to: stack)
      stack.rawSet(-2, field: name)
      stack.pop()
    }
  }

  /// Runs a full collection.
  public func collectGarbage() { _ = clua_gc_collect(core.pointee.main) }
}

/// What is left of a state that nobody uses any more: closed with its last reference, whatever becomes of the work that
/// holds it.
private final class StateRemains: @unchecked Sendable {
  // Unchecked: whoever drops it is the only one that has it, and no thread's.
  private let core: UnsafeMutablePointer<clg_state>
  private let owned: [AnyObject]

  init(core: UnsafeMutablePointer<clg_state>, owned: [AnyObject]) {
    self.core = core
    self.owned = owned
  }

  deinit { clg_close(core) } // the objects that Lua knows by address go afterwards
}
