/// Tokens back to text.
enum TokenDecoder: Sendable {
  /// Words with spaces between; what continues a word begins with the prefix.
  case wordPiece(prefix: String, tidies: Bool)
  case byteLevel
  case spaced

  init(_ part: TokenizerPart) throws {
    guard let part = part.present else { self = .spaced; return }
    switch try part.kind() {
    case "WordPiece": self = .wordPiece(prefix: part.optionalText("prefix") ?? "##", tidies: part.flag("cleanup") ?? true)
    case "ByteLevel": self = .byteLevel
    case let kind: throw part.unknown(kind)
    }
  }

  func text(of tokens: [String]) -> String {
    switch self {
    case .spaced: return tokens.joined(separator: " ")
    case .byteLevel:
      var bytes: [UInt8] = []
      for token in tokens {
        let known = token.unicodeScalars.map { ByteCharacters.byte(of: $0) }
        // A token that was added stands for itself.
        if known.contains(where: { $0 == nil }) { bytes += token.utf8 } else { bytes += known.compactMap { $0 } }
      }
      return String(decoding: bytes, as: UTF8.self)
    case .wordPiece(let prefix, let tidies):
      var text = ""
      for (place, token) in tokens.enumerated() {
        var part = token
        let scalars = token.unicodeScalars
        if place > 0 {
          let goesOn = scalars.starts(with: prefix.unicodeScalars)
          part = goesOn ? String(scalars.dropFirst(prefix.unicodeScalars.count)) : " " + token
        }
        text += tidies ? TokenDecoder.tidied(part) : part
      }
      return text
    }
  }

  /// Without the spaces that do not belong before punctuation.
  private static func tidied(_ text: String) -> String {
    let changes = [
      (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"),
      (" 've", "'ve"), (" 're", "'re"),
    ]
    var scalars = Array(text.unicodeScalars)
    for (from, to) in changes {
      var place = 0
      let pattern = Array(from.unicodeScalars)
      while place + pattern.count <= scalars.count {
        if scalars[place..<place + pattern.count].elementsEqual(pattern) {
          scalars.replaceSubrange(place..<place + pattern.count, with: to.unicodeScalars)
          place += to.unicodeScalars.count
        } else {
          place += 1
        }
      }
    }
    var result = String.UnicodeScalarView()
    result.append(contentsOf: scalars)
    return String(result)
  }
}
