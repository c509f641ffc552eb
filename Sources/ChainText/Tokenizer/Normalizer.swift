import ChainBase

/// The first step of a tokenizer: what the text is changed to before it is cut up.
indirect enum Normalizer: Sendable {
  case bert(clean: Bool, spacedIdeographs: Bool, stripsAccents: Bool, lowercases: Bool)
  case form(UnicodeForm)
  case lowercase
  case stripAccents
  case strip(left: Bool, right: Bool)
  case replace(String, with: String)
  case prepend(String)
  case sequence([Normalizer])

  init?(_ part: TokenizerPart) throws {
    guard let part = part.present else { return nil }
    let kind = try part.kind()
    switch kind {
    case "BertNormalizer":
      let lowercases = part.flag("lowercase") ?? true
      self = .bert(
        clean: part.flag("clean_text") ?? true, spacedIdeographs: part.flag("handle_chinese_chars") ?? true,
        stripsAccents: part.flag("strip_accents") ?? lowercases, lowercases: lowercases)
    case "NFC", "NFD", "NFKC", "NFKD": self = UnicodeForm(rawValue: kind.lowercased()).map { .form($0) } ?? .form(.nfc)
    case "Lowercase": self = .lowercase
    case "StripAccents": self = .stripAccents
    case "Strip": self = .strip(left: part.flag("strip_left") ?? true, right: part.flag("strip_right") ?? true)
    case "Replace": self = .replace(try part["pattern"].literal(), with: try part.text("content"))
    case "Prepend": self = .prepend(try part.text("prepend"))
    case "Sequence": self = .sequence(try part.list("normalizers").compactMap { try Normalizer($0) })
    default: throw part.unknown(kind)
    }
  }

  func apply(_ text: inout TrackedText) throws {
    switch self {
    case .bert(let clean, let spacedIdeographs, let stripsAccents, let lowercases):
      if clean { text.clean() }
      if spacedIdeographs { text.map { scalar, add in
        if scalar.isIdeograph { add(" "); add(scalar); add(" ") } else { add(scalar) }
      } }
      if stripsAccents { try text.stripAccents(decomposing: true) }
      if lowercases { text.lowercase() }
    case .form(let form): try text.normalize(form)
    case .lowercase: text.lowercase()
    case .stripAccents: try text.stripAccents(decomposing: false)
    case .strip(let left, let right):
      let start = left ? text.scalars.firstIndex { !$0.isSpace } ?? text.count : 0
      let end = right ? (text.scalars.lastIndex { !$0.isSpace } ?? -1) + 1 : text.count
      text = text[start..<max(start, end)]
    case .replace(let pattern, let content): text.replace(Array(pattern.unicodeScalars), with: Array(content.unicodeScalars))
    case .prepend(let content):
      guard let first = text.origins.first else { return }
      var result = TrackedText()
      for scalar in content.unicodeScalars { result.append(scalar, .init(start: first.start, end: first.start)) }
      result.scalars += text.scalars
      result.origins += text.origins
      text = result
    case .sequence(let parts): for part in parts { try part.apply(&text) }
    }
  }
}

extension TrackedText {
  fileprivate mutating func lowercase() {
    map { scalar, add in
      if scalar.value < 0x80 {
        add(scalar.value &- 0x41 < 26 ? Unicode.Scalar(UInt8(scalar.value | 0x20)) : scalar)
      } else {
        for lower in scalar.properties.lowercaseMapping.unicodeScalars { add(lower) }
      }
    }
  }

  fileprivate mutating func stripAccents(decomposing: Bool) throws {
    if decomposing { try normalize(.nfd) }
    guard scalars.contains(where: { $0.value >= 0x300 }) else { return }
    map { scalar, add in
      if !scalar.isNonspacingMark { add(scalar) }
    }
  }

  /// Without control characters; every space is the plain one.
  fileprivate mutating func clean() {
    map { scalar, add in
      switch scalar {
      case "\t", "\n", "\r": add(" ")
      case "\0", "\u{FFFD}": break
      default:
        if scalar.value >= 0x20, scalar.value < 0x7F { return add(scalar) }
        if !scalar.isControl { add(scalar.isSpace ? " " : scalar) }
      }
    }
  }

  fileprivate mutating func replace(_ pattern: [Unicode.Scalar], with content: [Unicode.Scalar]) {
    guard !pattern.isEmpty, count >= pattern.count else { return }
    var result = TrackedText()
    var place = 0
    while place < count {
      if place + pattern.count <= count, scalars[place..<place + pattern.count].elementsEqual(pattern) {
        let origin = origin(of: place..<place + pattern.count)
        for scalar in content { result.append(scalar, origin) }
        place += pattern.count
      } else {
        result.append(scalars[place], origins[place])
        place += 1
      }
    }
    self = result
  }
}

extension Unicode.Scalar {
  /// The blocks of Chinese characters, as BERT has them.
  fileprivate var isIdeograph: Bool {
    switch value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F, 0x2B920...0x2CEAF,
      0xF900...0xFAFF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}
