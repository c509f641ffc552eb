import ChainBase
import ChainHost
import LuaBridge
import Testing

/// A small generator with a seed, so that a failure can be replayed.
struct SchemaRandom {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
  mutating func below(_ bound: Int) -> Int { Int(next() >> 11) % bound }
  mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }

  /// Any finite double, of any magnitude.
  mutating func double() -> Double {
    switch below(4) {
    case 0: return Double(below(2_000_000) - 1_000_000) / 1000
    case 1: return Double(Int64(bitPattern: next()))
    default:
      let value = Double(bitPattern: next())
      return value.isFinite ? value : 0.5
    }
  }

  /// The text of a number with a fraction.
  mutating func decimal() -> String {
    let whole = String(next() >> UInt64(below(64))), fraction = String(next() >> UInt64(below(64)))
    return "\(whole).\(fraction)" + (below(2) == 0 ? "" : "e\(below(60) - 30)")
  }

  mutating func text() -> String {
    let pieces = ["a", "Z", "0", " ", "\"", "\\", "\n", "é", "€", "😀", "\u{0}", "\u{1F}", "\u{7F}", "/", "word", "'"]
    return (0..<below(12)).map { _ in pick(pieces) }.joined()
  }

  mutating func type(_ depth: Int, isField: Bool = false) -> ChainType {
    let scalars: [ChainType.Kind] = [.string, .integer, .number, .boolean, .bytes, .blob, .any, .enumeration(["one", "two", "drei"])]
    if isField, below(4) == 0 { return .optional(type(depth)) }
    guard depth > 0, below(3) > 0 else { return ChainType(pick(scalars)) }
    switch below(4) {
    case 0: return .list(type(depth - 1))
    case 1: return .map(type(depth - 1))
    case 2:
      let members = (0..<(2 + below(2))).map { index in
        ChainType.record(["tag": .choice("t\(index)"), "x": type(depth - 1, isField: true)])
      }
      return ChainType(.union(members + [.boolean]))
    default:
      var fields: [String: ChainType] = [:]
      for _ in 0..<below(6) { fields["f\(below(20))"] = type(depth - 1, isField: true) }
      return .record(fields)
    }
  }

  mutating func value(of type: ChainType, _ depth: Int = 3) -> ChainValue {
    switch type.kind {
    case .string: return .string(text())
    case .integer: return .integer(Int64(bitPattern: next() >> UInt64(below(64))))
    case .number: return below(2) == 0 ? .integer(Int64(below(1000))) : .number(double())
    case .boolean: return .boolean(below(2) == 0)
    case .bytes, .blob: return .bytes((0..<below(9)).map { _ in UInt8(below(256)) })
    case .any: return anything(depth)
    case .list(let element): return .list((0..<below(5)).map { _ in value(of: element) })
    case .map(let element):
      let names = Set((0..<below(5)).map { _ in text() })
      return .record(names.sorted().map { .init($0, value(of: element)) })
    case .record(let fields):
      return .record(fields.compactMap { field in
        if case .optional(let inner) = field.type.kind { return below(2) == 0 ? nil : .init(field.name, value(of: inner)) }
        if field.type.kind == .any, below(2) == 0 { return nil }
        return .init(field.name, value(of: field.type))
      })
    case .enumeration(let values): return .string(pick(values))
    case .union(let members): return value(of: pick(members))
    default: return .null
    }
  }

  private mutating func anything(_ depth: Int) -> ChainValue {
    switch below(depth > 0 ? 6 : 4) {
    case 0: return .string(text())
    case 1: return .integer(Int64(below(1000)))
    case 2: return .number(Double(below(1000)) + 0.5)
    case 3: return .boolean(true)
    case 4: return .list((0..<below(4)).map { _ in below(6) == 0 ? .null : anything(depth - 1) })
    default: return .record(Set((0..<below(4)).map { _ in text() }).sorted().map { .init($0, anything(depth - 1)) })
    }
  }
}

@Suite("Types and values at random")
struct SchemaPropertyTests {
  @Test("Swift to Lua to Lua to JSON to Lua to Swift gives the same value", arguments: 1...200)
  func identity(_ seed: Int) throws {
    var random = SchemaRandom(seed: UInt64(seed))
    let type = random.type(4)
    let bridge = try SchemaBridge(type)
    for _ in 0..<5 {
      let value = random.value(of: type)
      let (crossed, text, reread) = try roundTrip(value, bridge)
      #expect(crossed == reread, "seed \(seed): \(type.kind)\n\(text)")
      if !hasLooseParts(type) { #expect(same(value, crossed), "seed \(seed): \(text)") }
      #expect(try bridge.read(text) == nil, "seed \(seed): \(text)")
      #expect(try bridge.text() == text)
    }
  }

  /// The value after a crossing, its JSON, and the value after reading that.
  private func roundTrip(_ value: ChainValue, _ bridge: SchemaBridge) throws -> (ChainValue, String, ChainValue) {
    let limits = CrossingLimits()
    return try bridge.first.hostSection { from throws(LuaError) in
      try bridge.second.hostSection { to throws(LuaError) in
        defer { from.setTop(0); to.setTop(0) }
        do throws(TypeMismatch) {
          try ValueCoder.push(value, program: bridge.program, onto: from, binding: bridge.source, limits: limits, root: "T")
          _ = to.ensure(bridge.program.stackDepth)
          let crossed = LuaToLua.crossing(
            bridge.program, from: from, at: -1, binding: bridge.source, to: to, binding: bridge.target, limits: limits)
          guard crossed else { throw TypeMismatch.explain(bridge.program, from: from, at: -1, root: "T", limits: limits) }
          let read = try ValueCoder.read(bridge.program, from: to, at: -1, limits: limits, root: "T")
          var buffer = ByteBuffer()
          try JSONWriter.write(bridge.program, from: to, at: -1, binding: bridge.target, into: &buffer, limits: limits, root: "T")
          try JSONReader.read(buffer.bytes, program: bridge.program, onto: from, binding: bridge.source, limits: limits, root: "T")
          return (read, buffer.string, try ValueCoder.read(bridge.program, from: from, at: -1, limits: limits, root: "T"))
        } catch { throw LuaError(.runtime, error.message) }
      }
    }
  }

  /// Under t.any bytes become text, null in a table is dropped, an empty list is told from a table only by its mark.
  private func hasLooseParts(_ type: ChainType) -> Bool {
    switch type.kind {
    case .any: true
    case .list(let inner), .map(let inner), .optional(let inner): hasLooseParts(inner)
    case .record(let fields): fields.contains { hasLooseParts($0.type) }
    case .union(let members): members.contains { hasLooseParts($0) }
    default: false
    }
  }

  private func same(_ a: ChainValue, _ b: ChainValue) -> Bool {
    switch (a, b) {
    case (.list(let a), .list(let b)): return a.count == b.count && zip(a, b).allSatisfy { same($0, $1) }
    case (.record(let a), .record(let b)):
      return a.count == b.count && a.allSatisfy { field in b.contains { $0.name == field.name && same($0.value, field.value) } }
    default: return a == b
    }
  }

  @Test("a value changed at one place is refused, and both messages name that place", arguments: 1...300)
  func mutation(_ seed: Int) throws {
    var random = SchemaRandom(seed: UInt64(seed) + 1000)
    let type = random.type(4)
    let value = random.value(of: type)
    var path = "T"
    guard let wrong = mutate(value, type, &random, &path) else { return }
    let bridge = try SchemaBridge(type)
    let limits = CrossingLimits()
    try bridge.first.hostSection { stack in
      defer { stack.setTop(0) }
      do throws(TypeMismatch) {
        try ValueCoder.push(wrong, program: bridge.program, onto: stack, binding: bridge.source, limits: limits, root: "T")
        Issue.record("seed \(seed): taken")
      } catch { #expect(error.path == path, "seed \(seed): \(error.message)") }
      var buffer = ByteBuffer()
      wrong.appendJSON(to: &buffer)
      do throws(TypeMismatch) {
        try JSONReader.read(buffer.bytes, program: bridge.program, onto: stack, binding: bridge.source, limits: limits, root: "T")
        Issue.record("seed \(seed): read \(buffer.string)")
      } catch { #expect(error.path == path, "seed \(seed): \(error.message) in \(buffer.string)") }
      #expect(stack.top == 0)
    }
  }

  /// Puts something wrong at a random place inside, or nil where everything fits.
  private func mutate(_ value: ChainValue, _ type: ChainType, _ random: inout SchemaRandom, _ path: inout String) -> ChainValue? {
    if random.below(3) > 0 {
      switch (value, type.kind) {
      case (.list(var items), .list(let element)) where !items.isEmpty:
        let index = random.below(items.count)
        path += "[\(index + 1)]"
        guard let changed = mutate(items[index], element, &random, &path) else { return nil }
        items[index] = changed
        return .list(items)
      case (.record(var fields), .record(let declared)) where !fields.isEmpty:
        let index = random.below(fields.count)
        guard let field = declared.first(where: { $0.name == fields[index].name }) else { return nil }
        path += ".\(field.name)"
        guard let changed = mutate(fields[index].value, field.type, &random, &path) else { return nil }
        fields[index].value = changed
        return .record(fields)
      default: break
      }
    }
    switch type.kind {
    case .any, .union: return nil
    case .optional(let inner): return mutate(value, inner, &random, &path)
    case .integer: return .number(0.5)
    case .number, .list, .map, .record: return .boolean(true)
    default: return .integer(7)
    }
  }
}
