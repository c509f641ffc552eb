import ChainBase

/// Where words and sentences begin and end, by Unicode's rules (UAX 29) and ICU's dictionaries.
public enum TextSegments {
  private static let word: Int32 = 1, sentence: Int32 = 3

  /// The words: what has letters, digits or ideographs, without the spaces and the punctuation between.
  public static func words(of text: String) throws -> [Range<String.Index>] {
    try ranges(word, text).filter { $0.status >= 100 }.map(\.range) // below are spaces and punctuation
  }

  /// The sentences, each with the spaces behind it; together they are the text.
  public static func sentences(of text: String) throws -> [Range<String.Index>] {
    try ranges(sentence, text).map(\.range)
  }

  /// Words, spaces and punctuation; together they are the text.
  static func pieces(of text: String) throws -> [Range<String.Index>] { try ranges(word, text).map(\.range) }

  private static func ranges(_ kind: Int32, _ text: String) throws -> [(range: Range<String.Index>, status: Int32)] {
    let units = Array(text.utf16)
    guard !units.isEmpty else { return [] }
    let icu = try ICU.shared()
    return try units.withUnsafeBufferPointer { units in
      var status: Int32 = 0
      guard let breaks = icu.openBreaks(kind, "", units.baseAddress, Int32(clamping: units.count), &status), status <= 0 else {
        throw Failure(code: Failure.Code.failed, message: "ICU cannot cut the text up (error \(status))")
      }
      defer { icu.closeBreaks(breaks) }
      var result: [(range: Range<String.Index>, status: Int32)] = []
      var start = text.startIndex
      while true {
        let next = icu.nextBreak(breaks)
        guard next >= 0 else { return result }
        let end = String.Index(utf16Offset: Int(next), in: text)
        result.append((start..<end, icu.ruleStatus(breaks)))
        start = end
      }
    }
  }
}

/// Text in parts of bounded size, for models that take no more: cut between sentences where it is possible, else between
/// words, else between characters.
public struct TextChunks: Sendable {
  /// The most of one part, in what `measure` counts.
  public var size: Int
  /// How much of the end of a part the next one begins with, at most.
  public var overlap: Int

  public init(size: Int, overlap: Int = 0) {
    self.size = size
    self.overlap = overlap
  }

  /// - Parameter measure: the size of a piece of text, for example its characters or its tokens.
  public func ranges(of text: String, measure: (Substring) throws -> Int) throws -> [Range<String.Index>] {
    guard size > 0, overlap >= 0, overlap < size else {
      throw Failure(code: Failure.Code.failed, message: "chunks: the size must be at least 1 and the overlap smaller, got \(size) and \(overlap)")
    }
    var pieces: [(range: Range<String.Index>, size: Int)] = []
    for sentence in try TextSegments.sentences(of: text) { try add(sentence, of: text, measure, &pieces) }
    var chunks: [Range<String.Index>] = []
    var first = 0, total = 0
    for (place, piece) in pieces.enumerated() {
      if total + piece.size > size, place > first {
        chunks.append(pieces[first].range.lowerBound..<pieces[place - 1].range.upperBound)
        var (kept, start) = (0, place)
        while start - 1 > first, kept + pieces[start - 1].size <= overlap, kept + pieces[start - 1].size + piece.size <= size {
          start -= 1
          kept += pieces[start].size
        }
        (first, total) = (start, kept)
      }
      total += piece.size
    }
    if first < pieces.count { chunks.append(pieces[first].range.lowerBound..<text.endIndex) }
    return chunks
  }

  private func add(
    _ range: Range<String.Index>, of text: String, _ measure: (Substring) throws -> Int,
    _ pieces: inout [(range: Range<String.Index>, size: Int)]
  ) throws {
    let whole = try measure(text[range])
    if whole <= size { return pieces.append((range, whole)) }
    let part = String(text[range])
    var start = range.lowerBound
    for word in try TextSegments.pieces(of: part) {
      let length = part.unicodeScalars.distance(from: word.lowerBound, to: word.upperBound)
      let end = text.unicodeScalars.index(start, offsetBy: length)
      defer { start = end }
      let wordSize = try measure(text[start..<end])
      if wordSize <= size {
        pieces.append((start..<end, wordSize))
        continue
      }
      var place = start
      while place < end {
        let next = text.unicodeScalars.index(after: place)
        pieces.append((place..<next, try measure(text[place..<next])))
        place = next
      }
    }
  }
}
