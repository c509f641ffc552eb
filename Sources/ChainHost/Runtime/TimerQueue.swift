/// What a lane, or the host, does at a time to come: a binary heap over the loop's single timer.
struct TimerQueue {
  enum Purpose: UInt8 {
    /// The wait with this ticket is over.
    case wake
    /// The call with this serial has run out of its time.
    case deadline
    /// A failed call with this ticket is tried again.
    case retry
    /// Look for calls that wait for themselves.
    case deadlocks
    /// A state whose rebuild failed is built again.
    case rebuild
    /// The batch with this number has waited long enough for more items.
    case batch
    /// Of the host: the action with this number is called.
    case action
  }

  struct Entry {
    var time: UInt64
    var order: UInt64
    var call: CallRef?
    /// A ticket or a serial, by purpose.
    var stamp: UInt64
    var purpose: Purpose

    func isBefore(_ other: Entry) -> Bool { time != other.time ? time < other.time : order < other.order }
  }

  private var heap: [Entry] = []
  private var nextOrder: UInt64 = 0

  var first: UInt64? { heap.first?.time }
  var count: Int { heap.count }

  func count(where isCounted: (Entry) -> Bool) -> Int { heap.count(where: isCounted) }

  mutating func add(at time: UInt64, _ purpose: Purpose, _ call: CallRef?, stamp: UInt64) {
    heap.append(Entry(time: time, order: nextOrder, call: call, stamp: stamp, purpose: purpose))
    nextOrder &+= 1
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].isBefore(heap[parent]) else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// Takes the first entry if its time has come.
  mutating func popDue(_ now: UInt64) -> Entry? {
    guard let first = heap.first, first.time <= now else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink(0)
    }
    return first
  }

  /// Drops entries that nobody waits for any more.
  mutating func removeAll(where isStale: (Entry) -> Bool) {
    heap.removeAll(where: isStale)
    for parent in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(parent) }
  }

  private mutating func sink(_ start: Int) {
    var parent = start
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].isBefore(heap[least]) {
        least = child
      }
      guard least != parent else { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
