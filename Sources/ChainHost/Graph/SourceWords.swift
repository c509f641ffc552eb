/// The words of a Lua text with their places, without strings and comments: enough to point at a field of a table.
struct SourceWords {
  /// Places in the text, as small as they can be: every file of a graph is scanned.
  struct Word {
    var bytes: Range<Int32>
    var line: Int32
    var column: Int32
    /// How many braces are open before it.
    var depth: Int32
    /// "=" follows, but not "==".
    var isAssigned: Bool
    /// The name that is assigned, when the value is nothing but a name; otherwise empty.
    var assigned: Range<Int32>
  }

  private let text: [UInt8]
  private let words: [Word]

  init(_ text: [UInt8]) {
    self.text = text
    var scanner = Scanner(text: text)
    scanner.words.reserveCapacity(text.count / 5)
    scanner.run()
    words = scanner.words
  }

  /// What a word says.
  func name(_ word: Word) -> String { string(word.bytes) }
  /// The name that is assigned to a word, when the value is nothing but a name.
  func assignedName(_ word: Word) -> String? { word.assigned.isEmpty ? nil : string(word.assigned) }

  private func string(_ bytes: Range<Int32>) -> String { String(decoding: text[Int(bytes.lowerBound)..<Int(bytes.upperBound)], as: UTF8.self) }

  private func says(_ word: Word, _ name: String) -> Bool {
    word.bytes.count == name.utf8.count && text[Int(word.bytes.lowerBound)..<Int(word.bytes.upperBound)].elementsEqual(name.utf8)
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
        if word.depth > outside || found != nil, says(word, name) {
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
    return found.map { (Int($0.line), Int($0.column)) }
  }

  /// The line of the last `return` outside of every table, if it is the file's own.
  var lastReturn: Int? { words.last { $0.depth == 0 && $0.column == 1 && says($0, "return") }.map { Int($0.line) } }

  /// The keys that are written in the braces behind `path`, below a declaration that begins in `line`.
  func keys(of path: [String], from line: Int) -> [Word] {
    guard var position = words.firstIndex(where: { $0.line >= line }) else { return [] }
    var depth = words[position].depth
    if !path.isEmpty {
      guard let place = place(of: path, from: line), let found = words.firstIndex(where: { $0.line == place.line && $0.column == place.column })
      else { return [] }
      position = found
      depth = words[found].depth
    }
    var keys: [Word] = []
    for word in words[(position + 1)...] {
      if word.depth <= depth, !keys.isEmpty || word.line > words[position].line || !path.isEmpty { break }
      if word.depth == depth + 1, word.isAssigned { keys.append(word) }
    }
    return keys
  }

  private struct Scanner {
    let text: [UInt8]
    var words: [Word] = []
    var position = 0
    var line: Int32 = 1
    var lineStart = 0
    var depth: Int32 = 0

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
          bytes: Int32(clamping: start)..<Int32(clamping: position), line: line, column: Int32(clamping: column), depth: depth,
          isAssigned: isAssigned, assigned: isAssigned ? simpleValue(after) : 0..<0))
    }

    /// The name between the "=" at `offset` and a comma or brace.
    func simpleValue(_ offset: Int) -> Range<Int32> {
      var start = offset + 1
      while [32, 9].contains(byte(start)) { start += 1 }
      var end = start
      while isLetter(byte(end)) || byte(end) == UInt8(ascii: ".") { end += 1 }
      var after = end
      while [32, 9, 10, 13].contains(byte(after)) { after += 1 }
      guard end > start, [UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: ";")].contains(byte(after)) else { return 0..<0 }
      return Int32(clamping: position + start)..<Int32(clamping: position + end)
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
