import ChainBase

/// What becomes of the elements along some dimensions.
public enum TensorReduction: Sendable { case sum, mean, maximum, minimum }

extension Tensor {
  /// Reduces some dimensions, or all of them, to one value each.
  ///
  /// Sums of integers are int64, of floats of the same type (added up in 64 bits); means are floats. The largest and the
  /// smallest of nothing is refused, the mean of nothing is NaN.
  /// - Parameter keeping: the reduced dimensions stay, with size 1.
  public func reduced(_ reduction: TensorReduction, axes: [Int]? = nil, keeping: Bool = false) throws -> Tensor {
    let reduced = try Set(axes.map { try $0.map(axis) } ?? Array(shape.indices))
    let kept = shape.indices.filter { !reduced.contains($0) }
    let rows = try rows(kept, reduced.sorted())
    if rows.length == 0, reduction == .maximum || reduction == .minimum, rows.count > 0 {
      throw Tensor.failure("\(reduction): there is nothing in \(Tensor.text(of: shape)) to choose from")
    }
    let value = try rows.tensor.dtype.work(ReductionWork(reduction: reduction, rows: rows))
    let target: DType = switch reduction {
    case .sum: dtype.isFloat ? dtype : .int64
    case .mean: dtype.isFloat ? dtype : .float32
    default: dtype
    }
    let sizes = keeping ? shape.indices.map { reduced.contains($0) ? 1 : shape[$0] } : kept.map { shape[$0] }
    return try value.cast(to: target).reshaped(to: sizes)
  }

  /// The position, from 0, of the largest element along a dimension, as int64; the first of equal ones.
  public func argmax(axis: Int = -1) throws -> Tensor {
    let axis = try self.axis(axis)
    let kept = shape.indices.filter { $0 != axis }
    let rows = try rows(kept, [axis])
    guard rows.length > 0 || rows.count == 0 else {
      throw Tensor.failure("argmax: there is nothing in \(Tensor.text(of: shape)) to choose from")
    }
    return try rows.tensor.dtype.work(ArgmaxWork(rows: rows)).reshaped(to: kept.map { shape[$0] })
  }

  /// The elements in rows: the reduced dimensions last, contiguous, of a type that has arithmetic.
  func rows(_ kept: [Int], _ reduced: [Int]) throws -> Rows {
    let length = reduced.reduce(1) { $0 * shape[$1] }
    let count = kept.reduce(1) { $0 * shape[$1] }
    let worked = dtype == .float16 ? try cast(to: .float32) : dtype == .bool ? try cast(to: .uint8) : self
    return Rows(tensor: try worked.transposed(kept + reduced).contiguous(), count: count, length: length)
  }
}

/// A contiguous tensor as `count` rows of `length` elements.
struct Rows {
  let tensor: Tensor
  let count: Int
  let length: Int

  /// Gives `body` each row, and what it goes through the row's elements with.
  @inline(__always) func forEach<Element: TensorElement>(
    _: Element.Type, cost: Int = 1, _ body: (Int, UnsafeBufferPointer<Element>, TensorPace) throws -> Void
  ) throws {
    guard let base = tensor.bytes.baseAddress?.assumingMemoryBound(to: Element.self) else { return }
    let pace = try TensorPace(TensorPace.product(count, length + 1), cost: cost)
    for row in 0..<count {
      try body(row, UnsafeBufferPointer(start: base + row * length, count: length), pace)
      try pace.passed(1)
    }
  }
}

private struct ReductionWork: NumberWork {
  let reduction: TensorReduction
  let rows: Rows

  func run<Element: Number>(_: Element.Type) throws -> Tensor {
    switch reduction {
    case .maximum: try chosen { Element.maximum(of: $0, $1) }
    case .minimum: try chosen { Element.minimum(of: $0, $1) }
    case .sum where !Element.dtype.isFloat:
      try Tensor(.int64, shape: [rows.count]) { memory in
        let to = memory.assumingMemoryBound(to: Int64.self)
        try rows.forEach(Element.self) { row, elements, pace in
          var sum: Int64 = 0
          try pace.forEachPiece(of: elements.count) { piece in
            for position in piece { sum &+= elements[position].wrapped }
          }
          to[row] = sum
        }
      }
    default:
      try Tensor(.float64, shape: [rows.count]) { memory in
        let to = memory.assumingMemoryBound(to: Double.self)
        try rows.forEach(Element.self) { row, elements, pace in
          let sum = try elements.sum(pace)
          to[row] = reduction == .sum ? sum : sum / Double(elements.count)
        }
      }
    }
  }

  private func chosen<Element: Number>(_ better: (Element, Element) -> Element) throws -> Tensor {
    try Tensor(Element.dtype, shape: [rows.count]) { memory in
      let to = memory.assumingMemoryBound(to: Element.self)
      try rows.forEach(Element.self, cost: 2) { row, elements, pace in
        guard var best = elements.first else { return }
        try pace.forEachPiece(of: elements.count) { piece in
          for position in piece { best = better(best, elements[position]) }
        }
        to[row] = best
      }
    }
  }
}

private struct ArgmaxWork: NumberWork {
  let rows: Rows

  func run<Element: Number>(_: Element.Type) throws -> Tensor {
    try Tensor(.int64, shape: [rows.count]) { memory in
      let to = memory.assumingMemoryBound(to: Int64.self)
      try rows.forEach(Element.self, cost: 2) { row, elements, pace in
        var best = 0
        try pace.forEachPiece(of: elements.count) { piece in
          guard elements[best] == elements[best] else { return } // NaN is the largest, as in numpy
          for position in piece where elements[position] > elements[best] || elements[position] != elements[position] {
            best = position
            if elements[position] != elements[position] { break }
          }
        }
        to[row] = Int64(best)
      }
    }
  }
}

extension UnsafeBufferPointer where Element: Number {
  /// In 64 bits, by eight sums side by side, which the processor adds at once.
  @inline(__always) func sum(_ pace: TensorPace) throws -> Double { try sum(pace) { $0.double } }
  @inline(__always) func sumOfSquares(_ pace: TensorPace) throws -> Double { try sum(pace) { $0.double * $0.double } }

  @inline(__always) private func sum(_ pace: TensorPace, _ value: (Element) -> Double) throws -> Double {
    var total = 0.0
    try pace.forEachPiece(of: count) { total += UnsafeBufferPointer(rebasing: self[$0]).sum(value) }
    return total
  }

  @inline(__always) private func sum(_ value: (Element) -> Double) -> Double {
    guard let base = baseAddress else { return 0 }
    var sums = SIMD8<Double>.zero
    var position = 0
    while position &+ 8 <= count {
      for lane in 0..<8 { sums[lane] += value(base[position &+ lane]) }
      position &+= 8
    }
    var sum = sums.sum()
    while position < count {
      sum += value(base[position])
      position &+= 1
    }
    return sum
  }
}
