/// Calls that wait for a slot, taking turns request by request, so that a request's thousand calls do not keep
/// another's single one waiting.
struct FairQueue {
  /// Whose turn is next, each request with a line once.
  private var turns: [ObjectIdentifier] = []
  private var next = 0
  private var lines: [ObjectIdentifier: WaitLine] = [:]
  /// How many lines there may be before those that everybody has left are swept out.
  private var limit = FairQueue.few
  private static let few = 64

  mutating func add(_ waiter: Waiter) {
    let key = ObjectIdentifier(waiter.call.pointee.request.takeUnretainedValue())
    if lines[key] == nil {
      if lines.count >= limit { sweep() }
      turns.append(key)
    }
    lines[key, default: WaitLine()].add(waiter)
  }

  mutating func popFirst() -> CallRef? {
    while next < turns.count {
      let key = turns[next]
      next += 1
      let call = lines[key]?.popFirst()
      if call == nil || lines[key]?.isEmpty == true { lines[key] = nil } else { turns.append(key) }
      if next > FairQueue.few, next * 2 > turns.count {
        turns.removeFirst(next)
        next = 0
      }
      if let call { return call }
    }
    turns.removeAll()
    next = 0
    return nil
  }

  private mutating func sweep() {
    turns = turns[next...].filter { key in
      lines[key]?.sweep()
      if lines[key]?.isEmpty == true { lines[key] = nil }
      return lines[key] != nil
    }
    next = 0
    limit = max(FairQueue.few, lines.count * 2)
  }
}
