import CLuaGuard

/// What tests ask a host at rest.
extension ChainHost {
  /// What each lane holds. Any thread; before `shutdown`.
  package func census() async -> [LaneCensus] {
    var all: [LaneCensus] = []
    for lane in lanes.all {
      if let census = await lane.ask(ifDropped: nil, ifLost: { _ in nil }, { (reply: Reply<LaneCensus?>) in reply.give(lane.census()) }) {
        all.append(census)
      }
    }
    return all
  }

  /// Any thread, at rest, before `shutdown`.
  package func memoryWithoutPools() async -> Int {
    var bytes = 0
    for lane in lanes.all {
      bytes += await lane.ask(ifDropped: 0, ifLost: { _ in 0 }) { $0.give(lane.memoryWithoutPools()) }
    }
    return bytes
  }

  /// What lanes keep for calls, in bytes, and what they have reserved, with the pages that have gone back. Any thread, before
  /// `shutdown`.
  package func memoryOfCalls() async -> (kept: Int, reserved: Int) {
    var all = (kept: 0, reserved: 0)
    for lane in lanes.all {
      let (kept, reserved) = await lane.ask(ifDropped: (0, 0), ifLost: { _ in (0, 0) }) { $0.give(lane.memoryOfCalls) }
      all.kept += kept
      all.reserved += reserved
    }
    return all
  }

  /// For tests: the watchdog's signal to every lane, whatever it does. Any thread, before `shutdown`.
  package func sendSignals() {
    for lane in lanes.all { clg_poke(lane.watch) }
  }

  /// How often lanes have seen that signal. Any thread, before `shutdown`.
  package func signalsSeen() async -> UInt64 {
    var count: UInt64 = 0
    for lane in lanes.all { count += await lane.ask(ifDropped: 0, ifLost: { _ in 0 }) { $0.give(lane.watch.pointee.signals) } }
    return count
  }
}
