import CLuaGuard

/// Bytes that grow at the end. Kept and reused by whoever writes many texts: `removeAll` keeps the memory, but no more than
/// `mostKept`, so that one huge text does not cost memory for ever.
package struct ByteBuffer: ~Copyable {
  package static var mostKept: Int { 4 << 20 }

  private(set) var start: UnsafeMutablePointer<UInt8>
  /// The bytes written; always at most `capacity`.
  package private(set) var count = 0
  package private(set) var capacity: Int

  package init(capacity: Int = 256) {
    self.capacity = max(64, capacity)
    start = .allocate(capacity: self.capacity)
  }

  deinit { start.deallocate() }

  package mutating func removeAll() {
    count = 0
    guard capacity > ByteBuffer.mostKept else { return }
    start.deallocate()
    capacity = ByteBuffer.mostKept
    start = .allocate(capacity: capacity)
  }

  /// The bytes, valid until the next change.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
  package var array: [UInt8] { Array(bytes) }
  package var string: String { String(decoding: bytes, as: UTF8.self) }

  /// Room for `more` bytes at the returned place; they count once `advance` says so.
  @inline(__always) mutating func reserve(_ more: Int) -> UnsafeMutablePointer<UInt8> {
    if capacity &- count < more { grow(more) }
    return start + count
  }

  @inline(__always) mutating func advance(_ written: Int) { count &+= written }

  @inline(never) private mutating func grow(_ more: Int) {
    let larger = max(capacity * 2, count + more)
    let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    moved.update(from: start, count: count)
    start.deallocate()
    start = moved
    capacity = larger
  }

  @inline(__always) mutating func append(_ byte: UInt8) {
    reserve(1).pointee = byte
    count &+= 1
  }

  @inline(__always) mutating func append(_ source: UnsafePointer<UInt8>, _ length: Int) {
    reserve(length).update(from: source, count: length)
    count &+= length
  }

  /// Appends a key of a program, whose text has room behind it.
  @inline(__always) mutating func append(padded source: UnsafePointer<UInt8>, _ length: Int) {
    clg_copy_blocks(reserve(length &+ 16), source, length)
    count &+= length
  }

  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    append(base.assumingMemoryBound(to: UInt8.self), bytes.count)
  }

  package mutating func append(_ text: StaticString) { append(text.utf8Start, text.utf8CodeUnitCount) }

  /// Goes back to an earlier count.
  mutating func truncate(to count: Int) { self.count = min(count, self.count) }
}
