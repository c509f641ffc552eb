import ChainBase
import CLuaGuard
import LuaBridge

/// What a kill leaves behind. A run that reaches its own limit ends alone, but its state may be half-made: it is
/// retired, what waits in it may finish, and a state that `init` alone made takes its place.
extension Lane {
  /// A run of this state was ended by its own limit.
  func stateWasKilled(_ state: ChainletState, by reached: Failure) {
    // Only one that serves: the `init` of a rebuilt one, or a `close`, ends with its failure.
    guard !state.isRetired, let built = state.built, let number = built.generation?.number, generations[number] === built,
      built.states.indices.contains(state.index), built.states[state.index] === state
    else { return }
    state.isRetired = true
    state.core.pointee.isReady = false
    // One retired state per chainlet: the older one goes now.
    if let older = built.retired.removeValue(forKey: state.index) { lose(older, of: built) }
    built.retired[state.index] = state
    if let batching = state.batching { stateWasLost(batching, state, to: reached) }
    let key = stamp()
    rebuilds[key] = Rebuild(built: built, old: state)
    post { [self] in asLane { rebuildAgain(key) } } // in an event of its own: the killed run is still being put away
  }

  /// The last call of a retired state has left it: it closes in an event of its own.
  func retiredStateIsEmpty(_ state: ChainletState) {
    emptied.append(state)
    post { [self] in asLane { closeEmptied() } }
  }

  private func closeEmptied() {
    let states = emptied
    emptied = []
    for state in states where state.core.pointee.slotsTaken == 0 && state.background == 0 {
      guard let built = state.built, !built.isClosed, built.states[state.index] !== state else { continue }
      if built.retired[state.index] === state { built.retired[state.index] = nil }
      built.lost.removeAll { $0 === state }
      state.close()
    }
  }

  /// Ends what still runs in a retired state. A run that spins ends in a later turn: until then the state is kept.
  private func lose(_ state: ChainletState, of built: LaneGeneration) {
    built.lost.append(state)
    for call in liveCalls() where call.pointee.core == state.core && call.pointee.kind == .call && call.pointee.phase != .queued {
      cancel(call, Ending(state.limitFailure(
        Failure.Code.stateLost, "retired states", 1,
        "lost the state in which this call ran: it was rebuilt after a limit was reached, twice, and one retired state is kept",
        call.whereabouts)))
    }
    if state.core.pointee.slotsTaken == 0 { retiredStateIsEmpty(state) }
  }

  // MARK: Rebuilding

  /// The way from a retired state to a new one.
  final class Rebuild {
    let built: LaneGeneration
    let old: ChainletState
    var delay: UInt64 = 100_000_000
    static let longestDelay: UInt64 = 10_000_000_000

    init(built: LaneGeneration, old: ChainletState) {
      self.built = built
      self.old = old
    }
  }

  private func attempt(_ rebuild: Rebuild) {
    guard !rebuild.built.isClosed, let generation = rebuild.built.generation else { return }
    let key = stamp()
    rebuilds[key] = rebuild
    StateMaker.make([rebuild.old.index], of: generation, for: self) { [self] made in
      post { [self] in
        asLane { if let rebuild = rebuilds.removeValue(forKey: key) { initialize(rebuild, made) } }
      }
    }
  }

  private func initialize(_ rebuild: Rebuild, _ made: Result<StateMaker.Made, Failure>) {
    let (built, old) = (rebuild.built, rebuild.old)
    do throws(Failure) {
      guard let state = try made.get().states.first else { return }
      guard !built.isClosed else { return state.close() }
      state.built = built
      state.index = old.index
      try link(state, in: built)
      runInit(of: state) { [unowned self] failure in
        if let failure {
          state.close()
          failed(rebuild, failure)
        } else {
          take(state, rebuild)
        }
      }
    } catch { failed(rebuild, error) }
  }

  /// The new state serves: callers are linked to it and calls that waited go on.
  private func take(_ state: ChainletState, _ rebuild: Rebuild) {
    let (built, old) = (rebuild.built, rebuild.old)
    guard !built.isClosed else { return state.close() }
    built.states[state.index] = state
    for caller in built.states + built.retired.values.map(Optional.some) {
      guard let caller, let needs = caller.core.pointee.needs else { continue }
      for operand in 0..<caller.needCount where needs[operand].target == old.core { needs[operand].target = state.core }
    }
    log(LogLine(level: .debug, chainlet: state.name, request: nil, message: "was rebuilt after one of its calls reached a limit"))
    while let call = old.dequeue() {
      call.pointee.core = state.core
      guard call.existingExtra?.output?.writerMoved(to: state) ?? true else {
        complete(call, failure: state.memoryFailure(for: " for a stream"), results: 0)
        continue
      }
      state.enqueue(call)
    }
    startNext(state.core)
    if state.core.pointee.waiting > 0 { watchForDeadlocks() }
    if old.core.pointee.slotsTaken == 0 { retiredStateIsEmpty(old) }
  }

  private func failed(_ rebuild: Rebuild, _ failure: Failure) {
    let old = rebuild.old
    log(LogLine(level: .error, chainlet: old.name, request: nil, message: "cannot be rebuilt: \(failure.message)"))
    while let call = old.dequeue() {
      complete(
        call,
        failure: Failure(
          code: Failure.Code.unavailable, message: "\(old.name) is being rebuilt, and that fails: \(failure.message)",
          chainlet: old.name), results: 0)
    }
    let key = stamp()
    rebuilds[key] = rebuild
    timers.add(at: now &+ rebuild.delay, .rebuild, nil, stamp: key)
    rebuild.delay = min(rebuild.delay * 2, Rebuild.longestDelay)
    armTimer()
  }

  func rebuildAgain(_ key: UInt64) {
    if let rebuild = rebuilds.removeValue(forKey: key) { attempt(rebuild) }
    postponed.removeValue(forKey: key)?()
  }
}
