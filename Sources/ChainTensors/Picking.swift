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
    let scores = try cast(to: .float64).array(of: Double.self)
    guard !scores.contains(where: \.isNaN) else { throw Tensor.failure("pick: one of the scores is NaN") }
    guard let most = scores.max(), most.isFinite else { throw Tensor.failure("pick: no score is finite, or one is infinite") }
    if options.temperature == 0 { return scores.firstIndex(of: most) ?? 0 }
    let isWhole = (options.topK == 0 || options.topK >= count) && options.topP == 1
    var order = Array(scores.indices)
    if !isWhole {
      order = try largest(options.topK == 0 ? count : Swift.min(options.topK, count)).positions.array(of: Int64.self).map(Int.init)
    }
    var weights = order.map { Double.exponential((scores[$0] - most) / options.temperature) }
    if options.topP < 1 {
      let enough = weights.reduce(0, +) * options.topP
      var sum = 0.0
      let kept = (weights.firstIndex { sum += $0; return sum >= enough } ?? weights.count - 1) + 1
      weights = Array(weights[..<kept])
    }
    var rest = chance * weights.reduce(0, +)
    for (place, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return order[place] }
    }
    return order[weights.lastIndex { $0 > 0 } ?? 0]
  }
}
