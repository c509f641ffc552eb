/// One chainlet of a drawn graph, before its program is written.
struct Plan: Sendable {
  enum Kind: Sendable {
    /// A record in, a record out.
    case plain
    /// Its output is a stream.
    case writer
    /// A field of its input is a stream.
    case reader
  }

  struct Need: Sendable {
    var target: Int
    /// As Lua writes it: `c3`, or `group.c3`.
    var path: String
    var options: String
  }

  var index: Int
  var kind: Kind
  var concurrency: UInt64?
  var needs: [Need] = []
  var limits: [String] = []

  var name: String { "C\(index)" }
  var entry: String { "c\(index)" }
}

/// What a drawn world may contain.
struct Shape: Sendable {
  var chainlets: ClosedRange<UInt64> = 2...8
  /// nil: as many as the default.
  var concurrency: ClosedRange<UInt64>? = 1...4
  var steps = 24
  var streams = true
  var groups = true
  var tasks = true
  var errors = true
  var timeouts = true
  var locks = true
  var retries = true
  var gates = true
  var closers = true
  var background = true
  var taskLimits = true
  /// Loops that nothing but a cancellation ends.
  var endless = false
  /// Lua's own coroutines around the steps.
  var wraps = false
  /// The longest spin, in rounds of a few instructions.
  var spin: UInt64 = 600
}

extension Plan {
  /// A DAG: a chainlet needs only later ones.
  static func graph(_ chance: inout SeededGenerator, _ shape: Shape) -> [Plan] {
    let count = Int(chance.within(shape.chainlets))
    var plans = (0..<count).map { index -> Plan in
      var kind = Kind.plain
      if shape.streams {
        if chance.happens(perThousand: 300) { kind = .writer } else if index > 0, chance.happens(perThousand: 200) { kind = .reader }
      }
      var plan = Plan(index: index, kind: kind)
      if let range = shape.concurrency, chance.happens(perThousand: 600) { plan.concurrency = chance.within(range) }
      if shape.taskLimits, chance.happens(perThousand: 150) { plan.limits.append("tasks = \(chance.within(1...6))") }
      if shape.timeouts, chance.happens(perThousand: 150) { plan.limits.append("time = \(Double(chance.within(1...100)) / 1000)") }
      return plan
    }
    for index in plans.indices {
      let grouped = chance.happens(perThousand: 250)
      for target in (index + 1)..<max(count, index + 1) where target == index + 1 || chance.happens(perThousand: 350) {
        plans[index].needs.append(Need(
          target: target, path: grouped ? "group.c\(target)" : "c\(target)", options: options(&chance, shape, plans[target])))
      }
    }
    return plans
  }

  private static func options(_ chance: inout SeededGenerator, _ shape: Shape, _ target: Plan) -> String {
    var options: [String] = []
    if shape.timeouts, chance.happens(perThousand: 150) { options.append("timeout = \(Double(chance.within(1...50)) / 1000)") }
    // A stream that was handed on is used up by the first attempt.
    if shape.retries, target.kind == .plain, chance.happens(perThousand: 150) { options.append("retries = \(chance.within(1...2))") }
    if shape.gates, chance.happens(perThousand: 200) { options.append("concurrency = \(chance.within(1...2))") }
    return options.isEmpty ? "" : ":with { \(options.joined(separator: ", ")) }"
  }

  /// Those that clients may ask: the first, and some of the others.
  static func entries(_ plans: [Plan], _ chance: inout SeededGenerator) -> [Plan] {
    plans.filter { $0.index == 0 ? $0.kind != .reader : $0.kind != .reader && chance.happens(perThousand: 300) }
  }
}
