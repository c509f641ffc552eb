/// One file of a bundle, read once and compiled once.
public struct SourceFile: Sendable, Hashable {
  /// As messages name it: relative to the graph's folder, or `shared/greet.lua` in a library.
  public let path: String
  public let text: [UInt8]
  /// Compiled by this process, with lines and names.
  package let code: [UInt8]
  /// Where every line of so many begins.
  private let lineStarts: [Int]
  private static let linesBetweenStarts = 64

  init(path: String, text: [UInt8], code: [UInt8]) {
    (self.path, self.text, self.code) = (path, text, code)
    var starts = [0]
    var lines = 0
    text.withUnsafeBytes { bytes in
      for place in bytes.indices where bytes[place] == 10 {
        lines += 1
        if lines % SourceFile.linesBetweenStarts == 0 { starts.append(place + 1) }
      }
    }
    lineStarts = starts
  }

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
    guard var line = bytes(ofLine: number) else { return nil }
    if line.last == 13 { line = line.dropLast() }
    return String(decoding: line.prefix(200), as: UTF8.self)
  }

  /// A line without its end, counting from 1.
  func bytes(ofLine number: Int) -> ArraySlice<UInt8>? {
    let (group, rest) = (number - 1).quotientAndRemainder(dividingBy: SourceFile.linesBetweenStarts)
    guard number > 0, lineStarts.indices.contains(group) else { return nil }
    var start = lineStarts[group]
    for _ in 0..<rest {
      guard let end = text[start...].firstIndex(of: 10) else { return nil }
      start = end + 1
    }
    return text[start..<(text[start...].firstIndex(of: 10) ?? text.endIndex)]
  }
}
