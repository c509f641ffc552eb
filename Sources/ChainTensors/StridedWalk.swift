/// The order in which two operands of one shape are read: rows whose elements are evenly spaced, as long as they can be
/// made. What has a stride of 0 in a dimension is the same there for all positions.
struct StridedWalk {
  /// The dimensions that are stepped through from row to row, outermost first.
  private var outer: [(size: Int, a: Int, b: Int)] = []
  /// The elements of a row, and their distances.
  private(set) var length = 1
  private(set) var stepA = 0
  private(set) var stepB = 0
  private let isEmpty: Bool

  init(_ shape: [Int], _ a: [Int], _ b: [Int]) {
    isEmpty = shape.contains(0)
    for axis in shape.indices where shape[axis] != 1 {
      let size = shape[axis]
      if let last = outer.last, last.a == a[axis] * size, last.b == b[axis] * size {
        outer[outer.count - 1] = (last.size * size, a[axis], b[axis])
      } else {
        outer.append((size, a[axis], b[axis]))
      }
    }
    if let row = outer.popLast() { (length, stepA, stepB) = (row.size, row.a, row.b) }
  }

  /// How much work it is: beginning a row takes as long as a few elements.
  var steps: Int { isEmpty ? 0 : outer.reduce(length + 8) { TensorPace.product($0, $1.size) } }

  /// Gives `body` the first position of each row in both operands, and how many it has; a long row comes in pieces.
  @inline(__always) func forEachRow(_ pace: TensorPace, _ body: (_ a: Int, _ b: Int, _ length: Int) throws -> Void) throws {
    guard !isEmpty else { return }
    var position = [Int](repeating: 0, count: outer.count)
    var a = 0, b = 0
    while true {
      try pace.forEachPiece(of: length) { piece in
        try body(a + piece.lowerBound * stepA, b + piece.lowerBound * stepB, piece.count)
      }
      try pace.passed(8)
      var axis = outer.count - 1
      while axis >= 0 {
        let (size, stepA, stepB) = outer[axis]
        position[axis] += 1
        a += stepA
        b += stepB
        if position[axis] < size { break }
        a -= stepA * size
        b -= stepB * size
        position[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}

extension StridedWalk {
  /// Gives `body` each position of both operands, in row-major order.
  func forEachPosition(_ pace: TensorPace, _ body: (_ a: Int, _ b: Int) throws -> Void) throws {
    try forEachRow(pace) { a, b, length in
      for position in 0..<length { try body(a + position * stepA, b + position * stepB) }
    }
  }
}

extension Tensor {
  /// A copy whose elements lie one after the other.
  func packed() throws -> Tensor {
    try Tensor(dtype, shape: shape) { memory in
      switch dtype.size {
      case 1: try pack(UInt8.self, into: memory)
      case 2: try pack(UInt16.self, into: memory)
      case 4: try pack(UInt32.self, into: memory)
      default: try pack(UInt64.self, into: memory)
      }
    }
  }

  /// `Word` is as large as an element.
  private func pack<Word: FixedWidthInteger>(_: Word.Type, into memory: UnsafeMutableRawBufferPointer) throws {
    guard count > 0, var to = memory.baseAddress?.assumingMemoryBound(to: Word.self) else { return }
    let from = self.memory.base.assumingMemoryBound(to: Word.self) + offset
    let walk = StridedWalk(shape, strides, strides)
    let step = walk.stepA
    try walk.forEachRow(TensorPace(walk.steps)) { start, _, length in
      let row = from + start
      if step == 1 {
        to.update(from: row, count: length)
      } else {
        for position in 0..<length { to[position] = row[position &* step] }
      }
      to += length
    }
  }
}
