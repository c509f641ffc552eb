import ChainBase

/// How large one value that crosses may be, and which side is to blame when it does not fit.
package struct CrossingLimits: Sendable {
  /// What the value is: decides the code of its failures.
  package enum Direction: Sendable { case input, output }

  /// Nested tables, the outermost counted; at most `deepest`.
  package var depth: Int
  /// Bytes of all strings together.
  package var bytes: Int
  /// Values, each table, entry and field counted.
  package var nodes: Int
  /// Units of a walk's `Pace`: so many times what a plain walk over the largest value takes.
  package var work: Int
  package var direction: Direction

  package init(
    depth: Int = 64, bytes: Int = 16 << 20, nodes: Int = 200_000, work: Int? = nil, direction: Direction = .input
  ) {
    self.depth = Swift.min(depth, CrossingLimits.deepest)
    self.bytes = bytes
    self.nodes = nodes
    self.work = work ?? CrossingLimits.walks * (Swift.min(nodes, 1 << 32) + Swift.min(bytes, 1 << 42) >> 10)
    self.direction = direction
  }

  static let deepest = 64
  /// Bytes of a name in a map, or in a table under `t.any`.
  static let longestKey = 4096
  /// Members of unions that do not fit are walked in vain: how often, on the average.
  private static let walks = 16

  /// The code of a value that does not fit its type.
  var mismatchCode: String { direction == .input ? Failure.Code.badInput : Failure.Code.badOutput }
  /// The code of a value that is too large.
  var sizeCode: String { direction == .input ? Failure.Code.tooLarge : Failure.Code.outputLimit }
}
