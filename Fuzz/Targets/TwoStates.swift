import ChainHost
import LuaBridge

/// Two states with a type bound in each, as caller and callee have.
struct TwoStates {
  private let program: SchemaProgram
  private let states: [LuaState]
  private let bindings: [SchemaBinding]
  private let limits = CrossingLimits(depth: 16, bytes: 1 << 16, nodes: 2000)

  init(_ type: ChainType) throws {
    program = SchemaProgram(type)
    states = [try LuaState(memoryLimit: 16 << 20), try LuaState(memoryLimit: 16 << 20)]
    bindings = [try SchemaBinding(program: program, state: states[0]), try SchemaBinding(program: program, state: states[1])]
  }

  /// JSON text onto the stack of a state. False, and nothing pushed, when it does not fit.
  func read(_ json: some Collection<UInt8>, into state: Int) throws -> Bool {
    try states[state].hostSection { stack throws(LuaError) in
      let top = stack.top
      let text = Array(json)
      let fits = text.withUnsafeBytes { bytes in
        do throws(TypeMismatch) {
          try JSONReader.read(bytes, program: program, onto: stack, binding: bindings[state], limits: limits, root: "it")
          return true
        } catch { return false }
      }
      guard stack.top == top + (fits ? 1 : 0) else { throw LuaError(.runtime, "reading left \(stack.top - top) values on the stack") }
      return fits
    }
  }

  /// What a chunk makes of some bytes, onto the stack of a state. False when the chunk fails.
  func make(_ chunk: String, from bytes: some Collection<UInt8>, in state: Int) throws -> Bool {
    let function = try states[state].load(chunk)
    try states[state].hostSection { stack throws(LuaError) in
      try function.push(to: stack)
      Array(bytes).withUnsafeBytes { stack.push(bytes: $0) }
    }
    do { try states[state].call(arguments: 1, results: 1) } catch { return false }
    return true
  }

  /// The value on top of the first state's stack into the second. False, and nothing pushed, when it does not fit.
  func cross() throws -> Bool {
    try states[0].hostSection { from throws(LuaError) in
      try states[1].hostSection { to throws(LuaError) in
        let (fromTop, toTop) = (from.top, to.top)
        _ = from.ensure(program.stackDepth)
        _ = to.ensure(program.stackDepth)
        let crossed = LuaToLua.crossing(program, from: from, at: -1, binding: bindings[0], to: to, binding: bindings[1], limits: limits)
        guard !crossed || (from.top == fromTop && to.top == toTop + 1) else { throw LuaError(.runtime, "a crossing pushes one value") }
        from.setTop(fromTop)
        to.setTop(toTop + (crossed ? 1 : 0))
        if !crossed { _ = TypeMismatch.explain(program, from: from, at: -1, root: "it", limits: limits) }
        guard from.top == fromTop else { throw LuaError(.runtime, "an explanation leaves the stack as it was") }
        return crossed
      }
    }
  }

  /// The value on top of a state's stack as JSON, or nil when it does not fit.
  func write(_ state: Int) throws -> [UInt8]? {
    try states[state].hostSection { stack throws(LuaError) in
      let top = stack.top
      var buffer = ByteBuffer()
      do throws(TypeMismatch) {
        try JSONWriter.write(program, from: stack, at: -1, binding: bindings[state], into: &buffer, limits: limits, root: "it")
      } catch {
        guard stack.top == top else { throw LuaError(.runtime, "a refused value leaves the stack as it was") }
        return nil
      }
      guard stack.top == top else { throw LuaError(.runtime, "writing leaves the stack as it was") }
      return Array(buffer.string.utf8)
    }
  }
}
