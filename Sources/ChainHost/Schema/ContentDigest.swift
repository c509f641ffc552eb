/// A 128-bit digest of content, for telling versions apart. No defence against somebody who looks for collisions.
public struct ContentDigest: Sendable, Hashable, CustomStringConvertible {
  var high: UInt64 = 0x6c62_272e_07bb_0142
  var low: UInt64 = 0x62b8_2175_6295_c58d

  package init() {}

  /// FNV-1a over 128 bits: the prime is 2^88 + 0x13b.
  package mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      low ^= UInt64(byte)
      let (carry, product) = low.multipliedFullWidth(by: 0x13b)
      high = high &* 0x13b &+ carry &+ low << 24
      low = product
    }
  }

  /// Adds a length and a text, so that two texts in a row cannot be taken for two others.
  package mutating func add(sized bytes: some Collection<UInt8>) {
    var count = UInt64(bytes.count).littleEndian
    withUnsafeBytes(of: &count) { add($0) }
    add(bytes)
  }

  /// Adds many bytes, eight at a time: for files of models. Not the same as `add`.
  package mutating func add(words bytes: UnsafeRawBufferPointer) {
    var count = UInt64(bytes.count).littleEndian
    withUnsafeBytes(of: &count) { add($0) }
    var (a, b) = (low, high)
    let whole = bytes.count / 8 * 8
    for offset in stride(from: 0, to: whole, by: 8) {
      let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      let (carry, product) = (a ^ word).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
      (a, b) = (product ^ b, b &+ carry ^ word)
    }
    (low, high) = (a, b)
    add(bytes[whole...])
  }

  public var description: String { hexadecimal(high) + hexadecimal(low) }

  private func hexadecimal(_ word: UInt64) -> String {
    let text = String(word, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}
