/// The loops of one operation: how much work they are is said before they begin, and while they go on others have their
/// turn now and then.
package struct TensorPace {
  /// So many steps take far less than a millisecond, and far longer than a look at the clock.
  static let piece = 1 << 16

  private let allowance: TensorAllowance?
  private let cost: Int

  /// - Parameter cost: how long a step takes; the simplest, of about a nanosecond, 1.
  /// - Throws: when so much may not be done.
  package init(_ steps: Int, cost: Int = 1) throws {
    allowance = TensorAllowance.current
    self.cost = cost
    try allowance?.begin(TensorPace.product(steps, cost))
  }

  /// Whether others have their turn meanwhile.
  var givesWay: Bool { allowance?.givesWay ?? false }

  @inline(__always) package func passed(_ steps: Int) throws {
    if let allowance { try allowance.passed(steps &* cost) }
  }

  /// Always in the same pieces, whether or not they give way: what is added up in them is rounded alike.
  @inline(__always) package func forEachPiece(of count: Int, _ body: (Range<Int>) throws -> Void) throws {
    let length = Swift.max(TensorPace.piece / cost, 1)
    var start = 0
    while start < count {
      let end = start + Swift.min(length, count - start)
      try body(start..<end)
      try passed(end - start)
      start = end
    }
  }

  /// Of numbers that are not negative; the largest there is where that is more.
  package static func product(_ one: Int, _ other: Int) -> Int {
    let (product, isOver) = one.multipliedReportingOverflow(by: other)
    return isOver ? .max : product
  }

  // MARK: Copying

  /// How many bytes are copied in a step.
  private static let word = 8

  /// Of copies of so many bytes each, to which `copy` is given.
  init(copies: Int, ofBytes bytes: Int) throws { try self.init(TensorPace.product(copies, bytes / TensorPace.word + TensorPace.word)) }

  @inline(__always) func copy(_ from: UnsafeRawPointer, to: UnsafeMutableRawPointer, byteCount: Int) throws {
    try passed(TensorPace.word)
    let length = TensorPace.piece * TensorPace.word
    var start = 0
    while start < byteCount {
      let size = Swift.min(length, byteCount - start)
      (to + start).copyMemory(from: from + start, byteCount: size)
      start += size
      try passed(size / TensorPace.word)
    }
  }

  static func copy(_ from: UnsafeRawBufferPointer, to: UnsafeMutableRawBufferPointer) throws {
    guard let source = from.baseAddress, let target = to.baseAddress else { return }
    try TensorPace(copies: 1, ofBytes: from.count).copy(source, to: target, byteCount: Swift.min(from.count, to.count))
  }
}
