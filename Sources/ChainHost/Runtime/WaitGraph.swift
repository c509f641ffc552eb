/// Who waits for whom among the calls of a lane, and who can still move. Its cost is linear in the calls: between those
/// that wait for any one of many, for a slot or a place behind a bound, and those many stands one node.
struct WaitGraph {
  private let calls: [CallRef]
  /// What each node waits for, one after the other: the calls, then the nodes in between.
  private var starts: [Int32] = []
  private var targets: [Int32] = []
  /// The same, the other way round.
  private var waiterStarts: [Int32] = []
  private var waiters: [Int32] = []
  private var isMovable: [Bool] = []

  init(_ calls: [CallRef]) {
    self.calls = calls
    for (position, call) in calls.enumerated() { call.pointee.place = Int32(truncatingIfNeeded: position) }
    let holders = Holders(calls)
    starts.reserveCapacity(calls.count + holders.groups.count + 1)
    for call in calls {
      starts.append(Int32(targets.count))
      addBlockers(of: call, holders)
    }
    for group in holders.groups {
      starts.append(Int32(targets.count))
      targets += group
    }
    starts.append(Int32(targets.count))
    turnRound()
    isMovable = [Bool](repeating: false, count: starts.count - 1)
    // Who waits for nobody moves by itself, or by the world outside.
    for node in isMovable.indices where starts[node] == starts[node + 1] { letMove(node) }
  }

  /// Those that hold slots, by state, and places behind the bounds of needs.
  private struct Holders {
    private(set) var groups: [[Int32]] = []
    private var known: [UnsafeRawPointer: Int] = [:]
    /// Of the runs that others wait for in native functions.
    private var places: [ObjectIdentifier: Int32] = [:]

    init(_ calls: [CallRef]) {
      for call in calls {
        if call.pointee.holdsSlot { add(call, to: UnsafeRawPointer(call.pointee.core)) }
        if let mark = call.existingExtra?.mark { places[ObjectIdentifier(mark)] = call.pointee.place }
        if let gate = call.existingExtra?.needGate { add(call, to: Holders.key(gate)) }
      }
    }

    private mutating func add(_ call: CallRef, to key: UnsafeRawPointer) {
      let group = known[key] ?? groups.count
      if group == groups.count {
        known[key] = group
        groups.append([])
      }
      groups[group].append(call.pointee.place)
    }

    /// Nil: it is on another lane.
    func place(of run: RunMark) -> Int32? { places[ObjectIdentifier(run)] }

    static func key(_ gate: NeedGate) -> UnsafeRawPointer { UnsafeRawPointer(Unmanaged.passUnretained(gate).toOpaque()) }
    func group(_ key: UnsafeRawPointer) -> Int? { known[key] }
  }

  private mutating func add(_ call: CallRef) {
    let place = Int(call.pointee.place)
    if calls.indices.contains(place), calls[place] == call { targets.append(Int32(place)) }
  }

  private mutating func add(_ group: Int?) {
    if let group { targets.append(Int32(calls.count + group)) }
  }

  /// What a call waits for: nothing if it can move by itself or by the world outside.
  private mutating func addBlockers(of call: CallRef, _ holders: Holders) {
    let extra = call.existingExtra
    switch call.pointee.phase {
    case .queued:
      guard call.pointee.core.pointee.isReady, !call.pointee.holdsSlot else { return }
      guard !(extra?.awaitedGate?.hasPlace ?? call.pointee.core.pointee.mayStart) else { return } // it is about to start
      add(holders.group(extra?.awaitedGate.map(Holders.key) ?? UnsafeRawPointer(call.pointee.core)))
    case .waiting:
      switch call.pointee.wait {
      case .answer: call.forEachChild { add($0) }
      case .tasks:
        if let group = extra?.group {
          let key = Unmanaged.passUnretained(group).toOpaque()
          call.forEachChild { if $0.pointee.group?.toOpaque() == key { add($0) } }
        } else if let task = extra?.awaitedTask?.call {
          add(task)
        }
      case .item: if let producer = extra?.reading?.producer { add(producer) }
      case .room:
        // The reader: the call that waits for another of its items, or the one that owns the stream.
        if let channel = extra?.reading, case .state = channel.reader, let owner = channel.owner { add(owner) }
      case .lock: if let holder = extra?.awaited?.holder { add(holder) }
      case .native:
        // One that holds the turn by now goes on, and one of another lane is taken to do so.
        guard let holder = extra?.mark?.awaited?.holder, holder !== extra?.mark, let place = holders.place(of: holder) else { return }
        targets.append(place)
      case .nothing, .time, .pieces: break
      }
    case .ending: call.forEachChild { add($0) }
    case .idle, .crossing, .ready, .running: break
    }
  }

  private mutating func turnRound() {
    let count = starts.count - 1
    waiterStarts = [Int32](repeating: 0, count: count + 1)
    for target in targets { waiterStarts[Int(target) + 1] += 1 }
    for node in 0..<count { waiterStarts[node + 1] += waiterStarts[node] }
    var free = waiterStarts
    waiters = [Int32](repeating: 0, count: targets.count)
    for node in 0..<count {
      for edge in starts[node]..<starts[node + 1] {
        let target = Int(targets[Int(edge)])
        waiters[Int(free[target])] = Int32(node)
        free[target] += 1
      }
    }
  }

  /// What waits for something that can move can move as well: any one of its blockers may let it go on.
  private mutating func letMove(_ node: Int) {
    guard !isMovable[node] else { return }
    isMovable[node] = true
    var pending = [node]
    while let node = pending.popLast() {
      for edge in waiterStarts[node]..<waiterStarts[node + 1] {
        let waiter = Int(waiters[Int(edge)])
        guard !isMovable[waiter] else { continue }
        isMovable[waiter] = true
        pending.append(waiter)
      }
    }
  }

  /// The rings that calls which have waited too long reach: what cannot move waits for what cannot move, so every way
  /// from there ends in one. It is one to break when one of its own calls has waited too long.
  mutating func breakRings(reachedFrom candidates: [Int]) -> [(ring: [CallRef], youngest: CallRef)] {
    let isCandidate = candidates.reduce(into: [Bool](repeating: false, count: isMovable.count)) { $0[$1] = true }
    var wayOf = [Int32](repeating: -1, count: isMovable.count)
    var found: [(ring: [CallRef], youngest: CallRef)] = []
    for (number, start) in candidates.enumerated() where !isMovable[start] {
      var way: [Int] = []
      var node = start
      while wayOf[node] < 0 {
        wayOf[node] = Int32(number)
        way.append(node)
        node = Int(targets[Int(starts[node])])
      }
      guard wayOf[node] == Int32(number), let first = way.firstIndex(of: node) else { continue } // it joins an earlier one
      let ring = way[first...]
      guard ring.contains(where: { isCandidate[$0] }) else { continue }
      let members = ring.filter { $0 < calls.count }
      guard let youngest = members.max(by: { calls[$0].pointee.serial < calls[$1].pointee.serial }) else { continue }
      found.append((members.map { calls[$0] }, calls[youngest]))
      letMove(youngest) // and so what waits for it; what is left stands on another ring
    }
    return found
  }
}
