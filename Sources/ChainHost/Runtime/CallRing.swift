/// A first-in, first-out ring of calls that grows by doubling; no reference counting, no checks on its storage.
struct CallRing {
  private var storage = UnsafeMutablePointer<CallRef>.allocate(capacity: 256)
  private var mask = 255
  private var head = 0
  private var tail = 0

  @inline(__always) var isEmpty: Bool { head == tail }
  var count: Int { tail &- head }

  @inline(__always) mutating func push(_ call: CallRef) {
    if tail &- head > mask { grow() }
    storage[tail & mask] = call
    tail &+= 1
  }

  /// The ring must not be empty.
  @inline(__always) mutating func pop() -> CallRef {
    let call = storage[head & mask]
    head &+= 1
    return call
  }

  mutating func removeAll() { head = tail }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<CallRef>.allocate(capacity: (mask + 1) * 2)
    for position in head..<tail { larger[position & (mask * 2 + 1)] = storage[position & mask] }
    storage.deallocate()
    storage = larger
    mask = mask * 2 + 1
  }

  /// The ring's owner ends with its thread; nothing may use it afterwards.
  func deallocate() { storage.deallocate() }
}
