import CLuaGuard

/// The pieces of JSON text that do not depend on a type: strings and numbers as bytes.
enum JSONText {
  /// A string between quotes, and the colon that follows it as a key.
  static func quoted(_ name: String) -> [UInt8] {
    var buffer = ByteBuffer()
    var name = name
    name.withUTF8 { append(string: UnsafeRawBufferPointer($0), to: &buffer) }
    buffer.append(0x3A)
    return buffer.array
  }

  /// Text that is UTF-8, escaped where RFC 8259 asks for it, between quotes.
  static func append(string text: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
    var pace = Pace.unbounded
    _ = append(checked: text, to: &buffer, pace: &pace)
  }

  /// The same; false when the text is not UTF-8, or the rest is not wanted.
  @inline(__always) static func append(
    checked text: UnsafeRawBufferPointer, to buffer: inout ByteBuffer, pace: inout Pace
  ) -> Bool {
    guard let start = text.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
      buffer.append("\"\"")
      return true
    }
    let place = buffer.reserve(text.count &+ 2)
    var high: UInt64 = 0
    place[0] = 0x22
    guard clg_json_copy(place + 1, start, text.count, &high) != 0 else {
      return appendEscaped(start, text.count, to: &buffer, pace: &pace) && UTF8Check.isValid(text)
    }
    place[text.count &+ 1] = 0x22
    buffer.advance(text.count &+ 2)
    return pace.goesOn(afterBytes: text.count) && (high == 0 || UTF8Check.isValid(text))
  }

  @inline(never) private static func appendEscaped(
    _ start: UnsafePointer<UInt8>, _ length: Int, to buffer: inout ByteBuffer, pace: inout Pace
  ) -> Bool {
    buffer.append(0x22)
    var done = 0, escapes = 0
    while done < length {
      var high: Int32 = 0
      let plain = clg_json_plain_or_high(start + done, length - done, &high)
      buffer.append(start + done, plain)
      done += plain
      if done < length {
        append(escape: start[done], to: &buffer)
        done += 1
        escapes += 1
        guard escapes & 15 != 0 || pace.goesOn() else { return false }
      }
    }
    buffer.append(0x22)
    return pace.goesOn(afterBytes: length)
  }

  private static func append(escape byte: UInt8, to buffer: inout ByteBuffer) {
    buffer.append(0x5C)
    switch byte {
    case 0x22, 0x5C: buffer.append(byte)
    case 0x08: buffer.append(0x62)
    case 0x09: buffer.append(0x74)
    case 0x0A: buffer.append(0x6E)
    case 0x0C: buffer.append(0x66)
    case 0x0D: buffer.append(0x72)
    default:
      buffer.append("u00")
      buffer.append(hexDigit(byte >> 4))
      buffer.append(hexDigit(byte & 15))
    }
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

  // MARK: Numbers

  @inline(__always) static func append(integer value: Int64, to buffer: inout ByteBuffer) {
    let place = buffer.reserve(20)
    var rest = value.magnitude
    var length = digits(in: rest)
    if value < 0 {
      place[0] = 0x2D
      length &+= 1
    }
    var end = length
    repeat {
      end &-= 1
      let (quotient, digit) = (rest / 10, rest % 10)
      place[end] = 0x30 &+ UInt8(truncatingIfNeeded: digit)
      rest = quotient
    } while rest > 0
    buffer.advance(length)
  }

  @inline(__always) private static func digits(in value: UInt64) -> Int {
    var count = 1
    var bound: UInt64 = 10
    while value >= bound {
      count &+= 1
      if count == 20 { break }
      bound &*= 10
    }
    return count
  }

  /// The shortest digits that read back as the same double; always with a fraction or an exponent, so that it stays a
  /// float. NaN and infinities as the strings that stand for them.
  static func append(number value: Double, to buffer: inout ByteBuffer) {
    guard value.isFinite else {
      buffer.append(value.isNaN ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"")
      return
    }
    if appendShort(value, to: &buffer) { return }
    let place = buffer.reserve(48)
    place[0] = 0x2D
    let sign = value < 0 ? 1 : 0
    let length = UnsafeMutableRawPointer(place + sign).withMemoryRebound(to: CChar.self, capacity: 40) {
      clg_shortest(value.magnitude, $0)
    }
    if length > 0 { return buffer.advance(sign + length) }
    var text = value.description
    text.withUTF8 { buffer.append(UnsafeRawBufferPointer($0)) }
  }

  /// A number of at most 15 digits, six of them behind the point. No other decimal of so few digits reads as the same
  /// double, so this one, without its last zeros, is the shortest.
  @inline(__always) private static func appendShort(_ value: Double, to buffer: inout ByteBuffer) -> Bool {
    let size = value.magnitude
    guard size < 1e8, size >= 1e-3 || size == 0 else { return false }
    let scaled = (size * 1e6).rounded()
    guard scaled / 1e6 == size else { return false }
    let digits = UInt64(scaled)
    let (whole, fraction) = (digits / 1_000_000, digits % 1_000_000)
    if value.sign == .minus { buffer.append(0x2D) }
    append(integer: Int64(whole), to: &buffer)
    let place = buffer.reserve(7)
    place[0] = 0x2E
    var rest = fraction
    var length = 2
    for position in stride(from: 6, to: 0, by: -1) {
      let digit = UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
      place[position] = 0x30 &+ digit
      if digit != 0, length <= position { length = position &+ 1 }
    }
    buffer.advance(length)
    return true
  }
}
