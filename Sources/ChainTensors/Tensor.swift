import ChainBase

/// Numbers of one type in a box of any number of dimensions, row after row.
///
/// A tensor never changes, so every thread may read it, and views (slices, transposes, reshapes) share its memory. A
/// dimension may be 0. In Swift positions and axes start at 0 and count from the end when negative; what is out of
/// bounds is a `Failure` that names the shape.
public final class Tensor: Sendable {
  public let dtype: DType
  /// The size of each dimension; `[]` for a single value.
  public let shape: [Int]
  /// The distance, in elements, from one position of a dimension to its next. 0 where one element stands for all.
  public let strides: [Int]
  /// The number of elements.
  public let count: Int
  /// What it looks into.
  public let memory: TensorMemory
  /// The first element, counted in elements from the start of the memory.
  let offset: Int

  // MARK: Making one

  /// A tensor over memory that is there already, row after row: nothing is copied, and `owner` lives as long as it does.
  /// - Parameters:
  ///   - start: aligned for the element.
  ///   - byteCount: the bytes that may be read; at least those that the shape needs.
  public convenience init(
    _ dtype: DType, shape: [Int], over start: UnsafeRawPointer, byteCount: Int, owner: any AnyObject & Sendable
  ) throws {
    try self.init(dtype, shape: shape, memory: TensorMemory(over: start, byteCount: byteCount, owner: owner))
  }

  /// A tensor over the beginning of some memory, row after row.
  public init(_ dtype: DType, shape: [Int], memory: TensorMemory) throws {
    count = try Tensor.count(of: shape, dtype)
    guard count * dtype.size <= memory.byteCount else {
      throw Tensor.failure("\(memory.byteCount) bytes are too few for \(dtype) \(Tensor.text(of: shape)), which needs \(count * dtype.size)")
    }
    guard Int(bitPattern: memory.base) % dtype.size == 0 else {
      throw Tensor.failure("the memory is not aligned for elements of \(dtype)")
    }
    self.dtype = dtype
    self.shape = shape
    self.memory = memory
    strides = Tensor.strides(of: shape)
    offset = 0
  }

  /// A new tensor whose bytes `fill` writes, row after row. They are not cleared before.
  public convenience init(
    _ dtype: DType, shape: [Int], filledBy fill: (UnsafeMutableRawBufferPointer) throws -> Void
  ) throws {
    let count = try Tensor.count(of: shape, dtype)
    try self.init(dtype, shape: shape, memory: TensorMemory(byteCount: count * dtype.size, filledBy: fill))
  }

  /// A tensor with a copy of the bytes, row after row, in the machine's order.
  public convenience init(_ dtype: DType, shape: [Int], bytes: UnsafeRawBufferPointer) throws {
    let needed = try Tensor.count(of: shape, dtype) * dtype.size
    guard bytes.count == needed else {
      throw Tensor.failure("\(dtype) \(Tensor.text(of: shape)) has \(needed) bytes, got \(bytes.count)")
    }
    try self.init(dtype, shape: shape) { memory in try TensorPace.copy(bytes, to: memory) }
  }

  /// A tensor with a copy of the elements, row after row; without a shape it has one dimension.
  public convenience init<Element: TensorElement>(_ elements: [Element], shape: [Int]? = nil) throws {
    let shape = shape ?? [elements.count]
    guard try Tensor.count(of: shape, Element.dtype) == elements.count else {
      throw Tensor.failure("\(elements.count) elements do not fill \(Tensor.text(of: shape))")
    }
    try self.init(Element.dtype, shape: shape) { memory in
      try elements.withUnsafeBytes { try TensorPace.copy($0, to: memory) }
    }
  }

  /// A view. The caller has made sure that every position lies in the memory.
  init(view memory: TensorMemory, _ dtype: DType, shape: [Int], strides: [Int], offset: Int) {
    self.dtype = dtype
    self.shape = shape
    self.strides = strides
    self.memory = memory
    self.offset = offset
    count = shape.reduce(1, *)
  }

  // MARK: Sizes

  /// The number of dimensions.
  public var rank: Int { shape.count }
  /// The bytes of its elements. What it keeps alive may be more: `memory.byteCount`.
  public var byteCount: Int { count * dtype.size }
  /// Whether the elements lie one after the other, row after row.
  public var isContiguous: Bool {
    var step = 1
    for axis in shape.indices.reversed() where shape[axis] != 1 {
      if strides[axis] != step { return count <= 1 }
      step *= shape[axis]
    }
    return true
  }

  // MARK: Reading

  /// This tensor, or a copy whose elements lie one after the other.
  public func contiguous() throws -> Tensor { isContiguous ? self : try packed() }

  /// The bytes of the elements, row after row, valid while `body` runs. Copies first when they do not lie so.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    let tensor = try contiguous()
    return try withExtendedLifetime(tensor) { try body($0.bytes) }
  }

  /// The elements, row after row, valid while `body` runs. Copies first when they do not lie so.
  /// - Throws: what `body` throws; a failure when the elements are of another type.
  public func withElements<Element: TensorElement, Result>(
    of type: Element.Type = Element.self, _ body: (UnsafeBufferPointer<Element>) throws -> Result
  ) throws -> Result {
    guard Element.dtype == dtype else {
      throw Tensor.failure("a tensor of \(dtype) cannot be read as \(Element.dtype): cast it first")
    }
    return try withBytes { try body($0.assumingMemoryBound(to: Element.self)) }
  }

  /// A copy of the elements, row after row.
  public func array<Element: TensorElement>(of type: Element.Type = Element.self) throws -> [Element] {
    try withElements(of: type) { Array($0) }
  }

  /// The bytes of a contiguous tensor; valid while it is held.
  @inline(__always) var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: memory.base + offset * dtype.size, count: byteCount)
  }

  // MARK: Shapes

  /// `[2, 3]` as `2x3`; `[]` as `a single value`.
  public static func text(of shape: [Int]) -> String {
    shape.isEmpty ? "a single value" : shape.map(String.init).joined(separator: "x")
  }

  static func strides(of shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    var step = 1
    for axis in shape.indices.reversed() {
      strides[axis] = step
      step *= Swift.max(shape[axis], 1)
    }
    return strides
  }

  /// The number of elements of a shape; refuses negative sizes, more than 16 dimensions, what no address can reach, and,
  /// where there are no elements, positions beside the empty dimension that it would take for ever to go through.
  static func count(of shape: [Int], _ dtype: DType) throws -> Int {
    guard shape.count <= Tensor.mostDimensions else {
      throw failure("a tensor has at most \(mostDimensions) dimensions, got \(shape.count)")
    }
    var space = 1
    for size in shape {
      guard size >= 0 else { throw failure("a dimension cannot be negative: \(text(of: shape))") }
      let (next, overflow) = space.multipliedReportingOverflow(by: Swift.max(size, 1))
      guard !overflow, next <= Int.max / 2 / dtype.size else { throw failure("\(text(of: shape)) is too large for a tensor") }
      space = next
    }
    guard shape.contains(0) else { return space }
    guard space <= mostEmptyPositions else {
      throw failure("\(text(of: shape)) is too large for a tensor: without elements there are at most \(mostEmptyPositions) positions")
    }
    return 0
  }

  /// The most dimensions that a tensor can have.
  public static let mostDimensions = 16
  /// The most that the other dimensions of a tensor without elements come to.
  public static let mostEmptyPositions = 1 << 31

  static func failure(_ message: String) -> Failure { Failure(code: Failure.Code.failed, message: message) }
}

extension Tensor: CustomStringConvertible {
  /// For example `tensor float32 2x384`.
  public var description: String { "tensor \(dtype) \(Tensor.text(of: shape))" }
}
