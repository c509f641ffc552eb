import CLuaGuard

/// What a lane holds at one moment. At rest, when every request has been answered and no background work is left,
/// all of it is zero: for the property tests, which look for what a call leaves behind.
package struct LaneCensus: Sendable, Equatable {
  package var requests = 0
  /// Calls whose memory is neither in a pool nor blank.
  package var calls = 0
  package var slots = 0
  package var queued = 0
  /// States that a run holds, and runs that wait for one that does.
  package var holders = 0
  package var parked = 0
  package var inRings = 0
  package var channels = 0
  package var locks = 0
  /// Places behind the bounds of needs, taken or waited for.
  package var gates = 0
  package var pins = 0
  /// Timers that somebody still waits for.
  package var timers = 0
  package var background = 0
  /// States that limits have put out of service and that are not closed yet.
  package var retired = 0

  package init() {}

  package var isAtRest: Bool { self == LaneCensus() }
}

extension Lane {
  /// The lane's thread.
  func census() -> LaneCensus {
    var census = LaneCensus()
    census.requests = requests.count + ending.count + held.count
    census.calls = callsInUse
    census.inRings = runs.count + crossings.count
    census.channels = channels.count
    census.timers = timers.count { !isStale($0) && $0.purpose != .deadlocks }
    for built in generations.values {
      census.pins += built.pins
      census.retired += built.retired.count + built.lost.count
      for state in built.states { if let state { count(state, into: &census) } }
    }
    return census
  }

  private func count(_ state: ChainletState, into census: inout LaneCensus) {
    let core = state.core
    census.calls -= Int(core.pointee.pooled)
    census.slots += Int(core.pointee.slotsTaken)
    census.queued += Int(core.pointee.waiting)
    census.holders += core.pointee.holder == nil ? 0 : 1
    census.parked += state.parked.count
    census.locks += state.heldLocks
    census.background += state.background
    guard let needs = core.pointee.needs else { return }
    for operand in 0..<state.needCount {
      if let gate = needs[operand].gate?.takeUnretainedValue() { census.gates += gate.taken + gate.waiting.count }
    }
  }
}

extension Lane {
  /// What the Lua states hold after a collection, without the coroutines that wait in pools. The lane's thread.
  func memoryWithoutPools() -> Int {
    var bytes = 0
    for built in generations.values {
      for case let state? in built.states {
        state.emptyPool()
        state.lua.collectGarbage()
        bytes += state.lua.memoryUsed
      }
    }
    return bytes
  }
}
