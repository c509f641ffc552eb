import ChainBase
import CLuaGuard

/// Calls that wait for themselves.
///
/// A call that has waited a second for a slot, an item, room, a lock or a task is looked at: can anything that it
/// waits for still move? What cannot move at all, and stands on a ring, is a deadlock: its youngest call fails.
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

  func lookForDeadlocks() {
    watchesDeadlocks = false
    let calls = liveCalls()
    let candidates = calls.filter { $0.isPatient && now &- $0.pointee.waitingSince >= Lane.patience }
    for call in candidates where now &- call.pointee.waitingSince >= Lane.readerPatience { cancelStalled(call) }
    if !candidates.isEmpty {
      var graph = WaitGraph(calls)
      for call in candidates {
        guard !graph.canMove(call), let ring = graph.ring(through: call), let youngest = youngest(of: ring) else { continue }
        fail(youngest, ring)
        graph.letMove(youngest) // and so what waits for it; what is left stands on another ring
      }
    }
    if calls.contains(where: \.isPatient) { watchForDeadlocks() }
  }

  private func cancelStalled(_ writer: CallRef) {
    guard writer.pointee.wait == .room, let channel = writer.existingExtra?.reading, case .outside = channel.reader,
      let producer = channel.producer
    else { return }
    cancel(producer, Ending(code: Failure.Code.cancelled, message: "the reader of \(channel.name) took nothing for 30 s"))
  }

  private func youngest(of ring: [CallRef]) -> CallRef? { ring.max { $0.pointee.serial < $1.pointee.serial } }

  private func fail(_ youngest: CallRef, _ ring: [CallRef]) {
    let names = ring.map { $0.state.name }
    let path = (names + [names.first ?? ""]).joined(separator: " → ")
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
        pending += call.children
      }
    }
    return calls
  }
}

extension UnsafeMutablePointer where Pointee == Call {
  var children: [CallRef] {
    var children: [CallRef] = []
    var child = pointee.run.first_child
    while let run = child {
      children.append(UnsafeMutableRawPointer(run).assumingMemoryBound(to: Call.self))
      child = run.pointee.next
    }
    return children
  }

  /// Waits for other calls, and so might wait for itself.
  fileprivate var isPatient: Bool {
    if pointee.phase == .queued { return !pointee.holdsSlot } // with a slot it waits for its batch
    guard pointee.phase == .waiting else { return false }
    switch pointee.wait {
    case .tasks, .item, .room, .lock: return true
    case .nothing, .answer, .time, .native, .pieces: return false
    }
  }
}

/// Who waits for whom, and who can still move.
private struct WaitGraph {
  private let edges: [CallRef: [CallRef]]
  private let waiters: [CallRef: [CallRef]]
  private var movable: Set<CallRef> = []

  init(_ calls: [CallRef]) {
    var holders: [UnsafeMutablePointer<StateCore>: [CallRef]] = [:]
    var gates: [ObjectIdentifier: [CallRef]] = [:]
    for call in calls {
      if call.pointee.holdsSlot { holders[call.pointee.core, default: []].append(call) }
      if let gate = call.existingExtra?.needGate { gates[ObjectIdentifier(gate), default: []].append(call) }
    }
    var edges: [CallRef: [CallRef]] = [:]
    var waiters: [CallRef: [CallRef]] = [:]
    var free: [CallRef] = []
    for call in calls {
      let blockers = WaitGraph.blockers(of: call, holders, gates)
      if let blockers {
        edges[call] = blockers
        for blocker in blockers { waiters[blocker, default: []].append(call) }
      } else {
        free.append(call)
      }
    }
    self.edges = edges
    self.waiters = waiters
    for call in free { letMove(call) }
  }

  /// What waits for something that can move can move as well: any one of its blockers may let it go on.
  mutating func letMove(_ call: CallRef) {
    guard movable.insert(call).inserted else { return }
    var queue = [call]
    while let call = queue.popLast() {
      for waiter in waiters[call] ?? [] where movable.insert(waiter).inserted { queue.append(waiter) }
    }
  }

  func canMove(_ call: CallRef) -> Bool { movable.contains(call) }

  /// The calls that this one waits for; nil if it can move by itself or by the world outside.
  private static func blockers(
    of call: CallRef, _ holders: [UnsafeMutablePointer<StateCore>: [CallRef]], _ gates: [ObjectIdentifier: [CallRef]]
  ) -> [CallRef]? {
    let extra = call.existingExtra
    switch call.pointee.phase {
    case .queued:
      guard call.pointee.core.pointee.isReady, !call.pointee.holdsSlot else { return nil }
      let holding = extra?.awaitedGate.map { gates[ObjectIdentifier($0)] ?? [] } ?? holders[call.pointee.core, default: []]
      return holding.isEmpty ? nil : holding
    case .waiting:
      switch call.pointee.wait {
      case .answer: return call.hasChildren ? call.children : nil
      case .tasks:
        if let group = extra?.group {
          let key = Unmanaged.passUnretained(group).toOpaque()
          let items = call.children.filter { $0.pointee.group?.toOpaque() == key }
          return items.isEmpty ? nil : items
        }
        let awaited = extra?.awaitedTask?.call
        return awaited.map { [$0] }
      case .item: return extra?.reading?.producer.map { [$0] }
      case .room:
        // The reader: the call that waits for another of its items, or the one that owns the stream.
        guard let channel = extra?.reading, case .state = channel.reader else { return nil }
        return channel.owner.map { [$0] }
      case .lock: return extra?.awaited?.holderCall.map { [$0] }
      case .nothing, .time, .native, .pieces: return nil
      }
    case .ending: return call.hasChildren ? call.children : nil
    case .idle, .crossing, .ready, .running: return nil
    }
  }

  /// A ring of waits through `start`, by calls that cannot move.
  func ring(through start: CallRef) -> [CallRef]? {
    var cameFrom: [CallRef: CallRef] = [:]
    var pending = [start]
    while let call = pending.popLast() {
      for next in edges[call] ?? [] where !movable.contains(next) {
        if next == start {
          var ring = [call]
          while let previous = cameFrom[ring[0]], ring[0] != start { ring.insert(previous, at: 0) }
          return ring
        }
        if cameFrom[next] == nil {
          cameFrom[next] = call
          pending.append(next)
        }
      }
    }
    return nil
  }
}
