/// What is to be done at times to come: a binary heap over a loop's single timer.
struct TimerQueue<Action> {
  private struct Entry {
    var time: UInt64
    var order: UInt64
    var action: Action

    func isBefore(_ other: Entry) -> Bool { time != other.time ? time < other.time : order < other.order }
  }

  private var heap: [Entry] = []
  private var nextOrder: UInt64 = 0

  var first: UInt64? { heap.first?.time }
  var count: Int { heap.count }

  func count(where isCounted: (Action) -> Bool) -> Int { heap.count { isCounted($0.action) } }

  mutating func add(at time: UInt64, _ action: Action) {
    heap.append(Entry(time: time, order: nextOrder, action: action))
    nextOrder &+= 1
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].isBefore(heap[parent]) else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// Takes the first action if its time has come.
  mutating func popDue(_ now: UInt64) -> Action? {
    guard let first = heap.first, first.time <= now else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink(0)
    }
    return first.action
  }

  /// Drops actions that nobody waits for any more, and with many of them the room that they took.
  mutating func removeAll(where isStale: (Action) -> Bool) {
    heap = heap.filter { !isStale($0.action) }
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
