/// RFC 4648 section 4: padded, no line breaks, nothing else.
enum Base64 {
  private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

  static func append(_ bytes: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
    let length = (bytes.count + 2) / 3 * 4
    var place = buffer.reserve(length)
    let letters = alphabet.utf8Start
    var index = 0
    while index + 3 <= bytes.count {
      let group = Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
      place[0] = letters[group >> 18]
      place[1] = letters[group >> 12 & 63]
      place[2] = letters[group >> 6 & 63]
      place[3] = letters[group & 63]
      place += 4
      index += 3
    }
    if index < bytes.count {
      let two = index + 2 == bytes.count
      let group = Int(bytes[index]) << 16 | (two ? Int(bytes[index + 1]) << 8 : 0)
      place[0] = letters[group >> 18]
      place[1] = letters[group >> 12 & 63]
      place[2] = two ? letters[group >> 6 & 63] : 0x3D
      place[3] = 0x3D
    }
    buffer.advance(length)
  }

  /// Appends what the text stands for; false, and nothing is appended, when it is no canonical base64.
  static func decode(_ text: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) -> Bool {
    guard text.count % 4 == 0 else { return false }
    guard text.count > 0 else { return true }
    let padding = text[text.count - 1] != 0x3D ? 0 : text[text.count - 2] != 0x3D ? 1 : 2
    let place = buffer.reserve(text.count / 4 * 3)
    var written = 0
    var index = 0
    while index < text.count {
      let last = index + 4 == text.count
      var group = 0
      for offset in 0..<4 {
        let isPadding = last && offset >= 4 - padding
        let value = isPadding ? 0 : value(of: text[index + offset])
        guard value >= 0 else { return false }
        group = group << 6 | value
      }
      let kept = last ? 3 - padding : 3
      guard kept == 3 || group & (1 << (8 * (3 - kept)) - 1) == 0 else { return false } // spare bits are zero
      place[written] = UInt8(truncatingIfNeeded: group >> 16)
      if kept > 1 { place[written + 1] = UInt8(truncatingIfNeeded: group >> 8) }
      if kept > 2 { place[written + 2] = UInt8(truncatingIfNeeded: group) }
      written += kept
      index += 4
    }
    buffer.advance(written)
    return true
  }

  @inline(__always) private static func value(of letter: UInt8) -> Int {
    switch letter {
    case 0x41...0x5A: Int(letter) - 0x41
    case 0x61...0x7A: Int(letter) - 0x61 + 26
    case 0x30...0x39: Int(letter) - 0x30 + 52
    case 0x2B: 62
    case 0x2F: 63
    default: -1
    }
  }
}
