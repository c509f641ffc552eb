import CLuaGuard
import LuaBridge

/// A JSON number as it was read.
struct JSONNumber {
  var isInteger: Bool
  var integer: Int64
  var number: Double
}

/// Text that is being read token by token, and what was wrong with it. The text has room behind it (`padding` bytes, the
/// first of them zero), so that no loop here needs bounds: a zero byte is no part of any token.
protocol JSONTokens: ~Copyable {
  var start: UnsafePointer<UInt8> { get }
  var end: UnsafePointer<UInt8> { get }
  /// The next byte.
  var at: UnsafePointer<UInt8> { get set }
  /// Where strings with escapes are put together.
  var scratch: ByteBuffer { get set }
  /// The first thing that went wrong, and the way to it, innermost first. Both stay empty while `quiet`: a member of a
  /// union is being tried.
  var complaint: Complaint? { get set }
  var path: [PathStep] { get set }
  var quiet: Bool { get set }
  /// Of the walk: a single token may be as long as the text.
  var pace: Pace { get set }
}

extension JSONTokens where Self: ~Copyable {
  // MARK: Tokens

  @inline(__always) mutating func skipSpace() {
    if at.pointee > 0x20 { return }
    skipSpaces()
  }

  @inline(never) mutating func skipSpaces() {
    var paced = at
    while at.pointee == 0x20 || at.pointee == 0x0A || at.pointee == 0x0D || at.pointee == 0x09 {
      at += 1
      guard goesOn(from: &paced, to: at) else { return }
    }
  }

  /// Keeps the pace in a loop over bytes: `paced` is the place up to which it has been kept.
  @inline(__always) mutating func goesOn(from paced: inout UnsafePointer<UInt8>, to here: UnsafePointer<UInt8>) -> Bool {
    guard here - paced >= 4_096 else { return true }
    let bytes = here - paced
    paced = here
    return pace.goesOn(afterBytes: bytes)
  }

  @inline(__always) func isNull() -> Bool { at[0] == 0x6E && at[1] == 0x75 && at[2] == 0x6C && at[3] == 0x6C }
  @inline(__always) func isTrue() -> Bool { at[0] == 0x74 && at[1] == 0x72 && at[2] == 0x75 && at[3] == 0x65 }
  @inline(__always) func isFalse() -> Bool {
    at[0] == 0x66 && at[1] == 0x61 && at[2] == 0x6C && at[3] == 0x73 && at[4] == 0x65
  }

  /// The text of the string at `at`, which is a quote: a slice of the input, or of the scratch buffer until the next
  /// string. nil: it is malformed, and the complaint is made.
  @inline(__always) mutating func stringToken() -> UnsafeRawBufferPointer? {
    let first = at + 1
    let plain = clg_json_plain(first, end - first, 1)
    if first[plain] == 0x22, first + plain < end {
      at = first + plain + 1
      return UnsafeRawBufferPointer(start: first, count: plain)
    }
    return escapedString(first, plain)
  }

  // MARK: Numbers

  @inline(__always) func isNumberStart() -> Bool { at.pointee == 0x2D || at.pointee &- 0x30 < 10 }

  /// A number without fraction and exponent that fits 64 bits is an integer, any other a float.
  @inline(__always) mutating func numberToken() -> JSONNumber? {
    var here = at
    let negative = here.pointee == 0x2D
    if negative { here += 1 }
    let first = here
    var digits: UInt64 = 0
    let fits = first + 19
    while here.pointee &- 0x30 < 10, here < fits {
      digits = digits &* 10 &+ UInt64(here.pointee &- 0x30)
      here += 1
    }
    let count = here - first
    if count > 0, count < 19, first.pointee != 0x30 || count == 1, here.pointee != 0x2E, here.pointee | 0x20 != 0x65 {
      at = here
      let value = Int64(truncatingIfNeeded: digits)
      return JSONNumber(isInteger: true, integer: negative ? 0 &- value : value, number: 0)
    }
    return longNumber(first, negative)
  }

  @inline(never) mutating func longNumber(_ first: UnsafePointer<UInt8>, _ negative: Bool) -> JSONNumber? {
    var here = first
    var digits: UInt64 = 0
    var significant = 0
    var exponent = 0
    func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    func take(_ byte: UInt8) -> Bool { // false: it no longer fits
      if digits == 0, byte == 0x30 { return true }
      significant += 1
      guard significant <= 19 else { return false }
      digits = digits * 10 + UInt64(byte - 0x30)
      return true
    }
    guard isDigit(here.pointee) else { return badNumber(here, "expected a digit") }
    if here.pointee == 0x30, isDigit(here[1]) { return badNumber(here, "a number has no leading zeros") }
    var isWhole = true
    let longest = first + longestNumber
    while isDigit(here.pointee), here < longest {
      if !take(here.pointee) { exponent += 1 }
      here += 1
    }
    if here.pointee == 0x2E {
      isWhole = false
      here += 1
      guard isDigit(here.pointee) else { return badNumber(here, "expected a digit after the point") }
      while isDigit(here.pointee), here < longest {
        if take(here.pointee) { exponent -= 1 }
        here += 1
      }
    }
    if here.pointee | 0x20 == 0x65 {
      isWhole = false
      here += 1
      let down = here.pointee == 0x2D
      if down || here.pointee == 0x2B { here += 1 }
      guard isDigit(here.pointee) else { return badNumber(here, "expected a digit in the exponent") }
      var power = 0
      while isDigit(here.pointee), here < longest {
        power = min(power * 10 + Int(here.pointee - 0x30), 1_000_000)
        here += 1
      }
      exponent += down ? -power : power
    }
    guard here < longest else {
      _ = !quiet && fail(Complaint(expected: "a number of fewer than \(longestNumber) characters", got: "a longer one"))
      return nil
    }
    if isWhole, significant <= 19, digits <= UInt64(Int64.max) + (negative ? 1 : 0) {
      at = here
      return JSONNumber(isInteger: true, integer: Int64(truncatingIfNeeded: negative ? 0 &- digits : digits), number: 0)
    }
    var value = 0.0
    if significant > 19 || clg_decimal(digits, Int32(clamping: exponent), &value) == 0 {
      value = Double(String(decoding: UnsafeBufferPointer(start: first, count: here - first), as: UTF8.self)) ?? .infinity
    }
    guard value.isFinite else {
      let text = String(decoding: UnsafeBufferPointer(start: at, count: min(here - at, 24)), as: UTF8.self)
      _ = !quiet && fail(Complaint(expected: "a number that fits 64 bits", got: text))
      return nil
    }
    at = here
    return JSONNumber(isInteger: false, integer: 0, number: negative ? -value : value)
  }

  private var longestNumber: Int { 4_096 }

  private mutating func badNumber(_ place: UnsafePointer<UInt8>, _ text: String) -> JSONNumber? {
    at = place
    _ = syntax(text)
    return nil
  }

  // MARK: Strings

  /// A string with escapes or with bytes >= 0x80. `first` is behind the quote.
  @inline(never) mutating func escapedString(_ first: UnsafePointer<UInt8>, _ plain: Int) -> UnsafeRawBufferPointer? {
    var here = first + plain
    var copied = first
    var high: Int32 = 0
    var escapes = 0
    scratch.removeAll()
    while true {
      here += clg_json_plain_or_high(here, end - here, &high)
      guard here < end else { return badString(first - 1, "the string has no end") }
      if here.pointee == 0x22 { break }
      guard here.pointee == 0x5C else { return badString(here, "control characters in a string must be escaped") }
      scratch.append(copied, here - copied)
      guard let next = escape(here) else { return nil }
      here = next
      copied = here
      escapes &+= 1
      guard escapes & 15 != 0 || pace.goesOn() else { return refusedString() }
    }
    at = here + 1
    let text: UnsafeRawBufferPointer
    if copied == first {
      text = UnsafeRawBufferPointer(start: first, count: here - first)
    } else {
      scratch.append(copied, here - copied)
      text = scratch.bytes
    }
    guard pace.goesOn(afterBytes: text.count) else { return refusedString() }
    if high != 0, !UTF8Check.isValid(text) { return badString(first, "the string is not UTF-8") }
    return text
  }

  /// Appends what the escape at `here` stands for; the place behind it.
  private mutating func escape(_ here: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
    switch here[1] {
    case 0x22, 0x5C, 0x2F: scratch.append(here[1])
    case 0x62: scratch.append(0x08)
    case 0x66: scratch.append(0x0C)
    case 0x6E: scratch.append(0x0A)
    case 0x72: scratch.append(0x0D)
    case 0x74: scratch.append(0x09)
    case 0x75: return unicodeEscape(here)
    default:
      _ = badString(here, "unknown escape in a string")
      return nil
    }
    return here + 2
  }

  private mutating func unicodeEscape(_ here: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
    guard let unit = hexUnit(here + 2) else {
      _ = badString(here, "\\u needs four hexadecimal digits")
      return nil
    }
    var code = unit
    var next = here + 6
    if unit & 0xFC00 == 0xD800, next[0] == 0x5C, next[1] == 0x75, let low = hexUnit(next + 2), low & 0xFC00 == 0xDC00 {
      code = 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
      next += 6
    }
    guard let scalar = Unicode.Scalar(code) else {
      _ = badString(here, "half of a surrogate pair is no character")
      return nil
    }
    for byte in String(Character(scalar)).utf8 { scratch.append(byte) }
    return next
  }

  private func hexUnit(_ place: UnsafePointer<UInt8>) -> UInt32? {
    var unit: UInt32 = 0
    for offset in 0..<4 {
      let byte = place[offset]
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46, 0x61...0x66: digit = (byte | 0x20) - 0x57
      default: return nil
      }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }

  private mutating func refusedString() -> UnsafeRawBufferPointer? {
    _ = fail(.unwanted)
    return nil
  }

  private mutating func badString(_ place: UnsafePointer<UInt8>, _ text: String) -> UnsafeRawBufferPointer? {
    at = place
    _ = syntax(text)
    return nil
  }

  // MARK: What went wrong

  @inline(never) mutating func fail(_ complaint: Complaint?) -> Bool {
    if !quiet, self.complaint == nil { self.complaint = complaint }
    return false
  }

  /// The text is no JSON: the message has the line and column, not a path.
  @inline(never) mutating func syntax(_ text: String) -> Bool {
    guard !quiet, complaint == nil else { return false }
    var line = 1, column = 1
    var here = start, paced = start
    while here < at, here < end, goesOn(from: &paced, to: here) {
      if here.pointee == 0x0A { (line, column) = (line + 1, 1) } else if here.pointee & 0xC0 != 0x80 { column += 1 }
      here += 1
    }
    let got = at >= end ? "the end of the text" : found()
    var wrong = Complaint(
      expected: "JSON", got: got,
      text: "not valid JSON at line \(line), column \(column): \(text)\(text.hasPrefix("expected") ? ", got \(got)" : "")")
    wrong.isFinal = true
    complaint = wrong
    path = []
    return false
  }

  private func found() -> String {
    let byte = at.pointee
    if byte >= 0x80 { return "a character outside of a string" }
    return byte > 0x20 && byte < 0x7F ? "'\(Character(Unicode.Scalar(byte)))'" : "the control character \(byte)"
  }

  /// What a message calls the value at `at`; nil when it is no JSON, which is then the complaint.
  mutating func describeToken() -> String? {
    switch at.pointee {
    case 0x22: return stringToken().map { Complaint.string($0) }
    case 0x7B: return "object"
    case 0x5B: return "list"
    case 0x74 where isTrue(): return "boolean (true)"
    case 0x66 where isFalse(): return "boolean (false)"
    case 0x6E where isNull(): return "null"
    default:
      guard isNumberStart() else {
        _ = syntax("expected a value")
        return nil
      }
      guard let read = numberToken() else { return nil }
      return read.isInteger ? "integer (\(read.integer))" : "number (\(read.number))"
    }
  }
}
