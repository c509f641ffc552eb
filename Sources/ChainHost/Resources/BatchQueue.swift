/// When to run what waits together: the rules of dynamic batching, without clock, threads or work of their own.
///
/// An item that finds nothing running and nothing waiting runs at once, alone. While a batch runs others gather; when it
/// ends they run as soon as there are `maxSize` of them, and otherwise after at most `maxDelay`, since those whose answers
/// have just gone out are likely to ask again. Two that take turns, one at a time, are never held up.
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
  private var heldUntil: UInt64?

  package init(maxSize: Int, maxDelay: UInt64) {
    self.maxSize = max(1, maxSize)
    self.maxDelay = maxDelay
  }

  package mutating func add(_ item: Item) -> Step {
    waiting.append(item)
    if isRunning || (heldUntil != nil && waiting.count < maxSize) { return .nothing }
    return start()
  }

  package mutating func ended(at now: UInt64) -> Step {
    isRunning = false
    guard !waiting.isEmpty else { return .nothing }
    if waiting.count >= maxSize || waiting.count + lastSize <= 2 || maxDelay == 0 { return start() }
    let time = now &+ maxDelay
    heldUntil = time
    return .wait(until: time)
  }

  package mutating func timeCame(at now: UInt64) -> Step {
    guard !isRunning, let time = heldUntil else { return .nothing }
    if time > now { return .wait(until: time) }
    return start()
  }

  /// Takes out items that have gone.
  package mutating func remove(where isGone: (Item) -> Bool) { waiting.removeAll(where: isGone) }

  private mutating func start() -> Step {
    heldUntil = nil
    guard !waiting.isEmpty else { return .nothing }
    let batch = Array(waiting.prefix(maxSize))
    waiting.removeFirst(batch.count)
    isRunning = true
    lastSize = batch.count
    return .run(batch)
  }
}
