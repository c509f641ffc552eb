import ChainBase

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

  /// Gives `body` each part of a text, UTF-8, as a range of bytes.
  /// - Parameters:
  ///   - measure: the size of a piece of the text, for example its characters or its tokens; nil: the rest is not wanted.
  ///   - body: false: the rest is not wanted.
  public func forEach(
    in text: UnsafeRawBufferPointer, measure: (Range<Int>) throws -> Int?, _ body: (Range<Int>) throws -> Bool
  ) throws {
    guard size > 0, overlap >= 0, overlap < size else {
      throw Failure(code: Failure.Code.failed, message: "chunks: the size must be at least 1 and the overlap smaller, got \(size) and \(overlap)")
    }
    let words = try TextSegments(.words)
    var part = Part()
    /// Adds what is between the part's end and `end`.
    func add(upTo end: Int, size pieceSize: Int) throws -> Bool {
      if !part.isEmpty, part.size + pieceSize > size {
        guard try body(part.range) else { return false }
        part.drop(to: min(overlap, size - pieceSize))
      }
      part.append(upTo: end, size: pieceSize)
      return true
    }
    func addCharacters(_ word: Range<Int>) throws -> Bool {
      var place = word.lowerBound
      while place < word.upperBound {
        let next = text.character(at: place).end
        guard let size = try measure(place..<next), try add(upTo: next, size: size) else { return false }
        place = next
      }
      return true
    }
    var isWanted = true
    try TextSegments(.sentences).forEach(in: text) { sentence, _ in
      guard let whole = try measure(sentence) else { isWanted = false; return false }
      if whole <= size {
        isWanted = try add(upTo: sentence.upperBound, size: whole)
      } else {
        try words.forEach(in: UnsafeRawBufferPointer(rebasing: text[sentence])) { word, _ in
          let word = word.lowerBound + sentence.lowerBound..<word.upperBound + sentence.lowerBound
          let wordSize = try measure(word)
          isWanted = if let wordSize { try wordSize <= size ? add(upTo: word.upperBound, size: wordSize) : addCharacters(word) } else { false }
          return isWanted
        }
      }
      return isWanted
    }
    if isWanted, !part.isEmpty { _ = try body(part.range) }
  }

  /// The part that is being made: pieces that follow each other.
  private struct Part {
    private var pieces: [(end: Int, size: Int)] = []
    /// Of `pieces`, how many are no longer in it.
    private var dropped = 0
    private var start = 0
    private(set) var size = 0

    var isEmpty: Bool { dropped == pieces.count }
    var range: Range<Int> { start..<(pieces.last?.end ?? start) }

    mutating func append(upTo end: Int, size: Int) {
      if dropped > 64, dropped > pieces.count / 2 {
        pieces.removeFirst(dropped)
        dropped = 0
      }
      pieces.append((end, size))
      self.size += size
    }

    /// Leaves the longest end of it that is shorter than the whole and has at most `most`.
    mutating func drop(to most: Int) {
      repeat {
        start = pieces[dropped].end
        size -= pieces[dropped].size
        dropped += 1
      } while !isEmpty && size > most
    }
  }
}
