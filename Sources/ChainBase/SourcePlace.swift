/// A place in a source file: `graph.lua:12`.
public struct SourcePlace: Hashable, Sendable, CustomStringConvertible {
  /// The file as the author named it, relative to the graph's folder.
  public var file: String
  /// The line, counting from 1; 0 when it is not known.
  public var line: Int

  public init(file: String, line: Int) {
    self.file = file
    self.line = line
  }

  public var description: String { line > 0 ? "\(file):\(line)" : file }
}
