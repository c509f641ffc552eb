/// Whether a Lua pattern is well formed: what string.find finds out only when it gets there.
package enum PatternSyntax {
  package static func problem(in pattern: [UInt8]) -> String? {
    var reader = Reader(pattern: pattern)
    return reader.check()
  }

  private struct Reader {
    let pattern: [UInt8]
    var position = 0
    /// Captures: true while open.
    var captures: [Bool] = []

    init(pattern: [UInt8]) { self.pattern = pattern }

    func byte(_ offset: Int = 0) -> UInt8? {
      let index = position + offset
      return pattern.indices.contains(index) ? pattern[index] : nil
    }

    mutating func check() -> String? {
      if byte() == UInt8(ascii: "^") { position += 1 }
      while let next = byte() {
        let problem: String?
        switch next {
        case UInt8(ascii: "("): problem = open()
        case UInt8(ascii: ")"): problem = close()
        case UInt8(ascii: "%"): problem = escape()
        case UInt8(ascii: "["): problem = set()
        default:
          position += 1
          problem = nil
        }
        if let problem { return problem }
      }
      return captures.contains(true) ? "a capture is not closed: ')' is missing" : nil
    }

    private mutating func open() -> String? {
      let isPosition = byte(1) == UInt8(ascii: ")")
      position += isPosition ? 2 : 1
      captures.append(!isPosition)
      return captures.count > 32 ? "more than 32 captures" : nil
    }

    private mutating func close() -> String? {
      position += 1
      guard let last = captures.lastIndex(of: true) else { return "')' closes no capture; a plain one is written '%)'" }
      captures[last] = false
      return nil
    }

    private mutating func escape() -> String? {
      guard let next = byte(1) else { return "it ends with '%'; a plain one is written '%%'" }
      position += 2
      switch next {
      case UInt8(ascii: "b"):
        guard byte() != nil, byte(1) != nil else { return "'%b' needs two characters after it" }
        position += 2
      case UInt8(ascii: "f"):
        guard byte() == UInt8(ascii: "[") else { return "'%f' needs a set after it: %f[%w]" }
        return set()
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        let number = Int(next) - 48
        guard number >= 1, number <= captures.count, !captures[number - 1] else { return "'%\(number)' names no closed capture" }
      default: break
      }
      return nil
    }

    private mutating func set() -> String? {
      position += 1
      if byte() == UInt8(ascii: "^") { position += 1 }
      var isFirst = true
      while let next = byte() {
        if next == UInt8(ascii: "]"), !isFirst {
          position += 1
          return nil
        }
        isFirst = false
        if next == UInt8(ascii: "%") {
          guard byte(1) != nil else { break }
          position += 1
        }
        position += 1
      }
      return "a set is not closed: ']' is missing"
    }
  }
}
