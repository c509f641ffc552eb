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
    try Tensor(Element.dtype, shape: [rows.count, rows.length]) { memory in
      let all = memory.assumingMemoryBound(to: Element.self)
      rows.forEach(Element.self) { row, elements in
        let to = UnsafeMutableBufferPointer(rebasing: all[row * rows.length..<(row + 1) * rows.length])
        switch function {
        case .softmax: softmax(elements, to)
        case .normalize(let epsilon):
          let factor = Element(1 / Swift.max(elements.sumOfSquares.squareRoot(), epsilon))
          for position in 0..<elements.count { to[position] = elements[position] * factor }
        }
      }
    }
  }

  private func softmax<Element: Real>(_ elements: UnsafeBufferPointer<Element>, _ to: UnsafeMutableBufferPointer<Element>) {
    guard var most = elements.first else { return }
    for element in elements { most = Element.maximum(of: most, element) }
    for position in 0..<elements.count { to[position] = Element.exponential(elements[position] - most) }
    let factor = Element(1 / UnsafeBufferPointer(to).sum)
    for position in 0..<elements.count { to[position] *= factor }
  }
}

private struct PoolWork: RealWork {
  let source: Tensor
  let mask: Tensor

  func run<Element: Real>(_: Element.Type) throws -> Tensor {
    let (texts, tokens, width) = (source.shape[0], source.shape[1], source.shape[2])
    return try Tensor(Element.dtype, shape: [texts, width]) { memory in
      guard let base = source.bytes.baseAddress?.assumingMemoryBound(to: Element.self) else { return }
      let all = memory.assumingMemoryBound(to: Element.self)
      var sums = [Double](repeating: 0, count: width)
      for text in 0..<texts {
        for position in 0..<width { sums[position] = 0 }
        var used = 0
        for token in 0..<tokens where mask.bytes[text * tokens + token] != 0 {
          used += 1
          let vector = base + (text * tokens + token) * width
          sums.withUnsafeMutableBufferPointer { for position in 0..<width { $0[position] += Double(vector[position]) } }
        }
        let share = 1 / Double(Swift.max(used, 1))
        for position in 0..<width { all[text * width + position] = Element(sums[position] * share) }
      }
    }
  }
}

private struct LargestWork: NumberWork {
  let count: Int
  let rows: Rows

  func run<Element: Number>(_: Element.Type) throws -> (Tensor, Tensor) {
    var places: [Int64] = []
    places.reserveCapacity(rows.count * count)
    rows.forEach(Element.self) { _, elements in
      places += largest(elements).map(Int64.init)
    }
    let positions = try Tensor(places, shape: [rows.count, count])
    let values = try Tensor(Element.dtype, shape: [rows.count, count]) { memory in
      let to = memory.assumingMemoryBound(to: Element.self)
      rows.forEach(Element.self) { row, elements in
        for rank in 0..<count { to[row * count + rank] = elements[Int(places[row * count + rank])] }
      }
    }
    return (values, positions)
  }

  /// Keeps the best so far in order; a candidate is compared with the worst of them first.
  private func largest<Element: Number>(_ elements: UnsafeBufferPointer<Element>) -> [Int] {
    func isBefore(_ a: Int, _ b: Int) -> Bool {
      if elements[a] != elements[a] { return elements[b] != elements[b] && a < b }
      if elements[b] != elements[b] { return true }
      return elements[a] == elements[b] ? a < b : elements[a] > elements[b]
    }
    guard count > 0 else { return [] }
    if count > 64 { return Array(elements.indices.sorted(by: isBefore).prefix(count)) }
    var best: [Int] = []
    for position in elements.indices {
      if best.count == count {
        guard let last = best.last, isBefore(position, last) else { continue }
        best.removeLast()
      }
      var low = 0, high = best.count
      while low < high {
        let middle = (low + high) / 2
        if isBefore(best[middle], position) { low = middle + 1 } else { high = middle }
      }
      best.insert(position, at: low)
    }
    return best
  }
}
