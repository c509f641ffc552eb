import CLua
import CLuaGuard

/// What a scheduler of coroutines needs of a stack.
extension LuaStack {
  /// The protected base function of every run: handler, function and arguments follow.
  package func pushRunBody() { lua_pushcclosure(L, clg_body, 0) }

  /// A function that waits in the host; `op` and `operand` say for what.
  package func pushWait(op: Int32, operand: Int32 = 0) { clg_push_wait(L, op, operand) }

  /// What the body of a function that may wait returns, to wait.
  package static var waits: Int32 { Int32(CLG_WAITS) }

  /// Whether the run that called in can wait here.
  package var canWait: Bool { clg_can_wait(L) != 0 }

  /// As `pushWait`, but what is called with a userdata first is the function on top, which this one replaces.
  package func pushWaitOrCall(op: Int32) { clg_push_wait_or_call(L, op) }

  /// A message handler; the method may replace the error value on top. It is not called for a run that is being ended.
  package func pushHandler(_ method: NativeMethod, of object: AnyObject) {
    clg_push_handler(L, method, Unmanaged.passUnretained(object).toOpaque())
  }

  /// Pushes `try(fn, …)`: the results of `fn`, or nil and what the method made of the error value on top.
  package func pushTry(_ method: NativeMethod, of object: AnyObject) {
    pushHandler(method, of: object)
    clg_push_try(L)
  }

  /// Whether the run that called in is being ended, from outside or by a limit.
  package var isEndedRun: Bool { clg_run_ends() != 0 }

  /// Whether the coroutine ended without an error, or has not begun.
  @inlinable @inline(__always) package var canBeReused: Bool { lua_status(L) == LUA_OK }

  /// Keeps the top `count` values and drops those below, as far as this function's frame goes.
  package func keepOnly(_ count: Int32) {
    lua_rotate(L, 1, count)
    lua_settop(L, count)
  }

  /// Pushes a list of the keys of the table at `index`, all of them short strings, in the order of their bytes; returns their number.
  package func pushSortedNames(of index: Int32, most: Int) throws(LuaError) -> Int64 {
    let index = absolute(index)
    guard ensure(6) else { throw .noMemory }
    pushTable()
    let found = top
    var keys: [(bytes: UnsafeRawBufferPointer, place: Int64)] = []
    pushNil()
    while next(index) {
      guard type(at: -2) == .string else {
        throw LuaError(.runtime, "expected a name for each function, got the key \(key(at: -2)); write { name = function() … end }")
      }
      guard keys.count < most else { throw LuaError(.runtime, "more than \(most) functions") }
      guard rawLength(at: -2) <= LuaStack.longestName else {
        throw LuaError(.runtime, "a function's name has at most \(LuaStack.longestName) bytes, got one of \(rawLength(at: -2))")
      }
      pop()
      push(copyOf: -1)
      keys.append((bytes(at: -1), Int64(keys.count + 1))) // they stay where they are while the key is in the table
      rawSet(found, at: Int64(keys.count))
    }
    keys.sort { $0.bytes.precedes($1.bytes) }
    pushTable(array: Int32(clamping: keys.count))
    for (position, key) in keys.enumerated() {
      rawGet(found, at: key.place)
      rawSet(-2, at: Int64(position + 1))
    }
    remove(at: found)
    return Int64(keys.count)
  }

  /// Gives `body` each key of the table at `index`, one that is no name as `[1]`, and the position of its value. What `body`
  /// throws ends it: a table of options has few fields, and the first wrong one is told.
  package func forEachField<Problem: Error>(at index: Int32, _ body: (String, Int32) throws(Problem) -> Void) throws(Problem) {
    let index = absolute(index)
    let top = top
    guard ensure(6) else { return }
    defer { setTop(top) }
    pushNil()
    while next(index) {
      try body(key(at: top + 1), top + 2)
      setTop(top + 1)
    }
  }

  /// The key at `index` as text; of a long one the beginning.
  private func key(at index: Int32) -> String {
    if let text = text(at: index, most: LuaStack.longestName) { return text }
    return type(at: index) == .number ? "[\(isInteger(at: index) ? "\(integer(at: index))" : "\(number(at: index))")]" : "[\(type(at: index).name)]"
  }

  /// Bytes of a name in a message.
  package static let longestName = 256

  // MARK: Handles

  /// A userdata that names something of the host's; scripts cannot make or change one.
  package func pushHandle(_ id: UInt64, metatable: Int32) {
    guard let memory = lua_newuserdatauv(L, MemoryLayout<UInt64>.size, 0) else { return pushNil() }
    memory.storeBytes(of: id, as: UInt64.self)
    push(kept: metatable)
    setMetatable(of: -2)
  }

  /// The number in a handle of that kind, or nil for any other value.
  package func handle(at index: Int32, metatable: Int32) -> UInt64? {
    guard type(at: index) == .userdata, pushMetatable(of: index) else { return nil }
    push(kept: metatable)
    let isOurs = rawEqual(-1, -2)
    pop(2)
    guard isOurs, let memory = lightUserdata(at: index) else { return nil }
    return memory.load(as: UInt64.self)
  }
}
