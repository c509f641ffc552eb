import LuaBridge

/// A type as one state sees it: the compiled program and the names of its fields in that state's registry.
/// Holds both by hand, so that the path of a call counts no references; `release` is called once.
struct SchemaLink {
  let program: Unmanaged<SchemaProgram>
  let binding: Unmanaged<SchemaBinding>

  init(_ program: SchemaProgram, _ state: LuaState) throws(LuaError) {
    binding = .passRetained(try SchemaBinding(program: program, state: state))
    self.program = .passRetained(program)
  }

  func release() {
    program.release()
    binding.release()
  }

  /// Checks the value at `index` and copies it onto `to`, whose binding this is; `source` is the same type as the other
  /// state sees it. Inside a host section of `to`'s state.
  @inline(__always) func copy(
    from: LuaStack, at index: Int32, _ source: SchemaLink, to: LuaStack, limits: CrossingLimits, streams: LuaToLua.StreamHook? = nil,
    pause: Pace.Pause? = nil
  ) -> Bool {
    program._withUnsafeGuaranteedRef { program in
      guard to.ensure(program.stackDepth), from.ensure(program.stackDepth) else { return false }
      return source.binding._withUnsafeGuaranteedRef { source in
        binding._withUnsafeGuaranteedRef { target in
          LuaToLua.crossing(
            program, from: from, at: index, binding: source, to: to, binding: target, limits: limits, stream: streams, pause: pause)
        }
      }
    }
  }
}

extension SchemaLink {
  /// As `copy`, all of it at once; nil when the value is larger than the limits.
  @inline(__always) func tryCopy(
    from: LuaStack, at index: Int32, _ source: SchemaLink, to: LuaStack, limits: CrossingLimits, streams: LuaToLua.StreamHook? = nil
  ) -> Bool? {
    program._withUnsafeGuaranteedRef { program in
      guard to.ensure(program.stackDepth), from.ensure(program.stackDepth) else { return false }
      return source.binding._withUnsafeGuaranteedRef { source in
        binding._withUnsafeGuaranteedRef { target in
          LuaToLua.attempt(
            program, from: from, at: index, binding: source, to: to, binding: target, limits: limits, stream: streams)
        }
      }
    }
  }
}

/// A link for one large crossing alone: bindings remember what they met in the value at hand.
final class OwnLink {
  let link: SchemaLink

  /// nil: the state has no room for it.
  init?(_ program: SchemaProgram, _ state: LuaState) {
    do throws(LuaError) { link = try SchemaLink(program, state) } catch { return nil }
  }

  deinit { link.release() }
}

/// One entry of a chainlet's `needs`, in one state.
struct Need {
  /// Changes when the target is rebuilt.
  var target: UnsafeMutablePointer<StateCore>
  /// The target's input and output as the caller's state sees them.
  let input: SchemaLink
  /// For a stream: of its items.
  let output: SchemaLink
  /// For a stream: of what follows the items.
  let result: SchemaLink?
  let isStream: Bool
  let options: CallOptions
  /// What a call with plain options needs no look at: no timeout, no retries, no bound of its own, no stream.
  let isPlain: Bool
  /// The bound of `:with { concurrency = n }`.
  let gate: Unmanaged<NeedGate>?
}

extension Need {
  func release() {
    input.release()
    output.release()
    result?.release()
    gate?.release()
  }
}

/// Options of a need or of one call.
struct CallOptions {
  /// Nanoseconds for all attempts and their waiting; nil for none of its own.
  var timeout: UInt64?
  var retries = 0
  var concurrency: Int?
}

/// The bound of one need on its calls at once.
final class NeedGate {
  let limit: Int
  var taken = 0
  var waiting = WaitLine()
  var hasPlace: Bool { taken < limit }
  /// While places are being given on: a call may end in the midst of it.
  var isAdmitting = false
  init(limit: Int) { self.limit = limit }
}
