import ChainBase

extension Tensor {
  /// The matrix product. Vectors count as a row on the left and a column on the right, and that dimension goes away; what
  /// stands before the last two dimensions is a batch, and is spread as in arithmetic.
  public static func matmul(_ a: Tensor, _ b: Tensor) throws -> Tensor {
    guard a.rank > 0, b.rank > 0 else { throw failure("matmul: \(text(of: a.shape)) by \(text(of: b.shape)): a single value is no matrix") }
    let left = a.rank == 1 ? try a.expanded(at: 0) : a
    let right = b.rank == 1 ? try b.expanded(at: 1) : b
    let (rows, inner, columns) = (left.shape[left.rank - 2], left.shape[left.rank - 1], right.shape[right.rank - 1])
    guard right.shape[right.rank - 2] == inner else {
      throw failure(
        "matmul: \(text(of: a.shape)) by \(text(of: b.shape)): the inner dimensions \(inner) and \(right.shape[right.rank - 2]) differ")
    }
    guard Swift.max(rows, inner, columns) < Int(Int32.max) else { throw failure("matmul: the matrices are too large") }
    let batch = try broadcastShape(Array(left.shape.dropLast(2)), Array(right.shape.dropLast(2)), "matmul")
    let common = try DType.common(a.dtype, b.dtype)
    let worked: DType = common == .float16 ? .float32 : common == .bool ? .int64 : common
    let product = Product(
      a: try left.cast(to: worked).repeated(to: batch + [rows, inner]),
      b: try right.cast(to: worked).repeated(to: batch + [inner, columns]), batch: batch, rows: rows, inner: inner, columns: columns)
    var shape = batch + [rows, columns]
    if b.rank == 1 { shape.removeLast() }
    if a.rank == 1 { shape.remove(at: batch.count) }
    return try worked.work(product).cast(to: common == .float16 ? .float16 : worked).reshaped(to: shape)
  }
}

private struct Product: NumberWork {
  let a: Tensor
  let b: Tensor
  let batch: [Int]
  let rows, inner, columns: Int

  func run<Element: Number>(_: Element.Type) throws -> Tensor {
    if Element.dtype.isFloat { try BLAS.open() }
    let (a, aIsTransposed) = try matrices(self.a), (b, bIsTransposed) = try matrices(self.b)
    let size = MatrixSize(rows: rows, inner: inner, columns: columns, aIsTransposed: aIsTransposed, bIsTransposed: bIsTransposed)
    return try Tensor(Element.dtype, shape: batch + [rows, columns]) { memory in
      guard memory.count > 0, var c = memory.baseAddress?.assumingMemoryBound(to: Element.self) else { return }
      let first = a.memory.base.assumingMemoryBound(to: Element.self) + a.offset
      let second = b.memory.base.assumingMemoryBound(to: Element.self) + b.offset
      let cells = memory.count / MemoryLayout<Element>.size
      // Without an inner dimension the sums are empty, and a BLAS refuses row lengths of 0.
      guard inner > 0 else {
        return try TensorPace(cells).forEachPiece(of: cells) { for position in $0 { c[position] = Element(false) } }
      }
      let work = TensorPace.product(cells, inner)
      let usesBLAS = Element.dtype.isFloat && BLAS.isThere
      let pace = try TensorPace(usesBLAS ? work / Product.perStep + cells : work)
      let walk = StridedWalk(batch, Array(a.strides.dropLast(2)), Array(b.strides.dropLast(2)))
      try walk.forEachPosition(pace) { placeA, placeB in
        if usesBLAS { try byBLAS(first + placeA, second + placeB, c, size, pace) } else { try plain(first + placeA, second + placeB, c, size, pace) }
        c += rows * columns
      }
    }
  }

  /// How many multiplications a BLAS does in the time of a simple step.
  private static let perStep = 4

  /// A tensor whose last two dimensions lie as a matrix, or as a transposed one; a copy when they do neither.
  private func matrices(_ tensor: Tensor) throws -> (Tensor, isTransposed: Bool) {
    let rank = tensor.rank
    let (rows, columns) = (tensor.shape[rank - 2], tensor.shape[rank - 1])
    let (down, across) = (tensor.strides[rank - 2], tensor.strides[rank - 1])
    if across == 1 || columns == 1, down == columns || rows == 1 { return (tensor, false) }
    if down == 1 || rows == 1, across == rows || columns == 1 { return (tensor, true) }
    return (try tensor.packed(), false)
  }

  private func byBLAS<Element: Number>(
    _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, _ c: UnsafeMutablePointer<Element>, _ size: MatrixSize, _ pace: TensorPace
  ) throws {
    try size.forEachBlock { block, placeA, placeB, placeC in
      if let a = a as? UnsafePointer<Float>, let b = b as? UnsafePointer<Float>, let c = c as? UnsafeMutablePointer<Float> {
        _ = BLAS.multiply(a + placeA, b + placeB, c + placeC, block)
      } else if let a = a as? UnsafePointer<Double>, let b = b as? UnsafePointer<Double>, let c = c as? UnsafeMutablePointer<Double> {
        _ = BLAS.multiply(a + placeA, b + placeB, c + placeC, block)
      }
      try pace.passed(block.rows * block.columns * block.inner / Product.perStep)
    }
  }

  /// Integers, and a machine without a BLAS: row by row, so that the inner loop runs along a row of B.
  private func plain<Element: Number>(
    _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, _ c: UnsafeMutablePointer<Element>, _ size: MatrixSize, _ pace: TensorPace
  ) throws {
    let (rowA, stepA) = size.aIsTransposed ? (1, size.rowOfA) : (size.rowOfA, 1)
    let (rowB, stepB) = size.bIsTransposed ? (1, size.rowOfB) : (size.rowOfB, 1)
    for row in 0..<size.rows {
      let to = c + row * size.columns
      try pace.forEachPiece(of: size.columns) { for column in $0 { to[column] = Element(false) } }
      for inner in 0..<size.inner {
        let factor = a[row * rowA + inner * stepA]
        let from = b + inner * rowB
        try pace.forEachPiece(of: size.columns) { piece in
          if stepB == 1 {
            for column in piece { to[column] = Element.add(to[column], Element.multiply(factor, from[column])) }
          } else {
            for column in piece { to[column] = Element.add(to[column], Element.multiply(factor, from[column &* stepB])) }
          }
        }
      }
    }
  }
}
