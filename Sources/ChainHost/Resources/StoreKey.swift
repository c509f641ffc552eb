import LuaBridge

/// A key of a store: its bytes as they are. Texts that only look alike are different keys, and so are bytes that are no text.
struct StoreKey: Hashable, Sendable {
  /// Bytes of a key at most: a text may be the key of what is made of it.
  static let most = 1 << 20

  let bytes: [UInt8]
  /// Made once, and not while others wait for the store.
  private let hash: Int

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var hasher = Hasher()
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    hash = hasher.finalize()
  }

  static func == (a: StoreKey, b: StoreKey) -> Bool { a.hash == b.hash && a.bytes == b.bytes }
  func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}

extension StoreKey: CustomStringConvertible {
  /// For messages: of a long one the beginning.
  var description: String {
    bytes.count <= LuaStack.longestName
      ? String(decoding: bytes, as: UTF8.self) : String(decoding: bytes.prefix(LuaStack.longestName), as: UTF8.self) + "…"
  }
}
