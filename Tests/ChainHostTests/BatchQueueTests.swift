import ChainHost
import Testing

/// The rules by which batches begin, with callers that ask again a moment after they were answered.
@Suite("When batches begin")
struct BatchQueueTests {
  /// Sizes of the batches that run while `callers` ask 20 times each, in virtual time: a run takes 10 ms, and a caller
  /// asks again after up to 1 ms.
  private func sizes(callers: Int, maxSize: Int, maxDelay: UInt64, atOnce: Int = 1) -> [Int] {
    var queue = BatchQueue<Int>(maxSize: maxSize, maxDelay: maxDelay, atOnce: atOnce)
    var events: [(time: UInt64, order: Int, kind: Event)] = []
    var order = 0
    var sizes: [Int] = []
    var left = [Int](repeating: 20, count: callers)
    enum Event {
      case ask(Int), ended([Int]), look
    }
    func add(_ time: UInt64, _ kind: Event) {
      order += 1
      events.append((time, order, kind))
    }
    func take(_ step: BatchQueue<Int>.Step, _ now: UInt64) {
      switch step {
      case .nothing: break
      case .wait(let time): add(time, .look)
      case .run(let items):
        sizes.append(items.count)
        add(now + 10_000_000, .ended(items))
      }
    }
    for caller in 0..<callers { add(UInt64(caller) * 30_000, .ask(caller)) }
    while let next = events.indices.min(by: { (events[$0].time, events[$0].order) < (events[$1].time, events[$1].order) }) {
      let (now, _, event) = events.remove(at: next)
      switch event {
      case .ask(let caller): take(queue.add(caller, at: now), now)
      case .look: take(queue.timeCame(at: now), now)
      case .ended(let items):
        take(queue.ended(at: now), now)
        for caller in items {
          left[caller] -= 1
          if left[caller] > 0 { add(now + UInt64(caller % 32) * 30_000, .ask(caller)) }
        }
      }
    }
    #expect(left.allSatisfy { $0 == 0 })
    return sizes
  }

  @Test("many callers share runs: with a delay nearly full ones, without it half as full")
  func many() {
    let waiting = sizes(callers: 32, maxSize: 32, maxDelay: 2_000_000)
    let greedy = sizes(callers: 32, maxSize: 32, maxDelay: 0)
    #expect(waiting.count == 21)
    #expect(greedy.count == 40)
  }

  @Test("a caller alone, or two that take turns, are never held up")
  func few() {
    for callers in [1, 2] {
      var queue = BatchQueue<Int>(maxSize: 8, maxDelay: 1_000)
      guard case .run([0]) = queue.add(0, at: 0) else { return #expect(Bool(false)) }
      for turn in 0..<10 {
        if callers == 2 { guard case .nothing = queue.add(turn + 1, at: UInt64(turn)) else { return #expect(Bool(false)) } }
        switch queue.ended(at: UInt64(turn)) {
        case .nothing where callers == 1: guard case .run = queue.add(turn + 1, at: UInt64(turn)) else { return #expect(Bool(false)) }
        case .run(let items) where callers == 2: #expect(items == [turn + 1])
        default: #expect(Bool(false), "held up in turn \(turn)")
        }
      }
    }
  }

  @Test("a full batch runs beside another where that is allowed, a smaller one gathers on")
  func beside() {
    var queue = BatchQueue<Int>(maxSize: 2, maxDelay: 1_000, atOnce: 2)
    guard case .run([0]) = queue.add(0, at: 0), case .nothing = queue.add(1, at: 0), case .run([1, 2]) = queue.add(2, at: 0) else {
      return #expect(Bool(false))
    }
    for item in 3...5 { guard case .nothing = queue.add(item, at: 0) else { return #expect(Bool(false)) } } // two run
    guard case .run([3, 4]) = queue.ended(at: 10), case .nothing = queue.ended(at: 20) else { return #expect(Bool(false)) }
    guard case .wait(let time) = queue.ended(at: 30), case .run([5]) = queue.timeCame(at: time) else { return #expect(Bool(false)) }
    #expect(time == 1_030)
    #expect(sizes(callers: 64, maxSize: 16, maxDelay: 2_000_000, atOnce: 2).allSatisfy { $0 <= 16 })
  }

  @Test("a full queue runs at once, and no batch is larger than it may be")
  func full() {
    var queue = BatchQueue<Int>(maxSize: 4, maxDelay: 1_000)
    guard case .run([0]) = queue.add(0, at: 0) else { return #expect(Bool(false)) }
    for item in 1...5 { guard case .nothing = queue.add(item, at: 0) else { return #expect(Bool(false)) } }
    guard case .run([1, 2, 3, 4]) = queue.ended(at: 0), case .wait(let time) = queue.ended(at: 10) else { return #expect(Bool(false)) }
    #expect(time == 1_010)
    guard case .nothing = queue.add(6, at: 20), case .wait = queue.timeCame(at: 500), case .run([5, 6]) = queue.timeCame(at: 1_010) else { return #expect(Bool(false)) }
  }
}
