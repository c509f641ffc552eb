import CLua

/// One Lua function on the stack of calls.
package struct LuaFrame: Sendable {
  package var file: String
  package var line: Int
  package var function: String?
  /// How many calls up from the innermost.
  package var level: Int32

  /// What is looked at for a name that could have been meant: steps of a path of fields, keys of a table, tables behind it.
  static let longestPath = 16, mostNames = 1_000, mostDelegates = 8
}

extension LuaStack {
  /// The Lua functions on the stack, innermost first; functions in C are left out.
  package func frames(limit: Int = 12) -> [LuaFrame] {
    var frames: [LuaFrame] = []
    var level: Int32 = 0
    var activation = lua_Debug()
    while frames.count < limit, lua_getstack(L, level, &activation) != 0 {
      if lua_getinfo(L, "Sln", &activation) != 0, activation.currentline > 0 {
        let file = withUnsafeBytes(of: &activation.short_src) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let name = activation.name.map { String(cString: $0) }
        frames.append(LuaFrame(file: file, line: Int(activation.currentline), function: name, level: level))
      }
      level += 1
    }
    return frames
  }

  /// The string keys that `path` offers where the frame at `level` stands: a local or upvalue, then fields of it.
  /// Keys behind metatables that delegate to a table are counted in.
  package func names(of path: [String], level: Int32) -> [String] {
    let top = top
    defer { setTop(top) }
    guard path.count <= LuaFrame.longestPath, ensure(16), let first = path.first, pushVariable(first, level: level) else { return [] }
    for field in path.dropFirst() {
      guard type(at: -1) == .table else { return [] }
      if rawGet(-1, field: field) == .nil {
        pop()
        guard replaceByDelegate(), rawGet(-1, field: field) != .nil else { return [] }
      }
      remove(at: -2)
    }
    var names: [String] = []
    for _ in 0..<LuaFrame.mostDelegates {
      addNames(to: &names)
      guard replaceByDelegate() else { break }
    }
    return names
  }

  /// Of the value on top.
  private func addNames(to names: inout [String]) {
    guard type(at: -1) == .table else { return }
    let table = top
    pushNil()
    for _ in 0..<LuaFrame.mostNames {
      guard next(table) else { return }
      pop()
      if type(at: -1) == .string, bytes(at: -1).count <= LuaStack.longestName, let name = text(at: -1) { names.append(name) }
    }
    pop()
  }

  /// Replaces the value on top by the table that its metatable delegates reads to; false, and the stack as it was, if there
  /// is none.
  private func replaceByDelegate() -> Bool {
    guard pushMetatable(of: -1) else { return false }
    guard rawGet(-1, field: "__index") == .table else {
      pop(2)
      return false
    }
    replace(at: -3)
    pop()
    return true
  }

  private func pushVariable(_ name: String, level: Int32) -> Bool {
    var activation = lua_Debug()
    guard lua_getstack(L, level, &activation) != 0 else { return false }
    var position: Int32 = 1
    var found: Int32 = 0
    while let local = lua_getlocal(L, &activation, position) { // the last one of a name is the one in scope
      pop()
      if String(cString: local) == name { found = position }
      position += 1
    }
    if found > 0 { return lua_getlocal(L, &activation, found) != nil }
    guard lua_getinfo(L, "f", &activation) != 0 else { return false }
    position = 1
    while let upvalue = lua_getupvalue(L, -1, position) {
      if String(cString: upvalue) == name {
        remove(at: -2)
        return true
      }
      pop()
      position += 1
    }
    pop()
    pushRealGlobals()
    guard type(at: -1) == .table, rawGet(-1, field: name) != .nil else { return false }
    return true
  }
}
