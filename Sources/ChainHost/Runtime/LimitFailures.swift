import ChainBase
import CLuaGuard
import LuaBridge

/// Why a limit ended something, told alike for all of them: the chainlet, the limit's name, its value, and the Lua
/// line that hit it. For programs `details` has the name and the value.
extension ChainletState {
  /// - Parameters:
  ///   - text: what follows the chainlet's name.
  ///   - trace: where it was, innermost first; empty where no Lua line was at it.
  func limitFailure(
    _ code: String, _ limit: String, _ value: ChainValue, _ text: String, _ trace: [Failure.TraceEntry] = []
  ) -> Failure {
    let place = trace.first?.place.map { " at \($0)" } ?? ""
    return Failure(
      code: code, message: "\(name) \(text)\(place)", details: ["limit": .string(limit), "value": value], chainlet: name, trace: trace)
  }

  func cpuFailure(_ trace: [Failure.TraceEntry]) -> Failure {
    let limit = program.limits.cpu
    return limitFailure(
      Failure.Code.cpuLimit, "limits.cpu", .number(limit), "ran for more than its limit of \(secondsText(limit)) (limits.cpu)", trace)
  }

  func memoryFailure(_ trace: [Failure.TraceEntry] = [], for what: String = "") -> Failure {
    let limit = program.limits.memory
    return limitFailure(
      Failure.Code.memoryLimit, "limits.memory", .integer(Int64(limit)),
      "needs more memory than its limit of \(byteText(limit)) (limits.memory)\(what)", trace)
  }

  /// The code is that of `limits.memory`: it is the allocator that refuses.
  func stringFailure(_ trace: [Failure.TraceEntry]) -> Failure {
    let most = lua.stringLimit
    return limitFailure(
      Failure.Code.memoryLimit, "string", .integer(Int64(most)), "made a string longer than the limit of \(byteText(most)) for one string",
      trace)
  }

  /// It is raised where the call was made, which notes the trace.
  func depthFailure(calling target: ChainletState, _ place: SourcePlace?) -> Failure {
    let limit = program.limits.depth
    return limitFailure(
      Failure.Code.depthLimit, "limits.depth", .integer(Int64(limit)),
      "cannot call \(target.name): its limit of nested calls is \(limit) (limits.depth)\(place.map { " at \($0)" } ?? "")")
  }

  func overloadFailure() -> Failure {
    let queue = program.declaration.scaling.queue
    let running = core.pointee.isReady ? "\(core.pointee.slotsTaken) requests run (scaling.concurrency)" : "its state is being rebuilt"
    return limitFailure(
      Failure.Code.overloaded, "scaling.queue", .integer(Int64(queue)),
      "is overloaded: \(running) and \(core.pointee.waiting) wait (scaling.queue)")
  }

  /// A failure of what this chainlet gave: where it is too large, it tells the limit.
  func given(_ failure: Failure) -> Failure {
    guard failure.code == Failure.Code.outputLimit else { return failure }
    var failure = failure
    let limits = program.limits
    let (limit, value) = failure.message.hasSuffix("(limits.nodes)") ? ("limits.nodes", limits.nodes) : ("limits.output", limits.output)
    failure.details = ["limit": .string(limit), "value": .integer(Int64(value))]
    failure.chainlet = name
    return failure
  }

  /// A failure of what `run` returned. Nothing is left of the line that returned it, so it is told where `run` begins.
  func returned(_ failure: Failure) -> Failure {
    guard failure.code == Failure.Code.outputLimit else { return failure }
    var failure = given(failure)
    failure.trace.append(Failure.TraceEntry(chainlet: name, place: program.declaration.methods["run"], function: "run"))
    return failure
  }
}

extension Failure {
  /// A chainlet's state has no room for what the host puts into each.
  static func stateTooSmall(for chainlet: String, memory: Int) -> Failure {
    memoryFailure(
      whileLoading: chainlet, memory, "limits.memory (\(byteText(memory))) is too small: a state takes about 30 KB before it does anything")
  }

  /// The file of a chainlet has reached the memory limit of its state.
  static func evaluation(of file: String, for chainlet: String, exceeds memory: Int, at place: SourcePlace?) -> Failure {
    let text = "evaluating \(file) takes more memory than limits.memory (\(byteText(memory))) allows\(place.map { " at \($0)" } ?? "")"
    return memoryFailure(whileLoading: chainlet, memory, text, place)
  }

  private static func memoryFailure(
    whileLoading chainlet: String, _ memory: Int, _ text: String, _ place: SourcePlace? = nil
  ) -> Failure {
    Failure(
      code: Failure.Code.memoryLimit, message: "\(chainlet): \(text)",
      details: ["limit": "limits.memory", "value": .integer(Int64(memory))], chainlet: chainlet,
      trace: place.map { [TraceEntry(chainlet: chainlet, place: $0)] } ?? [])
  }
}

extension Lane {
  /// Where the run that has just been ended reached its limit.
  func placeOfKill(_ call: CallRef) -> [Failure.TraceEntry] {
    guard watch.pointee.killed_run == call.raw else { return [] }
    return watch.takePlaceOfKill().map { [Failure.TraceEntry(chainlet: call.state.name, place: $0)] } ?? []
  }

  /// The answer that a run got does not fit into its state's memory: it ends where it takes it.
  func endForMemory(_ call: CallRef) { end(call, at: CLG_MEMORY) }

  /// Its own limit ends a run where it takes the answer to its wait.
  func end(_ call: CallRef, at limit: clg_end) {
    if watch.pointee.killed_run == call.raw { watch.pointee.killed_run = nil }
    call.pointee.run.killed = sig_atomic_t(limit.rawValue)
  }

  /// Why a deadline ended a call: its own limit, or what its caller or its request allowed.
  func timeoutFailure(_ call: CallRef, _ trace: [Failure.TraceEntry]) -> Failure {
    let state = call.state
    let allowed = Double(call.pointee.allowance) / 1e9
    let limit: String
    switch call.pointee.allowedBy {
    case .time: limit = "limits.time"
    case .caller: limit = "the timeout of the call"
    case .request: limit = "the timeout of the request"
    case .function: limit = "chain.timeout"
    case .hook: limit = "the host's limit for init, close and background work"
    }
    let what = call.pointee.kind == .task ? "a task of \(state.name)" : state.name
    let waited = call.pointee.phase == .queued ? "; it waited for a slot" : ""
    let place = trace.first?.place.map { " at \($0)" } ?? ""
    return Failure(
      code: Failure.Code.timeout, message: "\(what) did not end within \(secondsText(allowed)) (\(limit))\(waited)\(place)",
      details: ["limit": .string(limit), "value": .number(allowed)], chainlet: state.name, trace: trace)
  }
}

extension UnsafeMutablePointer where Pointee == Call {
  /// The Lua functions in which a call waits, or was when its slice was over; empty for one that has not begun.
  var whereabouts: [Failure.TraceEntry] {
    switch pointee.phase {
    case .idle, .queued, .crossing, .running, .ending: []
    case .ready, .waiting: pointee.run.coroutine == nil ? [] : state.trace(of: waiter.frames(), self)
    }
  }
}
