import ChainBase

/// What is worked out over whole rows: scores, vectors, distributions. Halves are worked out as floats and stay halves;
/// integers become floats.
extension Tensor {
  /// Exponentials that add up to 1 along a dimension.
  public func softmax(axis: Int = -1) throws -> Tensor { try alongAxis(axis, .softmax) }

  /// Divided by their Euclidean length along a dimension; what is shorter than `epsilon` is divided by that.
  public func normalized(axis: Int = -1, epsilon: Double = 1e-12) throws -> Tensor { try alongAxis(axis, .normalize(epsilon)) }

  private func alongAxis(_ axis: Int, _ function: RowFunction) throws -> Tensor {
    let place = try self.axis(axis)
    let target: DType = dtype.isFloat ? dtype : .float32
    if count == 0 { return try Tensor(target, shape: shape) { _ in } }
    let kept = shape.indices.filter { $0 != place }
    let rows = try cast(to: dtype.real).rows(kept, [place])
    let value = try rows.tensor.dtype.work(real: RowWork(function: function, rows: rows))
    var back = Array(kept.indices)
    back.insert(kept.count, at: place)
    return try value.reshaped(to: kept.map { shape[$0] } + [shape[place]]).transposed(back).cast(to: target)
  }

  /// The mean of a text's token vectors: of `[texts, tokens, width]`, over the tokens whose mask, `[texts, tokens]`, is
  /// not 0; a text without any gives zeros.
  public func meanPooled(mask: Tensor) throws -> Tensor {
    guard rank == 3, mask.shape == Array(shape[..<2]) else {
      throw Tensor.failure(
        "mean_pool: expected a tensor [texts, tokens, width] and a mask [texts, tokens], got \(Tensor.text(of: shape)) and \(Tensor.text(of: mask.shape))")
    }
    let worked = try cast(to: dtype.real).contiguous()
    let weights = try mask.cast(to: .bool).contiguous()
    let value = try worked.dtype.work(real: PoolWork(source: worked, mask: weights))
    return dtype == .float16 ? try value.cast(to: .float16) : value
  }

  /// The cosine of the angles between vectors, which the last dimension holds: of one and one a single value; of `n` and
  /// one `n`; of `n` and `m` a matrix `n` by `m`.
  public static func cosine(_ a: Tensor, _ b: Tensor) throws -> Tensor {
    guard (1...2).contains(a.rank), (1...2).contains(b.rank), a.shape.last == b.shape.last else {
      throw failure("cosine: expected vectors of one length, or lists of such, got \(text(of: a.shape)) and \(text(of: b.shape))")
    }
    let dtype = try DType.common(a.dtype, b.dtype).real
    let left = try a.cast(to: dtype).normalized(), right = try b.cast(to: dtype).normalized()
    return try matmul(left, b.rank == 2 ? right.transposed() : right)
  }

  /// The `count` largest along a dimension, largest first, and their positions, from 0, as int64. Of equal ones the
  /// earlier comes first; NaN counts as less than anything.
  public func largest(_ count: Int, axis: Int = -1) throws -> (values: Tensor, positions: Tensor) {
    let place = try self.axis(axis)
    guard (0...shape[place]).contains(count) else {
      throw Tensor.failure("top_k: \(count) of \(shape[place]) cannot be taken from \(Tensor.text(of: shape))")
    }
    let kept = shape.indices.filter { $0 != place }
    let rows = try rows(kept, [place])
    let (values, positions) = try rows.tensor.dtype.work(LargestWork(count: count, rows: rows))
    var back = Array(kept.indices)
    back.insert(kept.count, at: place)
    func shaped(_ tensor: Tensor) throws -> Tensor {
      try tensor.reshaped(to: kept.map { shape[$0] } + [count]).transposed(back)
    }
    return (try shaped(values).cast(to: dtype), try shaped(positions))
  }
}

private enum RowFunction { case softmax, normalize(Double) }

private struct RowWork: RealWork {
  let function: RowFunction
  let rows: Rows

  func run<Element: Real>(_: Element.Type) throws -> Tensor {
    let cost = if case .softmax = function { 12 } else { 2 }
    return try Tensor(Element.dtype, shape: [rows.count, rows.length]) { memory in
      let all = memory.assumingMemoryBound(to: Element.self)
      try rows.forEach(Element.self, cost: cost) { row, elements, pace in
        let to = UnsafeMutableBufferPointer(rebasing: all[row * rows.length..<(row + 1) * rows.length])
        switch function {
        case .softmax: try softmax(elements, to, pace)
        case .normalize(let epsilon):
          let factor = try Element(1 / Swift.max(elements.sumOfSquares(pace).squareRoot(), epsilon))
          try pace.forEachPiece(of: elements.count) { for position in $0 { to[position] = elements[position] * factor } }
        }
      }
    }
  }

  private func softmax<Element: Real>(
    _ elements: UnsafeBufferPointer<Element>, _ to: UnsafeMutableBufferPointer<Element>, _ pace: TensorPace
  ) throws {
    guard var most = elements.first else { return }
    try pace.forEachPiece(of: elements.count) { for position in $0 { most = Element.maximum(of: most, elements[position]) } }
    try pace.forEachPiece(of: elements.count) { for position in $0 { to[position] = Element.exponential(elements[position] - most) } }
    let factor = try Element(1 / UnsafeBufferPointer(to).sum(pace))
    try pace.forEachPiece(of: elements.count) { for position in $0 { to[position] *= factor } }
  }
}

private struct PoolWork: RealWork {
  let source: Tensor
  let mask: Tensor

  func run<Element: Real>(_: Element.Type) throws -> Tensor {
    let (texts, tokens, width) = (source.shape[0], source.shape[1], source.shape[2])
    return try Tensor(Element.dtype, shape: [texts, width]) { memory in
      guard memory.count > 0, let base = source.bytes.baseAddress?.assumingMemoryBound(to: Element.self) else { return }
      let all = memory.assumingMemoryBound(to: Element.self)
      let pace = try TensorPace(TensorPace.product(texts, TensorPace.product(tokens + 2, width + 1)))
      try TensorAllowance.take(TensorPace.product(width, 8))
      var sums = [Double](repeating: 0, count: width)
      for text in 0..<texts {
        try pace.forEachPiece(of: width) { for position in $0 { sums[position] = 0 } }
        var used = 0
        for token in 0..<tokens {
          try pace.passed(1)
          guard mask.bytes[text * tokens + token] != 0 else { continue }
          used += 1
          let vector = base + (text * tokens + token) * width
          try pace.forEachPiece(of: width) { piece in
            sums.withUnsafeMutableBufferPointer { for position in piece { $0[position] += Double(vector[position]) } }
          }
        }
        let share = 1 / Double(Swift.max(used, 1))
        try pace.forEachPiece(of: width) { for position in $0 { all[text * width + position] = Element(sums[position] * share) } }
      }
    }
  }
}

private struct LargestWork: NumberWork {
  let count: Int
  let rows: Rows

  /// So many are kept in order while the row is gone through; for more the whole row is sorted.
  private static let mostKept = 64

  func run<Element: Number>(_: Element.Type) throws -> (Tensor, Tensor) {
    let positions = try Tensor(.int64, shape: [rows.count, count]) { memory in
      guard memory.count > 0 else { return }
      try find(Element.self, memory.assumingMemoryBound(to: Int64.self))
    }
    let places = positions.bytes.assumingMemoryBound(to: Int64.self)
    let values = try Tensor(Element.dtype, shape: [rows.count, count]) { memory in
      guard memory.count > 0 else { return }
      let (to, from) = (memory.assumingMemoryBound(to: Element.self), rows.tensor.bytes.assumingMemoryBound(to: Element.self))
      let pace = try TensorPace(places.count, cost: 2)
      for row in 0..<rows.count {
        try pace.forEachPiece(of: count) { piece in
          for rank in piece { to[row * count + rank] = from[row * rows.length + Int(places[row * count + rank])] }
        }
      }
    }
    return (values, positions)
  }

  private func find<Element: Number>(_: Element.Type, _ places: UnsafeMutableBufferPointer<Int64>) throws {
    let sorts = count > LargestWork.mostKept
    let cost = sorts ? 8 * (Int.bitWidth - rows.length.leadingZeroBitCount) : 4 + count / 2
    try TensorAllowance.holding(sorts ? TensorPace.product(rows.length, 12) : 0) { // the order, and room to sort it
      try rows.forEach(Element.self, cost: cost) { row, elements, pace in
        let best = try sorts ? sorted(elements, pace) : kept(elements, pace)
        try pace.forEachPiece(of: count) { for rank in $0 { places[row * count + rank] = Int64(best[rank]) } }
      }
    }
  }

  private func sorted<Element: Number>(_ elements: UnsafeBufferPointer<Element>, _ pace: TensorPace) throws -> [Int] {
    var compared = 0
    let perStep = Int.bitWidth - elements.count.leadingZeroBitCount
    var order: [Int] = []
    order.reserveCapacity(elements.count)
    try pace.forEachPiece(of: elements.count) { order += $0 }
    try order.sort { one, other in
      compared += 1
      if compared % perStep == 0 { try pace.passed(1) }
      return isBefore(one, other, elements)
    }
    return order
  }

  /// Keeps the best so far in order; a candidate is compared with the worst of them first.
  private func kept<Element: Number>(_ elements: UnsafeBufferPointer<Element>, _ pace: TensorPace) throws -> [Int] {
    var best: [Int] = []
    try pace.forEachPiece(of: elements.count) { piece in
      for position in piece {
        if best.count == count {
          guard let last = best.last, isBefore(position, last, elements) else { continue }
          best.removeLast()
        }
        var low = 0, high = best.count
        while low < high {
          let middle = (low + high) / 2
          if isBefore(best[middle], position, elements) { low = middle + 1 } else { high = middle }
        }
        best.insert(position, at: low)
      }
    }
    return best
  }

  @inline(__always) private func isBefore<Element: Number>(_ a: Int, _ b: Int, _ elements: UnsafeBufferPointer<Element>) -> Bool {
    if elements[a] != elements[a] { return elements[b] != elements[b] && a < b }
    if elements[b] != elements[b] { return true }
    return elements[a] == elements[b] ? a < b : elements[a] > elements[b]
  }
}
