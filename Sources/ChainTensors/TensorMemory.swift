import ChainBase

/// A run of bytes that tensors look into, and whoever keeps it alive. Nobody writes to it once a tensor has it.
public final class TensorMemory: Sendable {
  // Safe to share: the bytes do not change any more, and they live as long as the object.
  private nonisolated(unsafe) let start: UnsafeRawPointer
  /// The bytes of the whole run, whatever part of it a tensor shows.
  public let byteCount: Int
  private let owner: (any AnyObject & Sendable)?

  /// Memory of somebody else's, who is kept alive as long as this: an engine's output, a mapped file.
  public init(over start: UnsafeRawPointer, byteCount: Int, owner: any AnyObject & Sendable) {
    self.start = start
    self.byteCount = byteCount
    self.owner = owner
  }

  /// Memory of its own, on a boundary of 64 bytes, which `fill` writes before anybody else sees it.
  /// - Throws: what `fill` throws; or a failure of code `memory_limit` when there is no room (`TensorAllowance`).
  init(byteCount: Int, filledBy fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
    try TensorAllowance.check(byteCount)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: Swift.max(byteCount, 1), alignment: 64)
    do { try fill(UnsafeMutableRawBufferPointer(start: memory, count: byteCount)) } catch {
      memory.deallocate()
      throw error
    }
    start = UnsafeRawPointer(memory)
    self.byteCount = byteCount
    owner = nil
  }

  deinit { if owner == nil { start.deallocate() } }

  /// The first byte; valid while the memory is held.
  @inline(__always) package var base: UnsafeRawPointer { start }
}

/// How many bytes one new tensor may take: none but the address space's own limit, unless somebody who answers for a
/// script's memory sets one for the operations that it starts.
public enum TensorAllowance {
  @TaskLocal package static var bytes = Int.max

  static func check(_ byteCount: Int) throws(Failure) {
    guard byteCount <= bytes else {
      throw Failure(
        code: Failure.Code.memoryLimit,
        message: "a tensor of \(byteCount) bytes is more than the memory limit leaves (\(Swift.max(bytes, 0)) bytes)")
    }
  }
}
