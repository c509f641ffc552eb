import CLua
import CLuaGuard

// Compiled chunks inside a host section, and where Lua code is.
extension LuaStack {
  /// Pushes a compiled chunk whose globals are the sealed ones, or gives the compiler's message and pushes nothing.
  /// Mode "t" takes text only; "b" is for bytecode that this process made. Allowed while Lua runs.
  package func pushChunk(_ code: UnsafeRawBufferPointer, name: String, mode: String) -> String? {
    let start = code.baseAddress?.assumingMemoryBound(to: CChar.self)
    let status = name.withCString { name in mode.withCString { clg_load(L, start, code.count, name, $0) } }
    guard status == LUA_OK else {
      defer { pop() }
      return text(at: -1) ?? "not enough memory to compile \(name)"
    }
    pushGlobals()
    setUpvalue(1, of: -2)
    return nil
  }

  /// The bytecode of the Lua function on top, as this Lua's own `lua_dump` writes it.
  package func dump(stripped: Bool) -> [UInt8] {
    var code: [UInt8] = []
    code.reserveCapacity(2_048) // it comes in pieces of a few bytes
    withUnsafeMutablePointer(to: &code) { code in
      // lua_dump neither allocates in the state nor raises; the writer only appends.
      _ = lua_dump(
        L,
        { _, piece, count, target in
          guard let piece, let target else { return 1 }
          target.assumingMemoryBound(to: [UInt8].self).pointee
            .append(contentsOf: UnsafeRawBufferPointer(start: piece, count: count))
          return 0
        }, code, stripped ? 1 : 0)
    }
    return code
  }

  /// The file and line of the Lua function `level` calls up (0 is the running one); nil for native functions, code
  /// without lines, and past the outermost call.
  package func filePlace(level: Int32) -> (file: String, line: Int)? {
    var activation = lua_Debug()
    guard lua_getstack(L, level, &activation) != 0, lua_getinfo(L, "Sl", &activation) != 0, activation.currentline > 0,
      let source = activation.source, source.pointee == 64 /* @ */
    else { return nil }
    return (String(cString: source + 1), Int(activation.currentline))
  }

  /// The lines of the calls from `level` outward, innermost first, with functions' names where Lua knows them.
  package func filePlaces(from level: Int32, atMost limit: Int = 20) -> [(file: String, line: Int, function: String?)] {
    var places: [(file: String, line: Int, function: String?)] = []
    var level = level
    var activation = lua_Debug()
    while places.count < limit, lua_getstack(L, level, &activation) != 0 {
      if lua_getinfo(L, "Sln", &activation) != 0, activation.currentline > 0, let source = activation.source,
        source.pointee == 64
      {
        places.append((String(cString: source + 1), Int(activation.currentline), activation.name.map { String(cString: $0) }))
      }
      level += 1
    }
    return places
  }

  /// Leaves `message`, after the place of the call `level` calls up, on top for the trampoline to raise.
  package func fail(_ message: String, level: Int32) -> Int32 {
    let place = filePlace(level: level).map { "\($0.file):\($0.line): " } ?? ""
    push(text: place + message)
    return Int32(CLG_ERROR)
  }

  /// The line in which the Lua function at `index` begins, and its file.
  package func definition(at index: Int32) -> (file: String, line: Int)? {
    guard type(at: index) == .function, !isNativeFunction(at: index) else { return nil }
    var activation = lua_Debug()
    push(copyOf: index)
    guard lua_getinfo(L, ">S", &activation) != 0, let source = activation.source, source.pointee == 64 else { return nil }
    return (String(cString: source + 1), Int(activation.linedefined))
  }
}

extension LuaState {
  /// The Swift object of the state that a stack belongs to.
  package static func owner(of stack: LuaStack) -> LuaState? {
    LuaState.of(stack).pointee.owner.map { Unmanaged<LuaState>.fromOpaque($0).takeUnretainedValue() }
  }
}
