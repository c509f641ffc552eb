import ChainBase

/// Where words and sentences begin and end, by Unicode's rules (UAX 29) and ICU's dictionaries. Texts are UTF-8, places are
/// in bytes.
///
/// A long text is looked at through a window that moves over it, so that no step takes long and nothing is kept of what is
/// behind. A word or sentence that is longer than the window is cut.
public final class TextSegments {
  public enum Kind: Int32, Sendable {
    /// Words, and the spaces and punctuation between them.
    case words = 1
    /// Sentences, each with the spaces behind it.
    case sentences = 3

    /// In bytes. A dictionary takes milliseconds for so many characters of a language that writes no spaces.
    var window: Int { self == .words ? 16 << 10 : 64 << 10 }
  }

  /// A segment that ends so many bytes before the window's end is taken not to depend on what follows.
  private static let margin = 1024

  private let kind: Kind
  private let icu: ICU
  private let breaks: OpaquePointer

  /// - Throws: a failure when ICU is not there.
  public init(_ kind: Kind) throws {
    icu = try ICU.shared()
    self.kind = kind
    var status: Int32 = 0
    guard let breaks = icu.openBreaks(kind.rawValue, "", nil, 0, &status), status <= 0 else { throw TextSegments.failure(status) }
    self.breaks = breaks
  }

  deinit { icu.closeBreaks(breaks) }

  private static func failure(_ status: Int32) -> Failure {
    Failure(code: Failure.Code.failed, message: "ICU cannot cut the text up (error \(status))")
  }

  /// Gives `body` each segment, and whether it is a word: has letters, digits or ideographs. Together they are the text.
  /// - Parameter body: false: the rest is not wanted.
  public func forEach(in text: UnsafeRawBufferPointer, _ body: (Range<Int>, _ isWord: Bool) throws -> Bool) throws {
    var start = 0
    while start < text.count {
      let end = text.characterStart(atOrBefore: min(start + kind.window, text.count))
      let settled = end == text.count ? end : end - TextSegments.margin
      try show(UnsafeRawBufferPointer(rebasing: text[start..<end]))
      var place = start
      while case let next = icu.nextBreak(breaks), next >= 0 {
        let segment = place..<start + Int(next)
        if segment.upperBound > settled, place > start { break } // the next window begins with it
        guard try body(segment, icu.ruleStatus(breaks) >= 100) else { return }
        place = segment.upperBound
      }
      start = place > start ? place : end
    }
  }

  private func show(_ text: UnsafeRawBufferPointer) throws {
    var status: Int32 = 0
    guard let shown = icu.openText(nil, text.baseAddress?.assumingMemoryBound(to: CChar.self), Int64(text.count), &status), status <= 0
    else { throw TextSegments.failure(status) }
    icu.setText(breaks, shown, &status) // which makes itself a copy of what says where the text is
    _ = icu.closeText(shown)
    guard status <= 0 else { throw TextSegments.failure(status) }
  }
}

extension UnsafeRawBufferPointer {
  /// Where the character begins of which the byte at `place` is a part; `count` for the end.
  func characterStart(atOrBefore place: Int) -> Int {
    var place = place
    while place > 0, place < count, self[place] & 0xC0 == 0x80 { place -= 1 }
    return place
  }

  /// The character that begins at a place, and where it ends.
  func character(at place: Int) -> (scalar: Unicode.Scalar, end: Int) {
    var end = place + 1
    while end < count, self[end] & 0xC0 == 0x80 { end += 1 }
    return (String(decoding: self[place..<end], as: UTF8.self).unicodeScalars.first ?? "\u{FFFD}", end)
  }

  /// A range of it without the spaces at both ends.
  package func trimmed(_ range: Range<Int>) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, case let next = character(at: start), next.scalar.isSpace { start = next.end }
    while start < end, case let last = characterStart(atOrBefore: end - 1), character(at: last).scalar.isSpace { end = last }
    return start..<end
  }
}
