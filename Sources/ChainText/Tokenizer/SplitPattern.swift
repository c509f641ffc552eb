import ChainBase

/// The patterns by which tokenizers cut text. The regular expressions of known tokenizers are written out by hand; others
/// are refused when the file is read.
enum SplitPattern: Sendable {
  case literal([Unicode.Scalar])
  case gpt2
  case whitespace

  static let gpt2Expression = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  init(_ part: TokenizerPart) throws {
    if let text = part.optionalText("String") {
      self = .literal(Array(text.unicodeScalars))
      return
    }
    switch part.optionalText("Regex") {
    case SplitPattern.gpt2Expression: self = .gpt2
    case "\\s+": self = .whitespace
    case let expression:
      throw part.failure("\(part.path): the regular expression '\(expression ?? "")' is not one of those that are known")
    }
  }

  func matches(in scalars: [Unicode.Scalar]) -> [Range<Int>] {
    switch self {
    case .gpt2: return SplitPattern.gpt2(in: scalars)
    case .whitespace: return SplitPattern.runs(of: \.isSpace, in: scalars)
    case .literal(let pattern):
      var result: [Range<Int>] = []
      var place = 0
      while !pattern.isEmpty, place + pattern.count <= scalars.count {
        let range = place..<place + pattern.count
        if scalars[range].elementsEqual(pattern) { result.append(range); place = range.upperBound } else { place += 1 }
      }
      return result
    }
  }

  static func each(_ property: (Unicode.Scalar) -> Bool, in scalars: [Unicode.Scalar]) -> [Range<Int>] {
    scalars.indices.compactMap { property(scalars[$0]) ? $0..<$0 + 1 : nil }
  }

  static func runs(of property: (Unicode.Scalar) -> Bool, in scalars: [Unicode.Scalar]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var place = 0
    while place < scalars.count {
      guard property(scalars[place]) else { place += 1; continue }
      let end = end(of: property, in: scalars, from: place)
      result.append(place..<end)
      place = end
    }
    return result
  }

  /// `\w+|[^\w\s]+`
  static func words(in scalars: [Unicode.Scalar]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var place = 0
    while place < scalars.count {
      if scalars[place].isSpace { place += 1; continue }
      let isWord = scalars[place].isWordCharacter
      let end = end(of: { $0.isWordCharacter == isWord && !$0.isSpace }, in: scalars, from: place)
      result.append(place..<end)
      place = end
    }
    return result
  }

  private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.unicodeScalars) }

  static func gpt2(in scalars: [Unicode.Scalar]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var place = 0
    while place < scalars.count {
      let end = gpt2End(scalars, place)
      result.append(place..<end)
      place = end
    }
    return result
  }

  private static func gpt2End(_ scalars: [Unicode.Scalar], _ start: Int) -> Int {
    if scalars[start] == "'" {
      for word in contractions where scalars[start...].starts(with: word) { return start + word.count }
    }
    let first = scalars[start] == " " && start + 1 < scalars.count ? start + 1 : start
    if scalars[first].isLetter { return end(of: \.isLetter, in: scalars, from: first) }
    if scalars[first].isNumber { return end(of: \.isNumber, in: scalars, from: first) }
    if !scalars[first].isSpace { return end(of: { !$0.isSpace && !$0.isLetter && !$0.isNumber }, in: scalars, from: first) }
    // Space: all of it at the end of the text, else all but the last, which the next word may take.
    let space = end(of: \.isSpace, in: scalars, from: start)
    return space == scalars.count || space == start + 1 ? space : space - 1
  }

  private static func end(of property: (Unicode.Scalar) -> Bool, in scalars: [Unicode.Scalar], from start: Int) -> Int {
    var place = start
    while place < scalars.count, property(scalars[place]) { place += 1 }
    return place
  }
}

extension Unicode.Scalar {
  /// `\w` of a regular expression.
  fileprivate var isWordCharacter: Bool {
    if value < 0x80 { return isLetter || isNumber || self == "_" }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .connectorPunctuation: return true
    default: return properties.isAlphabetic || properties.isJoinControl
    }
  }
}
