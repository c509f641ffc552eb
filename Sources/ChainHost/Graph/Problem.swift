import ChainBase

/// One thing that is wrong with a graph, or doubtful: a sentence, its place, and the fix where it is known.
public struct Problem: Sendable, Hashable {
  public var isWarning = false
  public var place: SourcePlace?
  public var chainlet: String?
  /// The way to what is wrong inside its chainlet: `input.names`.
  public var field: String?
  public var message: String
  /// What to write instead.
  public var suggestion: String?
  /// The line of source and the column of what is wrong in it, from 1; 0 when it is not known.
  public var excerpt: Excerpt?

  public struct Excerpt: Sendable, Hashable {
    public var line: String
    public var column: Int
  }

  public init(
    _ message: String, place: SourcePlace? = nil, chainlet: String? = nil, field: String? = nil, suggestion: String? = nil,
    isWarning: Bool = false
  ) {
    self.message = message
    self.place = place
    self.chainlet = chainlet
    self.field = field
    self.suggestion = suggestion
    self.isWarning = isWarning
  }
}

extension Problem: CustomStringConvertible {
  /// One line, and two more where there is an excerpt; what a script wrote adds none:
  /// ```
  /// graph.lua:5: HelloAll.inputs: unknown key 'inputs'; did you mean 'input'?
  ///   5 |   inputs = { names = t.list(t.string) },
  ///         ^
  /// ```
  public var description: String {
    var text = place.map { "\($0): " } ?? ""
    if isWarning { text += "warning: " }
    let subject = [chainlet, field].compactMap { $0 }.joined(separator: ".")
    if !subject.isEmpty { text += subject + ": " }
    text += message
    if let suggestion { text += "; \(suggestion)" }
    text = text.escapingControls(asLine: true)
    guard let excerpt, let place else { return text }
    let number = String(place.line)
    text += "\n  \(number) | \(excerpt.line.escapingControls(asLine: true))"
    if excerpt.column > 0 {
      let before = String(excerpt.line.prefix(excerpt.column - 1)).escapingControls(asLine: true)
      let under = String(before.map { $0 == "\t" ? "\t" : " " })
      text += "\n  \(String(repeating: " ", count: number.count))   \(under)^"
    }
    return text
  }
}

extension Sequence<Problem> {
  /// In the order of a reader: by file and line.
  func inReadingOrder() -> [Problem] {
    var seen: Set<Problem> = []
    return enumerated().filter { seen.insert($0.element).inserted }.sorted { a, b in
      let left = (a.element.isWarning ? 1 : 0, a.element.place?.file ?? "", a.element.place?.line ?? 0, a.offset)
      let right = (b.element.isWarning ? 1 : 0, b.element.place?.file ?? "", b.element.place?.line ?? 0, b.offset)
      return left < right
    }.map(\.element)
  }
}

extension Failure {
  /// The failure of a graph that cannot be loaded, with every problem.
  static func invalidGraph(_ problems: [Problem]) -> Failure {
    Failure(
      code: Code.invalidGraph, message: problems.map(\.description).joined(separator: "\n"),
      details: .list(
        problems.map { problem in
          .record(
            [
              problem.place.map { ChainValue.Field("file", .string($0.file)) },
              problem.place.map { ChainValue.Field("line", .integer(Int64($0.line))) },
              problem.chainlet.map { ChainValue.Field("chainlet", .string($0)) },
              problem.field.map { ChainValue.Field("field", .string($0)) },
              ChainValue.Field("message", .string(problem.message)),
              problem.suggestion.map { ChainValue.Field("suggestion", .string($0)) },
            ].compactMap { $0 })
        }), chainlet: problems.first?.chainlet)
  }
}
