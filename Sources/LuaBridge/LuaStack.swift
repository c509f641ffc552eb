import CLua
import CLuaGuard

/// One coroutine's stack, inside a host section.
///
/// What must hold, and who keeps it: the state's `host` counter is up (`LuaState.hostSection`, or the lane around a
/// crossing), so that no push can raise; only the thread that owns the state uses it; and the caller has asked
/// `ensure` for room. Nothing here can call a metamethod or raise, so no jump crosses a Swift frame. A stack must not
/// be kept: it is valid until the section ends.
public struct LuaStack {
  @usableFromInline package let L: OpaquePointer
  @inlinable @inline(__always) package init(_ L: OpaquePointer) { self.L = L }
}

// MARK: - Height

extension LuaStack {
  /// The number of values on it.
  @inlinable @inline(__always) public var top: Int32 { lua_gettop(L) }
  @inlinable @inline(__always) package func setTop(_ top: Int32) { lua_settop(L, top) }
  @inlinable @inline(__always) package func pop(_ count: Int32 = 1) { lua_settop(L, -count - 1) }
  /// Makes room for `count` more values; false when there is none (about a million).
  @inlinable @inline(__always) public func ensure(_ count: Int32) -> Bool { lua_checkstack(L, count) != 0 }
  @inlinable @inline(__always) public func absolute(_ index: Int32) -> Int32 { lua_absindex(L, index) }
}

// MARK: - Looking

extension LuaStack {
  @inlinable @inline(__always) public func type(at index: Int32) -> LuaType { LuaType(lua_type(L, index)) }
  @inlinable @inline(__always) package func isInteger(at index: Int32) -> Bool { lua_isinteger(L, index) != 0 }
  /// The integer of a number that is one.
  @inlinable @inline(__always) package func integer(at index: Int32) -> Int64 { lua_tointegerx(L, index, nil) }
  @inlinable @inline(__always) package func number(at index: Int32) -> Double { lua_tonumberx(L, index, nil) }
  @inlinable @inline(__always) package func boolean(at index: Int32) -> Bool { lua_toboolean(L, index) != 0 }
  /// The bytes of a value that is a string (a number would be converted in place and break `next`: check first).
  /// They live while the value is on the stack or in a table.
  @inlinable @inline(__always) package func bytes(at index: Int32) -> UnsafeRawBufferPointer {
    var count = 0
    let start = lua_tolstring(L, index, &count)
    return UnsafeRawBufferPointer(start: start, count: count)
  }
  /// The address of a string's bytes: the same for equal strings of up to 40 bytes.
  @inlinable @inline(__always) package func address(ofStringAt index: Int32) -> UnsafePointer<CChar>? {
    lua_tolstring(L, index, nil)
  }
  @inlinable @inline(__always) package func rawLength(at index: Int32) -> Int { Int(lua_rawlen(L, index)) }
  @inlinable @inline(__always) package func rawEqual(_ a: Int32, _ b: Int32) -> Bool { lua_rawequal(L, a, b) != 0 }
  /// The identity of a table, function, userdata or coroutine.
  @inlinable @inline(__always) package func identity(at index: Int32) -> UnsafeRawPointer? { lua_topointer(L, index) }
  @inlinable @inline(__always) package func lightUserdata(at index: Int32) -> UnsafeMutableRawPointer? { lua_touserdata(L, index) }
  @inlinable @inline(__always) package func isNativeFunction(at index: Int32) -> Bool { lua_iscfunction(L, index) != 0 }

  /// A copy of a string value as text; invalid UTF-8 is replaced. nil for other types.
  public func text(at index: Int32) -> String? {
    guard type(at: index) == .string else { return nil }
    return String(decoding: bytes(at: index), as: UTF8.self)
  }

  /// As `text`, of at most so many bytes: "…" stands for the rest of a longer string.
  package func text(at index: Int32, most: Int) -> String? {
    guard type(at: index) == .string else { return nil }
    let bytes = bytes(at: index)
    guard bytes.count > most else { return String(decoding: bytes, as: UTF8.self) }
    var end = most
    while end > max(0, most - 4), bytes[end] & 0xC0 == 0x80 { end -= 1 } // not in the midst of a character
    return String(decoding: bytes[..<end], as: UTF8.self) + "…"
  }

  /// A short word for a message: `string ("7")`, `integer (7)`, `table`.
  public func describe(at index: Int32) -> String {
    let kind = type(at: index)
    switch kind {
    case .string:
      let bytes = bytes(at: index)
      let shown = String(decoding: bytes.prefix(32), as: UTF8.self)
      return "string (\"\(LuaStack.escaped(shown))\(bytes.count > 32 ? "…" : "")\")"
    case .number: return isInteger(at: index) ? "integer (\(integer(at: index)))" : "number (\(number(at: index)))"
    case .boolean: return "boolean (\(boolean(at: index)))"
    default: return kind.name
    }
  }

  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      default:
        if scalar.value < 32 || scalar.value == 127 {
          result += "\\\(scalar.value)"
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result
  }
}

// MARK: - Pushing

extension LuaStack {
  @inlinable @inline(__always) package func pushNil() { lua_pushnil(L) }
  @inlinable @inline(__always) package func push(integer: Int64) { lua_pushinteger(L, integer) }
  @inlinable @inline(__always) package func push(number: Double) { lua_pushnumber(L, number) }
  @inlinable @inline(__always) package func push(boolean: Bool) { lua_pushboolean(L, boolean ? 1 : 0) }
  @inlinable @inline(__always) package func push(bytes: UnsafeRawBufferPointer) {
    _ = lua_pushlstring(L, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
  }
  package func push(text: String) {
    var text = text
    text.withUTF8 { push(bytes: UnsafeRawBufferPointer($0)) }
  }
  @inlinable @inline(__always) package func push(copyOf index: Int32) { lua_pushvalue(L, index) }
  @inlinable @inline(__always) package func push(lightUserdata: UnsafeMutableRawPointer) { lua_pushlightuserdata(L, lightUserdata) }
  /// A new table with room for `array` positions and `fields` named fields.
  @inlinable @inline(__always) package func pushTable(array: Int32 = 0, fields: Int32 = 0) { lua_createtable(L, array, fields) }
  /// One that no script can resume.
  @inlinable @inline(__always) package func pushCoroutine() -> LuaStack? { clg_new_base(L).map { LuaStack($0) } }
  @inlinable @inline(__always) package func insert(at index: Int32) { lua_rotate(L, index, 1) }
  @inlinable @inline(__always) package func remove(at index: Int32) { lua_rotate(L, index, -1); lua_settop(L, -2) }
  @inlinable @inline(__always) package func replace(at index: Int32) { lua_copy(L, -1, index); lua_settop(L, -2) }
  /// Moves the top `count` values to another coroutine of the same state; false when there is no room: then they are dropped.
  @inlinable @inline(__always) @discardableResult package func move(_ count: Int32, to other: LuaStack) -> Bool {
    guard other.ensure(count) else {
      pop(count)
      return false
    }
    lua_xmove(L, other.L, count)
    return true
  }
}

// MARK: - Tables, raw

extension LuaStack {
  /// Replaces the key on top by its value in the table at `index`.
  @inlinable @inline(__always) @discardableResult package func rawGet(_ index: Int32) -> LuaType { LuaType(lua_rawget(L, index)) }
  /// Sets table[key] = value, both popped, the value on top. The key must not be nil or NaN.
  @inlinable @inline(__always) package func rawSet(_ index: Int32) { lua_rawset(L, index) }
  @inlinable @inline(__always) @discardableResult package func rawGet(_ index: Int32, at position: Int64) -> LuaType { LuaType(lua_rawgeti(L, index, position)) }
  @inlinable @inline(__always) package func rawSet(_ index: Int32, at position: Int64) { lua_rawseti(L, index, position) }
  /// Pops a key; pushes the next key and value and is true, or pushes nothing at the end.
  @inlinable @inline(__always) package func next(_ index: Int32) -> Bool { lua_next(L, index) != 0 }

  /// Pushes the field `name` of the table at `index`.
  @discardableResult package func rawGet(_ index: Int32, field name: String) -> LuaType {
    let index = absolute(index)
    push(text: name)
    return rawGet(index)
  }
  /// Sets the field `name` of the table at `index` to the value on top, popped.
  package func rawSet(_ index: Int32, field name: String) {
    let index = absolute(index)
    push(text: name)
    insert(at: -2)
    rawSet(index)
  }
  @inlinable package func pushMetatable(of index: Int32) -> Bool { lua_getmetatable(L, index) != 0 }
  /// Pops a table and makes it the metatable of the value at `index`.
  @inlinable package func setMetatable(of index: Int32) { lua_setmetatable(L, index) }
}

extension LuaStack {
  /// A full collection. It runs no Lua: `__gc` is the host's alone.
  package func collectGarbage() { _ = clua_gc_collect(L) }
}

// MARK: - The registry

extension LuaStack {
  /// Pops the value on top and keeps it; the number finds it again.
  @inlinable @inline(__always) package func keep() -> Int32 { luaL_ref(L, clua_registryindex()) }
  @inlinable @inline(__always) package func release(_ reference: Int32) { luaL_unref(L, clua_registryindex(), reference) }
  @inlinable @inline(__always) @discardableResult package func push(kept reference: Int32) -> LuaType {
    LuaType(lua_rawgeti(L, clua_registryindex(), Int64(reference)))
  }
  @inlinable @discardableResult package func push(keptAt key: UnsafeRawPointer) -> LuaType {
    LuaType(lua_rawgetp(L, clua_registryindex(), key))
  }
  @inlinable package func keep(at key: UnsafeRawPointer) { lua_rawsetp(L, clua_registryindex(), key) }
}

// MARK: - Functions

extension LuaStack {
  package func pushGlobals() { clg_push_globals(L) }
  package func pushRealGlobals() { clg_push_real_globals(L) }
  /// Pushes the read-only view of one of Lua's own libraries; false, and nothing, for another name.
  package func pushLibrary(_ name: String) -> Bool { clg_push_library(L, name) != 0 }
  /// Pushes upvalue `n` of the function at `index` and gives its name; nil past the last.
  package func pushUpvalue(_ n: Int32, of index: Int32) -> String? {
    lua_getupvalue(L, index, n).map { String(cString: $0) }
  }
  /// Pops a value into upvalue `n` of the function at `index`.
  @discardableResult package func setUpvalue(_ n: Int32, of index: Int32) -> Bool { lua_setupvalue(L, index, n) != nil }
  package func upvalueIdentity(_ n: Int32, of index: Int32) -> UnsafeRawPointer? { UnsafeRawPointer(lua_upvalueid(L, index, n)) }
  /// Replaces the table on top by a read-only view.
  package func makeReadOnly(name: String) { _ = clg_make_read_only(L, name) }
  /// If a read-only view of that name lies at `index`, the table behind it takes its place. Needs three slots.
  package func replaceView(at index: Int32, named name: String) -> Bool {
    let index = absolute(index)
    guard clg_push_viewed(L, index, name) != 0 else { return false }
    replace(at: index)
    return true
  }
}

/// The candidate nearest to a misspelt name, if one is near: for "did you mean".
package func nearestName<S: Sequence<String>>(to name: String, among candidates: S) -> String? {
  var best: String?
  var bestDistance = Int32(name.utf8.count < 4 ? 2 : name.utf8.count / 3 + 1)
  for candidate in candidates where candidate != name {
    let distance = name.withCString { a in
      candidate.withCString { b in clg_distance(a, name.utf8.count, b, candidate.utf8.count) }
    }
    if distance < bestDistance {
      bestDistance = distance
      best = candidate
    }
  }
  return best
}
