import ChainBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A run of bytes that tensors look into, and whoever keeps it alive. Nobody writes to it once a tensor has it.
public final class TensorMemory: Sendable {
  // Safe to share: the bytes do not change any more, and they live as long as the object.
  private nonisolated(unsafe) let start: UnsafeRawPointer
  /// The bytes of the whole run, whatever part of it a tensor shows.
  public let byteCount: Int
  private let owner: (any AnyObject & Sendable)?
  /// Whose bytes these are until they go.
  private let allowance: TensorAllowance?

  /// Memory of somebody else's, who is kept alive as long as this: an engine's output, a mapped file.
  public init(over start: UnsafeRawPointer, byteCount: Int, owner: any AnyObject & Sendable) {
    self.start = start
    self.byteCount = byteCount
    self.owner = owner
    allowance = nil
  }

  /// Memory of its own, on a boundary of 64 bytes, which `fill` writes before anybody else sees it.
  /// - Throws: what `fill` throws; or a failure of code `memory_limit` when there is no room (`TensorAllowance`).
  init(byteCount: Int, filledBy fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
    let allowance = TensorAllowance.current
    try allowance?.take(byteCount)
    guard let memory = TensorMemory.reserve(byteCount) else {
      allowance?.giveBack(byteCount)
      throw TensorAllowance.noRoom(for: byteCount, left: 0)
    }
    do { try fill(UnsafeMutableRawBufferPointer(start: memory, count: byteCount)) } catch {
      TensorMemory.release(memory, byteCount)
      allowance?.giveBack(byteCount)
      throw error
    }
    start = UnsafeRawPointer(memory)
    self.byteCount = byteCount
    owner = nil
    self.allowance = allowance
  }

  deinit {
    guard owner == nil else { return }
    TensorMemory.release(UnsafeMutableRawPointer(mutating: start), byteCount)
    allowance?.giveBack(byteCount)
  }

  /// From here on memory is the system's, and goes back to it: `free` may keep it, for each thread that asked for some.
  private static let mapped = 1 << 20

  /// On a boundary of 64 bytes; nil if there is no room in the address space.
  private static func reserve(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    guard byteCount < mapped else {
      let memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
      return memory == MAP_FAILED ? nil : memory
    }
    var memory: UnsafeMutableRawPointer?
    return posix_memalign(&memory, 64, Swift.max(byteCount, 1)) == 0 ? memory : nil
  }

  private static func release(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) {
    if byteCount < mapped { return free(memory) }
    munmap(memory, byteCount)
  }

  /// The first byte; valid while the memory is held.
  @inline(__always) package var base: UnsafeRawPointer { start }
}
