/// Calls that wait in line.
///
/// One that has left is passed over when its turn comes, and swept out when there are many of those: leaving costs nothing,
/// however many leave at once.
struct WaitLine {
  private var waiters: [Waiter] = []
  private var next = 0
  /// How many there may be before those that have left are swept out.
  private var limit = WaitLine.few
  private static let few = 64

  /// Whether nobody is left, not even of those that have left.
  var isEmpty: Bool { next == waiters.count }
  /// Those that wait still.
  var count: Int { waiters[next...].count(where: \.isThere) }

  mutating func add(_ waiter: Waiter) {
    if waiters.count >= limit { sweep() }
    waiters.append(waiter)
  }

  /// Puts back one that has been first before.
  mutating func addFirst(_ waiter: Waiter) {
    if next == 0 { return waiters.insert(waiter, at: 0) }
    next -= 1
    waiters[next] = waiter
  }

  mutating func popFirst() -> CallRef? {
    while next < waiters.count {
      let waiter = waiters[next]
      next += 1
      if waiter.isThere { return waiter.call }
    }
    waiters = [] // there may be many lines, most of them empty
    next = 0
    return nil
  }

  mutating func sweep() {
    waiters = waiters[next...].filter(\.isThere)
    next = 0
    limit = max(WaitLine.few, waiters.count * 2)
  }
}
