/// When to run what waits together: the rules of dynamic batching, without clock, threads or work of their own.
///
/// An item that finds nothing running and nothing waiting runs at once, alone. While a batch runs others gather. When a
/// batch of several ends, those whose answers have just gone out are likely to ask again: for `maxDelay` after it items
/// are held, until there are `maxSize` of them. Callers that take turns, one at a time, are never held up.
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
  package private(set) var waiting: [Item] = []
  package private(set) var isRunning = false
  private var lastSize = 0
  /// Items are held until then, or until there are enough.
  private var heldUntil: UInt64 = 0
  /// Somebody will call `timeCame`.
  private var isTimed = false

  package init(maxSize: Int, maxDelay: UInt64) {
    self.maxSize = max(1, maxSize)
    self.maxDelay = maxDelay
  }

  package mutating func add(_ item: Item, at now: UInt64) -> Step {
    waiting.append(item)
    return isRunning ? .nothing : look(now)
  }

  package mutating func ended(at now: UInt64) -> Step {
    isRunning = false
    heldUntil = waiting.count + lastSize > 2 ? now &+ maxDelay : now
    return look(now)
  }

  package mutating func timeCame(at now: UInt64) -> Step {
    isTimed = false
    return isRunning ? .nothing : look(now)
  }

  private mutating func look(_ now: UInt64) -> Step {
    guard !waiting.isEmpty else { return .nothing }
    if waiting.count >= maxSize || now >= heldUntil { return start() }
    if isTimed { return .nothing }
    isTimed = true
    return .wait(until: heldUntil)
  }

  /// Takes out items that have gone.
  package mutating func remove(where isGone: (Item) -> Bool) { waiting.removeAll(where: isGone) }

  private mutating func start() -> Step {
    let batch = Array(waiting.prefix(maxSize))
    waiting.removeFirst(batch.count)
    isRunning = true
    lastSize = batch.count
    return .run(batch)
  }
}
