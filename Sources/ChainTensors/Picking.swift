import ChainBase

/// How one of many scores is picked at random.
public struct PickOptions: Sendable, Hashable {
  /// Scores are divided by it; 0 takes the largest.
  public var temperature = 1.0
  /// Only so many of the largest are picked from; 0 for all.
  public var topK = 0
  /// Only the largest whose probabilities together reach this are picked from; 1 for all.
  public var topP = 1.0

  public init(temperature: Double = 1, topK: Int = 0, topP: Double = 1) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
  }
}

extension Tensor {
  /// The position, from 0, of one of a vector's scores (logits), picked with the probabilities that their softmax gives.
  /// - Parameter chance: at least 0 and less than 1; the same chance picks the same position.
  public func pick(_ options: PickOptions = PickOptions(), chance: Double) throws -> Int {
    guard rank == 1, count > 0 else {
      throw Tensor.failure("pick: expected a vector of scores, got \(Tensor.text(of: shape))")
    }
    guard options.temperature >= 0, options.temperature.isFinite else {
      throw Tensor.failure("pick: the temperature must be at least 0, got \(options.temperature)")
    }
    guard options.topK >= 0 else { throw Tensor.failure("pick: top_k must be at least 0, got \(options.topK)") }
    guard options.topP > 0, options.topP <= 1 else {
      throw Tensor.failure("pick: top_p must be more than 0 and at most 1, got \(options.topP)")
    }
    return try pick(options, chance, from: cast(to: .float64).contiguous())
  }

  private func pick(_ options: PickOptions, _ chance: Double, from tensor: Tensor) throws -> Int {
    let scores = tensor.bytes.assumingMemoryBound(to: Double.self)
    let count = count
    let pace = try TensorPace(count, cost: 16)
    var most = -Double.infinity, best = 0, hasNaN = false
    try pace.forEachPiece(of: count) { piece in
      for position in piece {
        if scores[position] > most { (most, best) = (scores[position], position) }
        hasNaN = hasNaN || scores[position].isNaN
      }
    }
    guard !hasNaN else { throw Tensor.failure("pick: one of the scores is NaN") }
    guard most.isFinite else { throw Tensor.failure("pick: no score is finite, or one is infinite") }
    if options.temperature == 0 { return best }
    var order: Tensor?
    if options.topK > 0 && options.topK < count || options.topP < 1 {
      order = try largest(options.topK == 0 ? count : Swift.min(options.topK, count)).positions
    }
    let places = order?.bytes.assumingMemoryBound(to: Int64.self)
    let position = { (rank: Int) in places.map { Int($0[rank]) } ?? rank }
    let kept = places?.count ?? count
    // What counts is how each adds to the sum of those before it.
    var sum = 0.0
    let sums = try Tensor(.float64, shape: [kept]) { memory in
      let to = memory.assumingMemoryBound(to: Double.self)
      try pace.forEachPiece(of: kept) { piece in
        for rank in piece {
          sum += Double.exponential((scores[position(rank)] - most) / options.temperature)
          to[rank] = sum
        }
      }
    }
    defer { withExtendedLifetime((order, sums)) {} } // their memory is read to the end
    let reached = sums.bytes.assumingMemoryBound(to: Double.self)
    if options.topP < 1 { sum = reached[Tensor.first(in: reached) { $0 >= sum * options.topP }] }
    return position(Tensor.first(in: reached) { $0 > chance * sum || $0 >= sum })
  }

  /// The first of the growing sums of which something holds that holds of all that follow; the last if there is none.
  private static func first(in sums: UnsafeBufferPointer<Double>, where holds: (Double) -> Bool) -> Int {
    var low = 0, high = sums.count - 1
    while low < high {
      let middle = (low + high) / 2
      if holds(sums[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
