/// How a row of figures has grown: the median of its last third against that of its first.
struct Growth: CustomStringConvertible {
  let first: Double
  let last: Double

  init(of figures: some Collection<Double>) {
    let third = max(1, figures.count / 3)
    first = Growth.median(figures.prefix(third))
    last = Growth.median(figures.suffix(third))
  }

  /// What is more than chance.
  static let most = 0.02
  /// In the first minutes memory still grows in steps of some 8 MB, and is flat between them. What they are is not known yet;
  /// the memory of calls, which a lane keeps at its maximum, may be it. Until then a short run finds larger leaks alone.
  static let mostInFewMinutes = 0.15

  /// 0.02 is growth by 2 %.
  var ratio: Double { first > 0 ? last / first - 1 : 0 }

  var description: String { "\(first) MB, at the end \(last) MB: \((ratio * 1000).rounded() / 10) %" }

  private static func median(_ figures: some Collection<Double>) -> Double {
    let sorted = figures.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
  }
}
