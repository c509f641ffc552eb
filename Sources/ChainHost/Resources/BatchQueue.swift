/// When to run what waits together: the rules of dynamic batching, without clock, threads or work of their own.
///
/// An item that finds nothing running and nothing waiting runs at once, alone. While a batch runs others gather; a full
/// one, which can gather no more, runs beside it where that is allowed. When a batch of several ends, those whose answers
/// have just gone out are likely to ask again: for `maxDelay` after it items are held, until there are `maxSize` of them.
/// Callers that take turns, one at a time, are never held up.
package struct BatchQueue<Item> {
  package enum Step {
    case nothing
    /// Run these now; call `ended` when they have ended.
    case run([Item])
    /// Call `timeCame` then.
    case wait(until: UInt64)
  }

  package let maxSize: Int
  /// Nanoseconds.
  package let maxDelay: UInt64
  /// Batches that may run side by side.
  package let atOnce: Int
  package private(set) var waiting: [Item] = []
  /// Batches that run.
  private var running = 0
  private var lastSize = 0
  /// Items are held until then, or until there are enough.
  private var heldUntil: UInt64 = 0
  /// Somebody will call `timeCame`.
  private var isTimed = false

  package init(maxSize: Int, maxDelay: UInt64, atOnce: Int = 1) {
    self.maxSize = max(1, maxSize)
    self.maxDelay = maxDelay
    self.atOnce = max(1, atOnce)
  }

  package mutating func add(_ item: Item, at now: UInt64) -> Step {
    waiting.append(item)
    return look(now)
  }

  package mutating func ended(at now: UInt64) -> Step {
    running -= 1
    heldUntil = waiting.count + lastSize > 2 ? moment(maxDelay, after: now) : now
    return look(now)
  }

  package mutating func timeCame(at now: UInt64) -> Step {
    isTimed = false
    return look(now)
  }

  private mutating func look(_ now: UInt64) -> Step {
    if waiting.count >= maxSize, running < atOnce { return start() }
    guard !waiting.isEmpty, running == 0 else { return .nothing }
    if now >= heldUntil { return start() }
    if isTimed { return .nothing }
    isTimed = true
    return .wait(until: heldUntil)
  }

  /// Takes out items that have gone.
  package mutating func remove(where isGone: (Item) -> Bool) { waiting.removeAll(where: isGone) }

  private mutating func start() -> Step {
    let batch = Array(waiting.prefix(maxSize))
    waiting.removeFirst(batch.count)
    running += 1
    lastSize = batch.count
    return .run(batch)
  }
}
