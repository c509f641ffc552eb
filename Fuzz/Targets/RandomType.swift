import ChainHost

/// A type that two bytes of the input choose, so that one mutation changes it and the rest stays.
struct RandomType {
  private var state: UInt64

  /// The type, and the bytes that are left.
  static func read(from bytes: [UInt8]) -> (ChainType, ArraySlice<UInt8>) {
    let seed = bytes.prefix(2).reduce(0) { $0 << 8 | UInt64($1) }
    var random = RandomType(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
    // The small seeds are the plain types.
    let plain: [ChainType.Kind] = [.any, .string, .integer, .number, .boolean, .bytes, .blob, .list(ChainType(.any)), .map(ChainType(.any))]
    let type = seed < plain.count ? ChainType(plain[Int(seed)]) : random.type(3)
    return (type, bytes.dropFirst(2))
  }

  private mutating func below(_ bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state >> 11) % bound
  }

  private mutating func type(_ depth: Int, isField: Bool = false) -> ChainType {
    if isField, below(4) == 0 { return ChainType(.optional(type(depth))) }
    switch below(depth > 0 ? 13 : 8) {
    case 0: return bounded(ChainType(.string))
    case 1: return bounded(ChainType(.integer))
    case 2: return bounded(ChainType(.number))
    case 3: return ChainType(.boolean)
    case 4: return ChainType(.bytes)
    case 5: return ChainType(.blob)
    case 6: return ChainType(.any)
    case 7: return ChainType(.enumeration(["a", "b", "long enough to be no short string of Lua's"]))
    case 8: return bounded(ChainType(.list(type(depth - 1))))
    case 9: return bounded(ChainType(.map(type(depth - 1))))
    case 10:
      let members = (0..<2).map { index in
        ChainType(.record([.init(name: "t", type: ChainType(.enumeration(["\(index)"]))), .init(name: "x", type: type(depth - 1, isField: true))]))
      }
      return ChainType(.union(members + [ChainType(.boolean)]))
    default:
      let names = ["a", "b", "c", "é", "0", "a name that is longer than forty bytes, as short ones are"]
      let count = below(names.count)
      return ChainType(.record(names.prefix(count).map { .init(name: $0, type: type(depth - 1, isField: true)) }))
    }
  }

  private mutating func bounded(_ type: ChainType) -> ChainType {
    guard below(3) == 0 else { return type }
    var type = type
    type.min = Double(below(4))
    type.max = Double(below(9) + 3)
    return type
  }
}
