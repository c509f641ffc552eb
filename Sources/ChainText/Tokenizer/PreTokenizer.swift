import ChainBase

/// The second step of a tokenizer: where the text is cut before the model looks at the pieces.
indirect enum PreTokenizer: Sendable {
  case bert
  /// Bytes, each as a character that can be printed; the cuts are GPT-2's unless they are left out.
  case byteLevel(prefixSpace: Bool, cuts: Bool)
  case whitespace
  case whitespaceSplit
  case punctuation(SplitBehavior)
  case digits(individual: Bool)
  case split(SplitPattern, SplitBehavior, inverted: Bool)
  case sequence([PreTokenizer])

  init?(_ part: TokenizerPart) throws {
    guard let part = part.present else { return nil }
    let kind = try part.kind()
    switch kind {
    case "BertPreTokenizer": self = .bert
    case "ByteLevel": self = .byteLevel(prefixSpace: part.flag("add_prefix_space") ?? true, cuts: part.flag("use_regex") ?? true)
    case "Whitespace": self = .whitespace
    case "WhitespaceSplit": self = .whitespaceSplit
    case "Punctuation": self = .punctuation(try SplitBehavior(part, absent: .isolated))
    case "Digits": self = .digits(individual: part.flag("individual_digits") ?? false)
    case "Split":
      self = .split(try SplitPattern(part["pattern"]), try SplitBehavior(part, absent: nil), inverted: part.flag("invert") ?? false)
    case "Sequence": self = .sequence(try part.list("pretokenizers").compactMap { try PreTokenizer($0) })
    default: throw part.unknown(kind)
    }
  }

  func apply(_ pieces: [TrackedText]) -> [TrackedText] {
    switch self {
    case .sequence(let parts): parts.reduce(pieces) { $1.apply($0) }
    case .bert:
      pieces.flatMap { piece in
        piece.cut(SplitPattern.runs(of: \.isSpace, in: piece.scalars), .removed).flatMap {
          $0.cut(SplitPattern.each(\.isBertPunctuation, in: $0.scalars), .isolated)
        }
      }
    case .whitespaceSplit: pieces.flatMap { $0.cut(SplitPattern.runs(of: \.isSpace, in: $0.scalars), .removed) }
    case .whitespace: pieces.flatMap { $0.cut(SplitPattern.words(in: $0.scalars), .inverted) }
    case .punctuation(let behavior): pieces.flatMap { $0.cut(SplitPattern.each(\.isBertPunctuation, in: $0.scalars), behavior) }
    case .digits(let individual):
      pieces.flatMap {
        individual
          ? $0.cut(SplitPattern.each(\.isNumber, in: $0.scalars), .isolated)
          : $0.cut(SplitPattern.runs(of: \.isNumber, in: $0.scalars), .isolated)
      }
    case .split(let pattern, let behavior, let inverted):
      pieces.flatMap { piece in
        var matches = pattern.matches(in: piece.scalars)
        if inverted { matches = piece.gaps(between: matches) }
        return piece.cut(matches, behavior)
      }
    case .byteLevel(let prefixSpace, let cuts):
      pieces.flatMap { piece -> [TrackedText] in
        var piece = piece
        if prefixSpace, let first = piece.scalars.first, first != " " {
          piece.scalars.insert(" ", at: 0)
          piece.origins.insert(.init(start: piece.origins[0].start, end: piece.origins[0].start), at: 0)
        }
        let parts = cuts ? piece.cut(SplitPattern.gpt2(in: piece.scalars), .isolated) : [piece]
        return parts.map { $0.asBytes() }
      }
    }
  }
}

/// What becomes of the text that a pattern finds.
enum SplitBehavior: Sendable {
  case removed, isolated, mergedWithPrevious, mergedWithNext, contiguous
  /// What is between the matches is removed.
  case inverted

  init(_ part: TokenizerPart, absent: SplitBehavior?) throws {
    switch part.optionalText("behavior") {
    case "Removed": self = .removed
    case "Isolated": self = .isolated
    case "MergedWithPrevious": self = .mergedWithPrevious
    case "MergedWithNext": self = .mergedWithNext
    case "Contiguous": self = .contiguous
    default:
      guard let absent else { throw part.failure("\(part.path).behavior is not known") }
      self = absent
    }
  }
}

extension TrackedText {
  /// What lies between ranges, which are in order.
  func gaps(between ranges: [Range<Int>]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var place = 0
    for range in ranges {
      if range.lowerBound > place { result.append(place..<range.lowerBound) }
      place = range.upperBound
    }
    if place < count { result.append(place..<count) }
    return result
  }

  func cut(_ matches: [Range<Int>], _ behavior: SplitBehavior) -> [TrackedText] {
    if matches.isEmpty { return behavior == .inverted || isEmpty ? [] : [self] }
    let gaps = gaps(between: matches)
    switch behavior {
    case .inverted: return matches.map { self[$0] }
    case .removed: return gaps.map { self[$0] }
    default: break
    }
    var all = matches.map { (range: $0, isMatch: true) } + gaps.map { (range: $0, isMatch: false) }
    all.sort { $0.range.lowerBound < $1.range.lowerBound }
    var parts: [(range: Range<Int>, isMatch: Bool)] = []
    for (range, isMatch) in all {
      let joins: Bool = switch behavior {
      case .mergedWithPrevious: isMatch && parts.last?.isMatch == false
      case .mergedWithNext: !isMatch && parts.last?.isMatch == true
      case .contiguous: parts.last?.isMatch == isMatch
      default: false
      }
      if joins, let last = parts.popLast() {
        parts.append((last.range.lowerBound..<range.upperBound, behavior == .contiguous ? isMatch : behavior == .mergedWithPrevious))
      } else {
        parts.append((range, isMatch))
      }
    }
    return parts.map { self[$0.range] }
  }

  /// Its bytes, each as the character that byte-level vocabularies have for it.
  fileprivate func asBytes() -> TrackedText {
    var result = TrackedText()
    result.reserve(count)
    for position in 0..<count {
      for byte in UTF8.encode(scalars[position]) ?? UTF8.encodedReplacementCharacter {
        result.append(ByteCharacters.character(of: byte), origins[position])
      }
    }
    return result
  }
}

/// GPT-2's table of bytes as characters: those that can be printed as themselves, the others from U+0100 on.
enum ByteCharacters {
  private static let characters: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0..<256).map { (byte: UInt32) in
      if (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte) {
        return Unicode.Scalar(byte) ?? " "
      }
      defer { next += 1 }
      return Unicode.Scalar(next) ?? " "
    }
  }()
  private static let bytes = Dictionary(uniqueKeysWithValues: characters.enumerated().map { ($1, UInt8($0)) })

  static func character(of byte: UInt8) -> Unicode.Scalar { characters[Int(byte)] }
  static func byte(of character: Unicode.Scalar) -> UInt8? { bytes[character] }
  static let space = character(of: 0x20)
}
