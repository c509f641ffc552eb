import CUV

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The memory of one uv handle. libuv keeps the address until the close callback, which alone frees it: the memory is
/// no part of a Swift object, and closing twice does nothing. The loop's thread only.
struct HandleMemory<Raw>: ~Copyable {
  let raw: UnsafeMutablePointer<Raw>
  private var isClosing = false

  init(_: Raw.Type) {
    raw = malloc(MemoryLayout<Raw>.size)!.bindMemory(to: Raw.self, capacity: 1)
  }

  /// Sets the object that the handle's callbacks find with `owner(of:as:)`; it must live until `close`.
  func belongs(to owner: AnyObject) { base.pointee.data = Unmanaged.passUnretained(owner).toOpaque() }

  /// Every handle type of libuv begins with `uv_handle_t`.
  var base: UnsafeMutablePointer<uv_handle_t> { UnsafeMutableRawPointer(raw).assumingMemoryBound(to: uv_handle_t.self) }

  /// Instead of `close`, for a handle that libuv has refused.
  mutating func discard() {
    if isClosing { return }
    isClosing = true
    free(raw)
  }

  mutating func close() {
    if isClosing { return }
    isClosing = true
    uv_close(base) { free($0) }
  }
}

/// The object that a handle's callback belongs to.
func owner<Object: AnyObject>(of data: UnsafeMutableRawPointer?, as _: Object.Type) -> Object {
  Unmanaged<Object>.fromOpaque(data!).takeUnretainedValue()
}
