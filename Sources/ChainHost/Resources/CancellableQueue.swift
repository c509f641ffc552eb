/// First in, first out, and whoever waits may leave. One that has left in the midst is swept out when there are many of those:
/// leaving costs the same, however many wait or leave at once.
struct CancellableQueue<Element> {
  private var elements: [UInt64: Element] = [:]
  /// Numbers in the order of coming; some have left, but not the first.
  private var order: ArraySlice<UInt64> = []
  private var nextNumber: UInt64 = 0
  /// So many may have left before they are swept out.
  private static var few: Int { 64 }

  var isEmpty: Bool { elements.isEmpty }
  var first: Element? { order.first.flatMap { elements[$0] } }

  /// The number by which it may leave.
  mutating func append(_ element: Element) -> UInt64 {
    defer { nextNumber += 1 }
    elements[nextNumber] = element
    order.append(nextNumber)
    return nextNumber
  }

  /// Nil: it has had its turn, or has left.
  @discardableResult mutating func remove(_ number: UInt64) -> Element? {
    guard let element = elements.removeValue(forKey: number) else { return nil }
    dropLeft()
    if order.count > 2 * elements.count + CancellableQueue.few { order = order.filter { elements[$0] != nil }[...] }
    return element
  }

  mutating func popFirst() -> Element? {
    guard let number = order.popFirst() else { return nil }
    defer { dropLeft() }
    return elements.removeValue(forKey: number)
  }

  var all: [Element] { order.compactMap { elements[$0] } }

  private mutating func dropLeft() {
    while let number = order.first, elements[number] == nil { order.removeFirst() }
    if order.isEmpty { order = [] } // gives its memory back
  }
}
