/// One benchmark: it measures through the public API, beside what it is compared with in the same run.
struct Benchmark: Sendable {
  /// On the command line; what it measures may have names of their own.
  let name: String
  /// Whether its peer is a program in Python.
  let needsPython: Bool
  let run: @Sendable (Bench) async throws -> Void

  init(_ name: String, needsPython: Bool = false, _ run: @escaping @Sendable (Bench) async throws -> Void) {
    self.name = name
    self.needsPython = needsPython
    self.run = run
  }
}

/// What a benchmark is held to.
enum Limit {
  /// Ours at most so many times the other.
  case ratio(Double)
  /// Ours at most so much more than the other.
  case excess(Double)
  /// The ratio is shown and not judged.
  case shown
}

/// One measurement beside another: both give what one piece of their work costs, in the same unit.
struct Comparison {
  let name: String
  let unit: String
  let limit: Limit
  /// On the main thread and in the main heap, as in a plain C program.
  let floor: @MainActor () async throws -> Double
  let ours: () async throws -> Double
}

/// Measures, prints a line of JSON for each result, and remembers whether a limit was missed.
///
/// `@unchecked Sendable` is true because one task uses it, one benchmark after the other.
final class Bench: @unchecked Sendable {
  /// Each once, briefly, and nothing judged.
  let once: Bool
  private(set) var missed: [String] = []

  private static let attempts = 3
  static let rounds = 7

  init(once: Bool) { self.once = once }

  /// How often to repeat what is measured: little when it is only shown to work.
  func times(_ count: Int) -> Int { once ? max(1, count / 100) : count }

  /// Says on stderr what is being done.
  func say(_ text: String) { Output.error("bench: \(text)") }

  /// Both in turns, medians of several rounds, the best of three attempts.
  func compare(_ comparison: Comparison, rounds: Int = Bench.rounds) async throws {
    say("\(comparison.name)")
    var best: (ours: Double, floor: Double)?
    for _ in 0..<(once ? 1 : Bench.attempts) {
      var floors: [Double] = []
      var ours: [Double] = []
      for _ in 0..<(once ? 1 : rounds) {
        floors.append(try await comparison.floor())
        ours.append(try await comparison.ours())
      }
      let found = (ours: median(ours), floor: median(floors))
      if let known = best, comparison.limit.distance(known) <= comparison.limit.distance(found) { continue }
      best = found
    }
    guard let best else { return }
    switch comparison.limit {
    case .ratio(let limit):
      report(
        comparison.name, best.ours, comparison.unit, beside: best.floor, ratio: best.ours / best.floor, limit: limit)
    case .shown:
      report(comparison.name, best.ours, comparison.unit, beside: best.floor, ratio: best.ours / best.floor, limit: nil)
    case .excess(let limit):
      report(
        comparison.name, best.ours - best.floor, comparison.unit, beside: best.floor, ratio: nil, limit: limit)
    }
  }

  /// A figure that is judged alone: the best of three medians.
  func measure(
    _ name: String, unit: String, limit: Double, rounds: Int = Bench.rounds, _ ours: () async throws -> Double
  ) async throws {
    say("\(name)")
    var best = Double.infinity
    for _ in 0..<(once ? 1 : Bench.attempts) {
      var values: [Double] = []
      for _ in 0..<(once ? 1 : rounds) { values.append(try await ours()) }
      best = min(best, median(values))
    }
    report(name, best, unit, beside: nil, ratio: nil, limit: limit)
  }

  /// The limit bounds the ratio where there is one, and the value otherwise.
  private func report(_ name: String, _ value: Double, _ unit: String, beside: Double?, ratio: Double?, limit: Double?)
  {
    func number(_ value: Double?) -> String {
      guard let value else { return "null" }
      let rounded = (value * 1000).rounded() / 1000
      return rounded == rounded.rounded() && rounded.magnitude < 1e15 ? String(Int64(rounded)) : String(rounded)
    }
    Output.line(
      #"{"name":"\#(name)","value":\#(number(value)),"unit":"\#(unit)","beside":\#(number(beside)),"#
        + #""ratio":\#(number(ratio)),"limit":\#(number(limit))}"#)
    if let limit, !once, (ratio ?? value) > limit { missed.append(name) }
  }
}

extension Limit {
  /// The smaller the better.
  fileprivate func distance(_ result: (ours: Double, floor: Double)) -> Double {
    switch self {
    case .ratio, .shown: result.ours / result.floor
    case .excess: result.ours - result.floor
    }
  }
}

func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// What a benchmark could not do.
struct BenchFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
