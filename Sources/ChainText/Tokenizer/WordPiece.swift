/// A token of a piece: its id and the range of the piece's characters that it covers.
struct PieceToken: Sendable {
  var id: Int32
  var range: Range<Int>
}

/// A token's place and id in a piece of text.
protocol TokenModel: Sendable {
  func tokens(of piece: TrackedText) -> [PieceToken]
}

/// The longest known beginning, then the longest known continuation, and so on; a word of which some part is unknown is
/// unknown as a whole.
struct WordPiece: TokenModel {
  let vocabulary: Vocabulary
  let unknown: Int32
  let prefix: String
  let longestWord: Int
  /// The characters of the longest token.
  private let longestToken: Int

  init(_ part: TokenizerPart, _ vocabulary: Vocabulary, longestToken: Int) throws {
    self.vocabulary = vocabulary
    let name = part.optionalText("unk_token") ?? "[UNK]"
    guard let unknown = vocabulary.id(of: name) else { throw part.failure("the vocabulary lacks the unknown token '\(name)'") }
    self.unknown = unknown
    prefix = part.optionalText("continuing_subword_prefix") ?? "##"
    longestWord = (try? part.integer("max_input_chars_per_word")) ?? 100
    self.longestToken = longestToken
  }

  func tokens(of piece: TrackedText) -> [PieceToken] {
    let whole = [PieceToken(id: unknown, range: 0..<piece.count)]
    if piece.count > longestWord { return whole }
    var result: [PieceToken] = []
    var start = 0
    while start < piece.count {
      var end = min(piece.count, start + longestToken)
      var text = start == 0 ? "" : prefix
      text.unicodeScalars.append(contentsOf: piece.scalars[start..<end])
      var found: Int32?
      while end > start {
        found = vocabulary.id(of: text)
        if found != nil { break }
        text.unicodeScalars.removeLast()
        end -= 1
      }
      guard let found else { return whole }
      result.append(PieceToken(id: found, range: start..<end))
      start = end
    }
    return result
  }
}
