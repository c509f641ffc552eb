import ChainBase

/// The operator's bounds on what the stores of a graph may hold, against one use after the other.
struct StoreBounds {
  private let one: Int
  private let all: Int
  private var known: Set<ChainValue> = []
  private var total = 0

  init(_ limits: OperatorLimits) {
    one = limits.store ?? 1 << 30
    all = limits.stores ?? 4 << 30
  }

  /// The options of a resource; a store that does not say what it may hold gets its default, or the bound where that is less.
  func options(of use: ChainletDeclaration.Use) -> ChainValue {
    guard use.kind == HostKinds.store.name, case .record(let fields) = use.options, use.options["max_bytes"] == nil,
      one < Store.Options().maxBytes
    else { return use.options }
    return .record(fields + [ChainValue.Field("max_bytes", .integer(Int64(one)))])
  }

  /// What is wrong with one use more; `path` is inside its options. The same options are the same store.
  mutating func problem(with use: ChainletDeclaration.Use) -> (path: [String], message: String, suggestion: String)? {
    guard use.kind == HostKinds.store.name, known.insert(use.options).inserted else { return nil }
    let bytes = HostKinds.integer(use.options["max_bytes"]) ?? min(Store.Options().maxBytes, one)
    guard bytes <= one else {
      return (
        ["max_bytes"], "asks for \(byteText(bytes)), and the operator of this host allows a store \(byteText(one))",
        "ask for that or less, or have the operator allow more (--limit store=…)"
      )
    }
    let before = total
    total = before > .max - bytes ? .max : before + bytes
    guard before <= all, total > all else { return nil }
    return (
      [], "with this one the stores of the graph may hold \(byteText(total)), and the operator of this host allows \(byteText(all))",
      "give them a smaller max_bytes, share them, or have the operator allow more (--limit stores=…)"
    )
  }
}
