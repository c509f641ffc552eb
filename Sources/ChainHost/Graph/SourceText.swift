/// Small rules about texts of Lua.
enum SourceText {
  /// What the compiler is given: a byte order mark and a first line that begins with `#` are skipped, lines keep their numbers.
  static func readable(_ bytes: [UInt8]) -> [UInt8] {
    var text = bytes[...]
    if text.starts(with: [0xEF, 0xBB, 0xBF]) { text = text.dropFirst(3) }
    if text.first == UInt8(ascii: "#") { text = text[(text.firstIndex(of: 10) ?? text.endIndex)...] }
    return Array(text)
  }

  /// "graph.lua:3: words" → (3, "words"); (0, the message) when it names no line.
  static func split(_ message: String) -> (line: Int, sentence: String) {
    var rest = Substring(message)
    while let colon = rest.firstIndex(of: ":") {
      let after = rest[rest.index(after: colon)...]
      let digits = after.prefix { $0.isNumber }
      if let line = Int(digits), after[digits.endIndex...].hasPrefix(": ") {
        return (line, String(after[digits.endIndex...].dropFirst(2)))
      }
      // Only a place at the beginning counts: file names hold no spaces after a colon.
      if after.first == " " { break }
      rest = after
    }
    return (0, message)
  }
}
