/// One file of a bundle, read once and compiled once.
public struct SourceFile: Sendable, Hashable {
  /// As messages name it: relative to the graph's folder, or `shared/greet.lua` in a library.
  public let path: String
  public let text: [UInt8]
  /// Compiled by this process, with lines and names.
  package let code: [UInt8]

  /// The first line that holds one of the texts, and no comment before it.
  func line(containing texts: [String]) -> Int? {
    for (index, line) in text.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      let line = String(decoding: line.prefix(1_000), as: UTF8.self)
      if !line.drop(while: { $0 == " " || $0 == "\t" }).hasPrefix("--"), texts.contains(where: { line.contains($0) }) { return index + 1 }
    }
    return nil
  }

  /// The text of a line, counting from 1.
  func line(_ number: Int) -> String? {
    guard number > 0 else { return nil }
    var current = 1
    var start = text.startIndex
    while current < number {
      guard let end = text[start...].firstIndex(of: 10) else { return nil }
      start = end + 1
      current += 1
    }
    let end = text[start...].firstIndex(of: 10) ?? text.endIndex
    var line = text[start..<end]
    if line.last == 13 { line = line.dropLast() }
    return String(decoding: line.prefix(200), as: UTF8.self)
  }
}
