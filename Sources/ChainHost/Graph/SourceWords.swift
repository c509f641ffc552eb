/// The words of a Lua text with their places, without strings and comments: enough to point at a field of a table.
struct SourceWords {
  struct Word {
    var text: String
    var line: Int
    var column: Int
    /// How many braces are open before it.
    var depth: Int
    /// "=" follows, but not "==".
    var isAssigned: Bool
  }

  private(set) var words: [Word] = []

  init(_ text: [UInt8]) {
    var scanner = Scanner(text: text)
    scanner.run()
    words = scanner.words
  }

  /// Where the last name of `path` is written, below a declaration that begins in `line`; nil when it is not found.
  func place(of path: [String], from line: Int) -> (line: Int, column: Int)? {
    guard var position = words.firstIndex(where: { $0.line >= line }) else { return nil }
    let outside = words[position].depth
    var found: Word?
    for name in path where !name.hasPrefix("[") {
      var next = position
      var match: Int?
      while next < words.count {
        let word = words[next]
        // The declaration has ended: a word outside of its braces in a later line.
        if word.depth <= outside, word.line > line, next > position || found != nil { break }
        if word.text == name, word.depth > outside || found != nil {
          if word.isAssigned {
            match = next
            break
          }
          if match == nil { match = next }
        }
        next += 1
      }
      guard let match else { break }
      found = words[match]
      position = match + 1
    }
    return found.map { ($0.line, $0.column) }
  }

  private struct Scanner {
    let text: [UInt8]
    var words: [Word] = []
    var position = 0
    var line = 1
    var lineStart = 0
    var depth = 0

    init(text: [UInt8]) { self.text = text }

    func byte(_ offset: Int = 0) -> UInt8 {
      let index = position + offset
      return index < text.count ? text[index] : 0
    }

    mutating func advance() {
      if byte() == 10 {
        line += 1
        lineStart = position + 1
      }
      position += 1
    }

    mutating func run() {
      while position < text.count {
        let next = byte()
        if next == UInt8(ascii: "-"), byte(1) == UInt8(ascii: "-") {
          comment()
        } else if next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") {
          string(next)
        } else if next == UInt8(ascii: "["), let level = longBracket() {
          skipLong(level)
        } else if isLetter(next) {
          word()
        } else {
          if next == UInt8(ascii: "{") { depth += 1 }
          if next == UInt8(ascii: "}") { depth -= 1 }
          advance()
        }
      }
    }

    func isLetter(_ byte: UInt8) -> Bool {
      byte == 95 || (65...90).contains(byte) || (97...122).contains(byte) || (48...57).contains(byte)
    }

    mutating func word() {
      let start = position
      let column = position - lineStart + 1
      while isLetter(byte()) { advance() }
      var after = 0
      while byte(after) == 32 || byte(after) == 9 { after += 1 }
      let isAssigned = byte(after) == UInt8(ascii: "=") && byte(after + 1) != UInt8(ascii: "=")
      words.append(
        Word(
          text: String(decoding: text[start..<position], as: UTF8.self), line: line, column: column, depth: depth,
          isAssigned: isAssigned))
    }

    mutating func string(_ quote: UInt8) {
      advance()
      while position < text.count, byte() != quote, byte() != 10 {
        if byte() == UInt8(ascii: "\\") { advance() }
        advance()
      }
      advance()
    }

    mutating func comment() {
      position += 2
      if byte() == UInt8(ascii: "["), let level = longBracket() { return skipLong(level) }
      while position < text.count, byte() != 10 { advance() }
    }

    func longBracket() -> Int? {
      var level = 0
      while byte(1 + level) == UInt8(ascii: "=") { level += 1 }
      return byte(1 + level) == UInt8(ascii: "[") ? level : nil
    }

    mutating func skipLong(_ level: Int) {
      for _ in 0..<(level + 2) { advance() }
      while position < text.count {
        if byte() == UInt8(ascii: "]"), byte(level + 1) == UInt8(ascii: "]"), (0..<level).allSatisfy({ byte(1 + $0) == UInt8(ascii: "=") }) {
          for _ in 0..<(level + 2) { advance() }
          return
        }
        advance()
      }
    }
  }
}
