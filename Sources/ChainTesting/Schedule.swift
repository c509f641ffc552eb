import ChainLoop

/// The order of a simulation: the clock, all that is to come, and the choice of what comes next. Plain data, without
/// a thread or a client's code; `SimulatedEnvironment` guards it and runs what it chooses.
struct Schedule {
  enum Phase: Int { case made, running, stopping, stopped }

  struct Loop {
    let name: String
    let door: SimulatedLoop.Door
    var client: (any LoopClient)?
    var phase = Phase.made
    var hasBegun = false
    var mailbox = Queue()
    var wantsTurns = false
    var timer: UInt64?
    /// Nothing happens on the loop before; `.max` if it is lost.
    var standsUntil: UInt64 = 0
    /// Nobody waits for its end.
    var isGivenUp = false
  }

  /// A mailbox; what is behind a late item waits with it.
  struct Queue {
    private var items: [(arrival: UInt64, item: MailboxItem?)] = []
    private var first = 0

    var nextArrival: UInt64? { first < items.count ? items[first].arrival : nil }
    var isEmpty: Bool { first == items.count }

    mutating func append(_ item: MailboxItem, arrival: UInt64) {
      items.append((max(arrival, items.last?.arrival ?? 0), item))
    }

    mutating func removeFirst() -> MailboxItem {
      let item = items[first].item.take()!
      first += 1
      if first == items.count {
        items.removeAll(keepingCapacity: true)
        first = 0
      }
      return item
    }

    mutating func removeAll() -> [MailboxItem] {
      defer { self = Queue() }
      return items[first...].compactMap(\.item)
    }
  }

  /// One thing that can be next: an event of a loop, or the end of a worker's job.
  enum Choice {
    case loop(Int, SimulatedEvent.Kind)
    case work(Int)
  }

  /// Time begins at one second, so that a forgotten time of 0 is seen to be one.
  var now: UInt64 = 1_000_000_000
  var loops: [Loop] = []
  private var work: [(due: UInt64, body: @Sendable () -> Void)] = []
  private var choices: [Choice] = []
  private var lost = 0
  private var chance: SeededGenerator
  private let faults: Faults

  init(chance: SeededGenerator, faults: Faults) {
    self.chance = chance
    self.faults = faults
  }

  // MARK: What is to come

  mutating func post(_ item: MailboxItem, to index: Int) {
    if loops[index].phase.rawValue >= Phase.stopping.rawValue && !item.isJob { return }
    loops[index].mailbox.append(item, arrival: now + drawn(faults.lateMessages))
  }

  mutating func submit(_ body: @escaping @Sendable () -> Void) {
    work.append((now + chance.within(10_000...2_000_000) + drawn(faults.slowWork), body))
  }

  mutating func submitAtOnce(_ body: @escaping @Sendable () -> Void) { work.append((now, body)) }

  mutating func dropAllWork() -> [@Sendable () -> Void] {
    defer { work = [] }
    return work.map(\.body)
  }

  /// Takes everything out of every mailbox; the caller lets it go outside the lock.
  mutating func dropAllItems() -> [MailboxItem] {
    var dropped: [MailboxItem] = []
    for index in loops.indices { dropped += loops[index].mailbox.removeAll() }
    return dropped
  }

  /// The same for the messages of one loop; its jobs stay, for they must be run.
  mutating func dropMessages(of index: Int) -> [MailboxItem] {
    let items = loops[index].mailbox.removeAll()
    for item in items where item.isJob { loops[index].mailbox.append(item, arrival: now) }
    return items.filter { !$0.isJob }
  }

  // MARK: The choice

  /// Chooses among all that can be next, if need be after a jump of the clock, but not beyond `horizon`.
  mutating func next(horizon: UInt64) -> Choice? {
    while true {
      var soonest = UInt64.max
      collectChoices(soonest: &soonest)
      if !choices.isEmpty { return choices[Int(chance.below(UInt64(choices.count)))] }
      guard soonest != .max, soonest <= horizon else { return nil }
      now = soonest
    }
  }

  /// Fills `choices`, and lowers `soonest` to the time when there will be another.
  private mutating func collectChoices(soonest: inout UInt64) {
    choices.removeAll(keepingCapacity: true)
    for index in loops.indices where loops[index].phase != .made && loops[index].standsUntil != .max {
      let start = loops[index].standsUntil
      func consider(_ kind: SimulatedEvent.Kind, at time: UInt64) {
        let time = max(time, start)
        if time <= now { choices.append(.loop(index, kind)) } else { soonest = min(soonest, time) }
      }
      switch loops[index].phase {
      case .made: break
      case .stopping: consider(.stop, at: now)
      case .running where !loops[index].hasBegun: consider(.start, at: now)
      case .running:
        if let arrival = loops[index].mailbox.nextArrival { consider(.item, at: arrival) }
        if loops[index].wantsTurns { consider(.turn, at: now) }
        if let time = loops[index].timer { consider(.timer, at: time) }
      case .stopped:
        // Only jobs are left, and they must be run.
        if let arrival = loops[index].mailbox.nextArrival { consider(.item, at: arrival) }
      }
    }
    for index in work.indices {
      if work[index].due <= now { choices.append(.work(index)) } else { soonest = min(soonest, work[index].due) }
    }
  }

  mutating func takeWork(_ index: Int) -> @Sendable () -> Void { work.remove(at: index).body }

  /// After an event: it took a moment, and its loop may be struck.
  mutating func settle(_ index: Int?) {
    now += chance.within(200...3_000)
    guard let index, loops[index].phase == .running else { return }
    let mayBeLost = loops[index].name.hasPrefix(faults.losesNamed) && lost < faults.mostLost
    if mayBeLost && chance.happens(perThousand: faults.losesPerThousand) {
      lost += 1
      lose(index)
    } else {
      let stall = drawn(faults.stalls)
      if stall > 0 { loops[index].standsUntil = max(loops[index].standsUntil, now + stall) }
    }
  }

  /// The loop stands, as if stuck in C. Some time later its client hears of it, and later still it may come back.
  mutating func lose(_ index: Int) {
    loops[index].standsUntil = .max
    guard let client = loops[index].client else { return }
    let found = now + chance.within(1_000_000_000...12_000_000_000)
    work.append((found, { [weak client] in _ = client?.loopIsLost() }))
    guard chance.happens(perThousand: faults.returnsPerThousand) else { return }
    loops[index].standsUntil = found + chance.within(0...20_000_000_000)
  }

  private mutating func drawn(_ delay: Faults.Delay) -> UInt64 {
    chance.happens(perThousand: delay.perThousand) ? chance.within(1...max(1, delay.longest)) : 0
  }
}
