/// Tokens that are found in the text before the model sees it: special ones like `[SEP]`, and words that were added.
struct AddedTokens: Sendable {
  struct Token: Sendable {
    var id: Int32
    var content: String
    var scalars: [Unicode.Scalar]
    var isSpecial: Bool
    /// Found in the text after normalizing it, not before.
    var isNormalized: Bool
    var singleWord: Bool
    var stripsLeft: Bool
    var stripsRight: Bool
  }

  private(set) var tokens: [Token] = []

  init(_ part: TokenizerPart) throws {
    guard part["added_tokens"].present != nil else { return }
    for entry in try part.list("added_tokens") {
      let content = try entry.text("content")
      tokens.append(Token(
        id: Int32(clamping: try entry.integer("id")), content: content, scalars: Array(content.unicodeScalars),
        isSpecial: entry.flag("special") ?? false, isNormalized: entry.flag("normalized") ?? false,
        singleWord: entry.flag("single_word") ?? false, stripsLeft: entry.flag("lstrip") ?? false,
        stripsRight: entry.flag("rstrip") ?? false))
    }
    tokens.removeAll { $0.scalars.isEmpty }
    tokens.sort { $0.scalars.count > $1.scalars.count } // the longest that fits is meant
  }

  enum Part { case text(TrackedText), token(Int32, TrackedText) }

  /// Cuts a text at the tokens of one kind.
  func cut(_ text: TrackedText, normalized: Bool) -> [Part] {
    let wanted = tokens.filter { $0.isNormalized == normalized }
    let firsts = Set(wanted.map { $0.scalars[0] })
    guard !wanted.isEmpty else { return text.isEmpty ? [] : [.text(text)] }
    var parts: [Part] = []
    var start = 0, place = 0
    while place < text.count {
      guard firsts.contains(text.scalars[place]),
        let token = wanted.first(where: { text.scalars[place...].starts(with: $0.scalars) && fits($0, text, place) })
      else { place += 1; continue }
      var (from, to) = (place, place + token.scalars.count)
      if token.stripsLeft { while from > start, text.scalars[from - 1].isSpace { from -= 1 } }
      if token.stripsRight { while to < text.count, text.scalars[to].isSpace { to += 1 } }
      if from > start { parts.append(.text(text[start..<from])) }
      parts.append(.token(token.id, text[from..<to]))
      (start, place) = (to, to)
    }
    if start < text.count { parts.append(.text(text[start...])) }
    return parts
  }

  private func fits(_ token: Token, _ text: TrackedText, _ place: Int) -> Bool {
    guard token.singleWord else { return true }
    func isWord(_ index: Int) -> Bool { text.scalars.indices.contains(index) && (text.scalars[index].isLetter || text.scalars[index].isNumber || text.scalars[index] == "_") }
    return !isWord(place - 1) && !isWord(place + token.scalars.count)
  }
}

extension TrackedText {
  subscript(range: PartialRangeFrom<Int>) -> TrackedText { self[range.lowerBound..<count] }
}
