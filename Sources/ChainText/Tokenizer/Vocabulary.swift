/// The tokens and their ids. Tokens are compared byte by byte: to Swift's strings letters with accents are the same however
/// they are composed, to a vocabulary they are not.
struct Vocabulary: Sendable {
  private struct Key: Hashable {
    var text: String

    static func == (a: Key, b: Key) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    func hash(into hasher: inout Hasher) {
      var text = text
      text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }

  private var ids: [Key: Int32] = [:]
  private var tokens: [Int32: String] = [:]
  /// The code points of the longest.
  private(set) var longest = 0

  mutating func add(_ token: String, _ id: Int32) {
    ids[Key(text: token)] = id
    tokens[id] = token
    longest = Swift.max(longest, token.unicodeScalars.count)
  }

  var count: Int { tokens.count }
  func id(of token: String) -> Int32? { ids[Key(text: token)] }
  func token(of id: Int32) -> String? { tokens[id] }
}
