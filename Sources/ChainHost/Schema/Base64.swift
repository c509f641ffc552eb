/// RFC 4648 section 4: padded, no line breaks, nothing else.
enum Base64 {
  private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  private static let invalid: UInt8 = 0xFF
  /// The value of each letter.
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: invalid, count: 256)
    for value in 0..<64 { values[Int(alphabet.utf8Start[value])] = UInt8(value) }
    return values
  }()
  /// So many groups of three bytes are done before anything else may come in between.
  private static let groupsAtOnce = 16_384

  /// - Returns: false when the pace was told that the rest is not wanted.
  @discardableResult static func append(_ bytes: UnsafeRawBufferPointer, to buffer: inout ByteBuffer, pace: inout Pace) -> Bool {
    let length = (bytes.count + 2) / 3 * 4
    var place = buffer.reserve(length)
    let letters = alphabet.utf8Start
    let whole = bytes.count / 3 * 3
    var index = 0
    while index < whole {
      let stop = min(whole, index + 3 * groupsAtOnce)
      while index < stop {
        let group = Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
        place[0] = letters[group >> 18]
        place[1] = letters[group >> 12 & 63]
        place[2] = letters[group >> 6 & 63]
        place[3] = letters[group & 63]
        place += 4
        index += 3
      }
      guard pace.goesOn(afterBytes: 4 * groupsAtOnce) else { return false }
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
    return true
  }

  static func append(_ bytes: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
    var pace = Pace.unbounded
    append(bytes, to: &buffer, pace: &pace)
  }

  /// Appends what the text stands for; false, and nothing is appended, when it is no canonical base64, or the rest is not
  /// wanted.
  static func decode(_ text: UnsafeRawBufferPointer, into buffer: inout ByteBuffer, pace: inout Pace) -> Bool {
    guard text.count % 4 == 0 else { return false }
    guard text.count > 0 else { return true }
    let padding = text[text.count - 1] != 0x3D ? 0 : text[text.count - 2] != 0x3D ? 1 : 2
    let whole = padding == 0 ? text.count : text.count - 4
    let place = buffer.reserve(text.count / 4 * 3)
    let written = values.withUnsafeBufferPointer { values -> Int? in
      var index = 0
      var target = place
      while index < whole {
        let stop = min(whole, index + 4 * groupsAtOnce)
        while index < stop {
          let a = values[Int(text[index])], b = values[Int(text[index + 1])]
          let c = values[Int(text[index + 2])], d = values[Int(text[index + 3])]
          guard (a | b | c | d) != invalid else { return nil } // no value has its highest bits
          target[0] = a << 2 | b >> 4
          target[1] = b << 4 | c >> 2
          target[2] = c << 6 | d
          target += 3
          index += 4
        }
        guard pace.goesOn(afterBytes: 4 * groupsAtOnce) else { return nil }
      }
      guard padding > 0 else { return target - place }
      let a = values[Int(text[index])], b = values[Int(text[index + 1])]
      let c = padding == 2 ? 0 : values[Int(text[index + 2])]
      guard (a | b | c) != invalid, padding == 2 ? b & 15 == 0 : c & 3 == 0 else { return nil } // spare bits are zero
      target[0] = a << 2 | b >> 4
      if padding == 1 { target[1] = b << 4 | c >> 2 }
      return target + 3 - padding - place
    }
    guard let written else { return false }
    buffer.advance(written)
    return true
  }

  static func decode(_ text: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) -> Bool {
    var pace = Pace.unbounded
    return decode(text, into: &buffer, pace: &pace)
  }
}
