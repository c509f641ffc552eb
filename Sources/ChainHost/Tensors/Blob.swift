import CLuaGuard
import LuaBridge

/// An immutable buffer of bytes. It crosses between states, and between Lua and Swift, by reference: never copied.
public final class Blob: Sendable {
  // Safe to share: nobody writes to the memory any more, and it goes with the object.
  private nonisolated(unsafe) let start: UnsafeRawBufferPointer
  private let free: @Sendable (UnsafeRawBufferPointer) -> Void

  /// A blob with a copy of the bytes.
  public convenience init(_ bytes: some Collection<UInt8>) {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
    memory.copyBytes(from: bytes)
    self.init(taking: UnsafeRawBufferPointer(memory)) { $0.deallocate() }
  }

  /// A blob over memory that nobody writes to any more; `free` is called when the last reference goes, on any thread.
  public init(taking memory: UnsafeRawBufferPointer, free: @escaping @Sendable (UnsafeRawBufferPointer) -> Void) {
    start = memory
    self.free = free
  }

  deinit { free(start) }

  public var count: Int { start.count }
  /// The bytes, valid while `body` runs.
  public func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R { try body(start) }
  /// A copy of the bytes.
  public var array: [UInt8] { Array(start) }
}

extension Blob: LuaPushable, LuaReadable {
  public static var expected: String { "blob" }
  public static var annotation: String { "chain.Blob" }
  public func push(to stack: borrowing LuaStack) throws(LuaError) { copy(stack).push(self) }
  public static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> Blob {
    guard let blob = userdata.argument(copy(stack), at: index) else {
      throw LuaError(.runtime, "blob expected, got \(stack.describe(at: index))")
    }
    return blob
  }

  static let userdata = LuaUserdata<Blob>(name: "blob", charge: { .init($0, bytes: $0.count) }) { methods in
    methods.meta("__len") { blob, stack in
      stack.push(integer: Int64(blob.count))
      return 1
    }
    methods.meta("__tostring") { blob, stack in
      stack.push(text: "blob (\(blob.count) bytes)")
      return 1
    }
    methods.add("string") { blob, stack in
      blob.withBytes { stack.push(bytes: $0) }
      return 1
    }
    methods.add("sub") { blob, stack in
      guard let range = byteRange(of: blob, from: stack) else {
        return stack.fail("bad argument to 'sub': positions are integers, as in string.sub")
      }
      blob.withBytes { stack.push(bytes: UnsafeRawBufferPointer(rebasing: $0[range])) }
      return 1
    }
  }

  /// The range that `b:sub(i, j)` names: from 1, negative from the end, clipped, as `string.sub`.
  private static func byteRange(of blob: Blob, from stack: LuaStack) -> Range<Int>? {
    func position(_ index: Int32, absent: Int64) -> Int64? {
      let type = stack.type(at: index)
      if type == .none || type == .nil { return absent }
      return (try? Int.read(from: stack, at: index)).map(Int64.init)
    }
    let count = Int64(blob.count)
    guard var first = position(2, absent: 1), var last = position(3, absent: -1) else { return nil }
    if first < 0 { first = max(first &+ count &+ 1, 1) } else if first == 0 { first = 1 }
    if last < 0 { last = last &+ count &+ 1 } else if last > count { last = count }
    guard first <= last, first <= count else { return 0..<0 }
    return Int(first - 1)..<Int(last)
  }
}

private func copy(_ stack: borrowing LuaStack) -> LuaStack { LuaStack(stack.L) }

extension LuaStack {
  func blob(at index: Int32) -> Blob? { Blob.userdata.object(self, at: index) }
  func push(_ blob: Blob) { Blob.userdata.push(blob, onto: self) }
}
