import LuaBridge

/// A key of a store: its bytes as they are. Texts that only look alike are different keys, and so are bytes that are no text.
struct StoreKey: Hashable, Sendable {
  /// Bytes of a key at most: whoever looks for another key may have to compare all of them.
  static let most = 65_536

  let bytes: [UInt8]

  func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
}

extension StoreKey: ExpressibleByStringLiteral {
  init(stringLiteral text: String) { bytes = Array(text.utf8) }
}

extension StoreKey: CustomStringConvertible {
  /// For messages: of a long one the beginning.
  var description: String {
    bytes.count <= LuaStack.longestName
      ? String(decoding: bytes, as: UTF8.self) : String(decoding: bytes.prefix(LuaStack.longestName), as: UTF8.self) + "…"
  }
}
