import ChainBase
import CLuaGuard

/// Calls that wait for themselves.
///
/// A call that has waited a second for a slot, an item, room, a lock, a task or a value that another makes is looked at: can
/// anything that it waits for still move? What cannot move at all, and stands on a ring, is a deadlock: its youngest call fails.
extension Lane {
  private static let patience: UInt64 = 1_000_000_000
  /// A reader outside that takes nothing for so long has its request cancelled.
  private static let readerPatience: UInt64 = 30_000_000_000

  /// Something waits for other calls: look at it after a while.
  func watchForDeadlocks() {
    guard !watchesDeadlocks else { return }
    watchesDeadlocks = true
    timers.add(at: now &+ Lane.patience / 2, .deadlocks, nil, stamp: 0)
  }

  /// A call begins to wait for other calls.
  func beginPatience(_ call: CallRef) {
    call.pointee.waitingSince = now
    watchForDeadlocks()
  }

  func lookForDeadlocks() {
    watchesDeadlocks = false
    let calls = liveCalls()
    var candidates: [Int] = []
    var isPatient = false
    for (position, call) in calls.enumerated() where call.isPatient {
      isPatient = true
      if now &- call.pointee.waitingSince >= Lane.patience { candidates.append(position) }
    }
    if !candidates.isEmpty {
      // All are found before one is ended: that changes who waits for what.
      var graph = WaitGraph(calls)
      let rings = graph.breakRings(reachedFrom: candidates)
      let serials = rings.map(\.youngest.pointee.serial)
      let stalled = candidates.map { calls[$0] }.filter { now &- $0.pointee.waitingSince >= Lane.readerPatience }
      for call in stalled { cancelStalled(call) }
      for (found, serial) in zip(rings, serials) where found.youngest.pointee.serial == serial { fail(found.youngest, found.ring) }
    }
    if isPatient { watchForDeadlocks() }
  }

  private func cancelStalled(_ writer: CallRef) {
    guard writer.pointee.wait == .room, let channel = writer.existingExtra?.reading, case .outside = channel.reader,
      let producer = channel.producer
    else { return }
    cancel(producer, Ending(code: Failure.Code.cancelled, message: "the reader of \(channel.name) took nothing for 30 s"))
  }

  /// How many names of a ring a failure tells.
  private static let namesTold = 16

  private func fail(_ youngest: CallRef, _ ring: [CallRef]) {
    var names = ring.prefix(Lane.namesTold).map { $0.state.name }
    if ring.count > names.count { names.append("… (\(ring.count) calls)") }
    let path = (names + names.prefix(1)).joined(separator: " → ")
    cancel(youngest, Ending(youngest.state.limitFailure(
      Failure.Code.deadlock, "a wait of \(Lane.patience / 1_000_000_000) s", .number(Double(Lane.patience) / 1e9),
      "waits for itself, for more than \(Lane.patience / 1_000_000_000) s: \(path)", youngest.whereabouts)))
  }

  /// Every call of every request on this lane.
  func liveCalls() -> [CallRef] {
    var calls: [CallRef] = []
    for root in requests.values.sorted(by: { $0.id < $1.id }).compactMap(\.root) + hookCalls {
      var pending = [root]
      while let call = pending.popLast() {
        calls.append(call)
        call.forEachChild { pending.append($0) }
      }
    }
    return calls
  }
}

extension UnsafeMutablePointer where Pointee == Call {
  func forEachChild(_ body: (CallRef) -> Void) {
    var child = pointee.run.first_child
    while let run = child {
      child = run.pointee.next
      body(UnsafeMutableRawPointer(run).assumingMemoryBound(to: Call.self))
    }
  }

  /// Waits for other calls, and so might wait for itself.
  fileprivate var isPatient: Bool {
    if pointee.phase == .queued { return !pointee.holdsSlot } // with a slot it waits for its batch
    guard pointee.phase == .waiting else { return false }
    switch pointee.wait {
    case .tasks, .item, .room, .lock: return true
    case .native: return existingExtra?.mark?.awaited != nil
    case .nothing, .answer, .time, .pieces: return false
    }
  }
}
