import ChainBase
import CLua
import CLuaGuard

/// Why a bounded call did not come back by itself. A limit says at which Lua line it struck, if it was at one.
package enum BoundedCallError: Error {
  /// What the function raised.
  case raised(LuaError)
  /// It ran longer than it may.
  case tooLong(SourcePlace?)
  /// The state has reached its memory limit.
  case noMemory(SourcePlace?)
  /// It made a string longer than one may be.
  case longString(SourcePlace?)
  /// It waited for something, or yielded, where nobody can resume it.
  case waited
}

extension LuaState {
  /// Calls the function below `arguments` values on the main stack; its first result replaces them. After `seconds` of
  /// running, the watchdog ends it. The thread may be a lane's own or any other; Lua must not run on it already.
  package func callBounded(arguments: Int32, seconds: Double) throws(BoundedCallError) {
    let base = core.pointee.main
    core.pointee.memory.host += 1
    guard lua_checkstack(base, 8) != 0, let coroutine = clg_new_base(base), lua_checkstack(coroutine, arguments + 8) != 0 else {
      core.pointee.memory.host -= 1
      throw .noMemory(nil)
    }
    lua_rotate(base, -(arguments + 2), 1) // the coroutine below the function: it is kept alive there
    lua_pushcclosure(coroutine, clg_body, 0)
    clg_push_handler(coroutine, { _, _ in 1 }, nil)
    lua_xmove(base, coroutine, arguments + 1)
    core.pointee.memory.host -= 1

    let end = resume(coroutine, arguments: arguments + 2, seconds: seconds)
    switch end {
    case .success:
      lua_xmove(coroutine, base, 1)
      lua_rotate(base, -2, 1)
      lua_settop(base, -2)
    case .failure(let error):
      lua_settop(base, -2)
      throw error
    }
  }

  private func resume(_ coroutine: OpaquePointer, arguments: Int32, seconds: Double) -> Result<Void, BoundedCallError> {
    let existing = clg_current_watch()
    let watch = existing ?? UnsafeMutablePointer<clg_watch>.allocate(capacity: 1)
    if existing == nil {
      // All of it, the atomics that Swift does not see too.
      UnsafeMutableRawPointer(watch).initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<clg_watch>.size)
      clg_attach(watch)
    }
    clg_turn_begins(watch)
    defer {
      if existing == nil {
        clg_turn_ends(watch)
        clg_detach(watch)
        watch.deallocate()
      }
    }
    var run = clg_run()
    run.coroutine = coroutine
    run.state = core
    run.deadline = .max
    run.cpu_left = UInt64(seconds * 1e9)
    var arguments = arguments
    watch.pointee.killed_run = nil
    while true {
      let now = watch.pointee.clock?.pointee ?? clg_now()
      var results: Int32 = 0
      let status = clg_resume(watch, &run, arguments, now, &results)
      switch status {
      case LUA_OK:
        // Room for one result: the coroutine's own function has left its frame.
        lua_settop(coroutine, max(results, 1))
        lua_settop(coroutine, 1)
        return .success(())
      case LUA_YIELD where watch.pointee.why == sig_atomic_t(CLG_SLICE.rawValue):
        let spent = max((watch.pointee.clock?.pointee ?? clg_now()) - now, watch.pointee.instructions > 0 ? clg_slice() : 0)
        if spent >= run.cpu_left { return .failure(.tooLong(LuaStack(coroutine).innermostPlace)) }
        run.cpu_left -= spent
        arguments = 0
      case LUA_YIELD: return .failure(.waited)
      case Int32(CLG_LOST_STATUS): return .failure(.tooLong(nil)) // the thread has been given up meanwhile
      default:
        let place = watch.takePlaceOfKill()
        switch clg_end(UInt32(run.killed)) {
        case CLG_CPU: return .failure(.tooLong(place))
        case CLG_STRING: return .failure(.longString(place))
        case CLG_MEMORY: return .failure(.noMemory(place))
        default: if status == LUA_ERRMEM { return .failure(.noMemory(place)) }
        }
        let stack = LuaStack(coroutine)
        let message = stack.text(at: -1) ?? "the error value is a \(stack.type(at: -1).name)"
        return .failure(.raised(LuaError(.runtime, message)))
      }
    }
  }
}

extension UnsafeMutablePointer<clg_watch> {
  /// Where a run of this thread reached its limit; it is told once.
  package func takePlaceOfKill() -> SourcePlace? {
    guard pointee.killed_run != nil else { return nil }
    pointee.killed_run = nil
    let file = withUnsafeBytes(of: &pointee.killed_file) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return SourcePlace(file: file, line: Int(pointee.killed_line))
  }
}

extension LuaStack {
  /// The innermost Lua line.
  fileprivate var innermostPlace: SourcePlace? {
    filePlaces(from: 0, atMost: 1).first.map { SourcePlace(file: $0.file, line: $0.line) }
  }
}
