/// Text that is being changed and still knows where in the source each of its characters comes from.
struct TrackedText {
  /// A range of the source, in code points.
  struct Origin {
    var start: Int
    var end: Int
  }

  var scalars: [Unicode.Scalar] = []
  var origins: [Origin] = []

  init() {}

  init(_ text: some StringProtocol, from start: Int = 0) {
    scalars = Array(text.unicodeScalars)
    origins = scalars.indices.map { Origin(start: start + $0, end: start + $0 + 1) }
  }

  var count: Int { scalars.count }
  var isEmpty: Bool { scalars.isEmpty }

  var string: String {
    var result = String.UnicodeScalarView()
    result.append(contentsOf: scalars)
    return String(result)
  }

  mutating func reserve(_ count: Int) {
    scalars.reserveCapacity(count)
    origins.reserveCapacity(count)
  }

  mutating func append(_ scalar: Unicode.Scalar, _ origin: Origin) {
    scalars.append(scalar)
    origins.append(origin)
  }

  subscript(range: Range<Int>) -> TrackedText {
    var part = TrackedText()
    part.scalars = Array(scalars[range])
    part.origins = Array(origins[range])
    return part
  }

  /// Replaces each character by none, one or several, all of which come from where it came.
  mutating func map(_ change: (Unicode.Scalar, (Unicode.Scalar) -> Void) -> Void) {
    var result = TrackedText()
    result.reserve(count)
    for position in 0..<count { change(scalars[position]) { result.append($0, origins[position]) } }
    self = result
  }

  /// The range of the source that a range of this comes from.
  func origin(of range: Range<Int>) -> Origin {
    guard !range.isEmpty else { return Origin(start: 0, end: 0) }
    return Origin(start: origins[range.lowerBound].start, end: origins[range.upperBound - 1].end)
  }
}

/// Classes of characters as the reference tokenizers tell them apart.
extension Unicode.Scalar {
  var isLetter: Bool {
    if value < 0x80 { return (value | 0x20) &- 0x61 < 26 }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
    default: return false
    }
  }

  var isNumber: Bool {
    if value < 0x80 { return value &- 0x30 < 10 }
    switch properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: return true
    default: return false
    }
  }

  var isSpace: Bool { value < 0x80 ? value == 0x20 || value &- 9 < 5 : properties.isWhitespace }

  /// The reference's tables of marks, control characters and punctuation are those of Unicode 8: what came later is none
  /// of them.
  private var isOfUnicode8: Bool { properties.age.map { $0.major <= 8 } ?? false }

  var isNonspacingMark: Bool { value >= 0x300 && properties.generalCategory == .nonspacingMark && isOfUnicode8 }

  /// Control and format characters, and those for private use.
  var isControl: Bool {
    switch properties.generalCategory {
    case .control, .privateUse, .surrogate: true
    case .format: isOfUnicode8
    default: false
    }
  }

  private var isPunctuation: Bool {
    guard isOfUnicode8 else { return false }
    switch properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
      .otherPunctuation:
      return true
    default: return false
    }
  }

  /// Punctuation, and all of ASCII that is neither letter, digit nor space.
  var isBertPunctuation: Bool {
    if value < 0x80 { return value > 0x20 && value < 0x7F && !isLetter && !isNumber }
    return isPunctuation
  }
}
