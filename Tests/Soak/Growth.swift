/// How a row of figures has grown: the median of its last third against that of its first.
struct Growth: CustomStringConvertible {
  let first: Double
  let last: Double

  init(of figures: some Collection<Double>) {
    let third = max(1, figures.count / 3)
    first = Growth.median(figures.prefix(third))
    last = Growth.median(figures.suffix(third))
  }

  /// What is more than chance, of what is allocated and not freed, and of the resident memory of loads of a model.
  static let most = 0.02
  /// Of the resident memory beside attacks. There chance is large: how many pages the allocator can give back depends on
  /// what it has put beside what. An hour has shown 2 % between its thirds, windows of minutes in it up to 12 %.
  static func mostResident(minutes: Double) -> Double { minutes < 10 ? 0.15 : 0.05 }

  /// 0.02 is growth by 2 %.
  var ratio: Double { first > 0 ? last / first - 1 : 0 }

  var description: String { "\(first) MB, at the end \(last) MB: \((ratio * 1000).rounded() / 10) %" }

  private static func median(_ figures: some Collection<Double>) -> Double {
    let sorted = figures.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
  }
}
