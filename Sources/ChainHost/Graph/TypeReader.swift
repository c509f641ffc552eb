import ChainBase
import ChainTensors
import LuaBridge

/// From an author's type to a `ChainType`.
extension RecordReader {
  /// Where a type stands: not every type may stand everywhere.
  enum Position { case input, inputField, field, output, item, configuration, anywhere }

  /// The type at `index`, or nil when there is none to be had; problems are noted.
  func type(_ stack: LuaStack, _ index: Int32, place: Position, depth: Int = 0) -> ChainType? {
    guard step() else { return nil }
    guard depth < RecordReader.deepest, stack.ensure(8) else {
      tooDeep("the type")
      return nil
    }
    switch kind(stack, index) {
    case .type: break
    case .unknown: return nil
    case .plainTable: return record(stack, index, place: place, depth: depth)
    case .chainlet, .pending, .need:
      note("expected a type, got \(describe(stack, index))", "chainlets that it calls belong in needs")
      return nil
    case .use:
      note("expected a type, got a resource", "resources belong in uses")
      return nil
    case .objectTable, .other:
      expectedType(stack, index)
      return nil
    }
    let index = stack.absolute(index)
    stack.rawGet(index, field: "base")
    defer { stack.pop() }
    if stack.type(at: -1) == .table { return refined(stack, index, place: place, depth: depth) }
    stack.rawGet(index, field: "kind")
    let kind = stack.text(at: -1) ?? ""
    stack.pop()
    return built(stack, index, kind: kind, place: place, depth: depth)
  }

  private func expectedType(_ stack: LuaStack, _ index: Int32) {
    if let name = constructor(stack, index) {
      note("t.\(name) is not complete", "write \(RecordReader.example(of: name))", word: name)
    } else if let name = stack.text(at: index), let simple = RecordReader.simpleKinds[name] {
      _ = simple
      note("expected a type, got \(describe(stack, index))", "write t.\(name)")
    } else {
      note("expected a type, got \(describe(stack, index))", "types are written t.string, t.list(t.string), { field = t.string }, …")
    }
  }

  static let simpleKinds: [String: ChainType.Kind] = [
    "string": .string, "integer": .integer, "number": .number, "boolean": .boolean, "bytes": .bytes, "blob": .blob, "any": .any,
  ]

  static func example(of constructor: String) -> String {
    switch constructor {
    case "list": "t.list(t.string): a list needs the type of its items"
    case "map": "t.map(t.string): a map needs the type of its values"
    case "record": "t.record { name = t.string }"
    case "enum": "t.enum { \"a\", \"b\" }"
    case "union": "t.union(t.string, t.integer)"
    case "optional": "t.optional(t.string)"
    case "tensor": "t.tensor(\"float32\", { \"n\", 384 })"
    case "stream": "t.stream(t.string): a stream needs the type of its items"
    default: "t.\(constructor)(…)"
    }
  }

  private func built(_ stack: LuaStack, _ index: Int32, kind: String, place: Position, depth: Int) -> ChainType? {
    if let simple = RecordReader.simpleKinds[kind] {
      if place == .configuration, kind == "bytes" || kind == "blob" {
        note("t.\(kind) cannot be configured: values of the configuration are plain data")
        return nil
      }
      return ChainType(simple)
    }
    let count = count(stack, index)
    func argument(_ n: Int64, _ position: Position) -> ChainType? {
      stack.rawGet(index, at: n)
      defer { stack.pop() }
      if stack.type(at: -1) == .nil {
        note("t.\(kind) is not complete", "write \(RecordReader.example(of: kind))", word: kind)
        return nil
      }
      return type(stack, -1, place: position, depth: depth + 1)
    }
    func atMost(_ limit: Int) {
      if count > limit { note("t.\(kind) takes \(limit == 1 ? "one type" : "\(limit) types"), got \(count)", "for example \(RecordReader.example(of: kind))", word: kind) }
    }
    switch kind {
    case "list":
      atMost(1)
      return argument(1, itemPlace(place)).map { ChainType(.list($0)) }
    case "map":
      atMost(1)
      return argument(1, itemPlace(place)).map { ChainType(.map($0)) }
    case "record":
      stack.rawGet(index, at: 1)
      defer { stack.pop() }
      guard self.kind(stack, -1) == .plainTable else {
        if self.kind(stack, -1) != .unknown { note("t.record takes a table of fields, got \(describe(stack, -1))", "write t.record { name = t.string }", word: kind) }
        return nil
      }
      return record(stack, -1, place: place, depth: depth)
    case "enum": return enumeration(stack, index, count)
    case "union": return union(stack, index, count, place: place, depth: depth)
    case "optional":
      atMost(1)
      if ![.inputField, .field, .output, .configuration, .anywhere].contains(place) {
        note("t.optional stands only at a field of a record or as a whole output", word: kind)
      }
      guard let inner = argument(1, place == .inputField ? .field : place == .output ? .item : place) else { return nil }
      if case .optional = inner.kind {
        note("t.optional(t.optional(…)) says it twice", "write it once", word: kind)
        return inner
      }
      return ChainType(.optional(inner))
    case "tensor": return tensor(stack, index, count, place: place)
    case "stream":
      atMost(2)
      return stream(count, place) { argument($0, .item) }
    default:
      note("expected a type, got a table that looks like one")
      return nil
    }
  }

  private func stream(_ count: Int, _ place: Position, _ argument: (Int64) -> ChainType?) -> ChainType? {
    if ![.inputField, .output, .anywhere].contains(place) {
      note("t.stream stands only as the whole output, or at one field of the input", word: "stream")
      return nil
    }
    let items = argument(1)
    if place == .inputField, count > 1 {
      note("a stream of the input has items and no result", "write t.stream(T) with one type", word: "stream")
      return nil
    }
    let result = count > 1 ? argument(2) : nil
    return items.map { ChainType(.stream($0, result: result)) }
  }

  private func itemPlace(_ place: Position) -> Position { place == .configuration ? .configuration : .item }

  func count(_ stack: LuaStack, _ index: Int32) -> Int {
    stack.rawGet(index, field: "n")
    defer { stack.pop() }
    return stack.isInteger(at: -1) ? Int(clamping: stack.integer(at: -1)) : 0
  }

  /// A plain table: its fields.
  private func record(_ stack: LuaStack, _ index: Int32, place: Position, depth: Int) -> ChainType? {
    let index = stack.absolute(index)
    let (names, others) = keys(stack, index)
    if let first = others.first {
      if others == ["[1]"], names.isEmpty {
        note("a record names its fields, got a value at \(first)", "a list is written t.list(T), a record { name = T }")
      } else {
        note("a record names its fields, got a value at \(first)", "write name = t.string")
      }
    }
    var fields: [ChainType.Field] = []
    var streams: [String] = []
    let position: Position = place == .input ? .inputField : place == .configuration ? .configuration : .field
    for name in names {
      stack.rawGet(index, field: name)
      let type = within(name) { self.type(stack, -1, place: position, depth: depth + 1) }
      stack.pop()
      guard let type else { continue }
      if case .stream = type.kind { streams.append(name) }
      fields.append(ChainType.Field(name: name, type: type))
    }
    if streams.count > 1 {
      note("only one field of the input may be a stream, got \(streams.joined(separator: " and "))")
    }
    return ChainType(.record(fields))
  }

  /// Of one `t.enum`.
  private static let mostValues = 10_000

  private func enumeration(_ stack: LuaStack, _ index: Int32, _ count: Int) -> ChainType? {
    stack.rawGet(index, at: 1)
    defer { stack.pop() }
    guard kind(stack, -1) == .plainTable, count == 1 else {
      if kind(stack, -1) == .unknown { return nil }
      note("t.enum takes a list of its values", "write t.enum { \"a\", \"b\" }", word: "enum")
      return nil
    }
    let length = stack.rawLength(at: -1)
    let (names, others) = keys(stack, -1)
    guard length <= RecordReader.mostValues else {
      note("t.enum takes at most \(RecordReader.mostValues) values, got \(length)", "check longer lists in run", word: "enum")
      return nil
    }
    var values: [String] = []
    var seen: Set<[UInt8]> = []
    for position in 0..<length {
      stack.rawGet(-1, at: Int64(position) + 1)
      defer { stack.pop() }
      guard let value = stack.text(at: -1) else {
        note("t.enum takes strings, got \(describe(stack, -1)) at [\(position + 1)]", word: "enum")
        return nil
      }
      if seen.insert(Array(value.utf8)).inserted {
        values.append(value)
      } else {
        note("t.enum has the value \"\(value)\" twice", word: value)
      }
    }
    if !names.isEmpty || others.count > length {
      note("t.enum takes a plain list of strings", "write t.enum { \"a\", \"b\" }", word: "enum")
    } else if values.isEmpty {
      note("t.enum needs at least one value", "write t.enum { \"a\", \"b\" }", word: "enum")
      return nil
    }
    return ChainType(.enumeration(values))
  }

  private func union(_ stack: LuaStack, _ index: Int32, _ count: Int, place: Position, depth: Int) -> ChainType? {
    if count == 1 {
      stack.rawGet(index, at: 1)
      defer { stack.pop() }
      if kind(stack, -1) == .plainTable, keys(stack, -1).names.isEmpty, stack.rawLength(at: -1) > 0 {
        note("t.union takes its members one after the other", "write t.union(A, B)", word: "union")
        return nil
      }
    }
    guard count >= 2 else {
      note("t.union needs at least two members, got \(count)", "write t.union(t.string, t.integer)", word: "union")
      return nil
    }
    var members: [ChainType] = []
    for position in 1...Int64(min(count, 1_000)) {
      stack.rawGet(index, at: position)
      defer { stack.pop() }
      if stack.type(at: -1) == .nil {
        note("member \(position) of t.union is nil", word: "union")
      } else if let member = type(stack, -1, place: itemPlace(place), depth: depth + 1) {
        members.append(member)
      }
    }
    return members.count == count ? ChainType(.union(members)) : nil
  }

  static let elements = DType.allCases.map(\.rawValue)

  private func tensor(_ stack: LuaStack, _ index: Int32, _ count: Int, place: Position) -> ChainType? {
    if place == .configuration { note("a tensor cannot be configured: values of the configuration are plain data") }
    stack.rawGet(index, at: 1)
    let element = stack.text(at: -1)
    let shown = describe(stack, -1)
    stack.pop()
    guard let element, RecordReader.elements.contains(element) else {
      note(
        "the elements of a tensor are one of \(RecordReader.elements.joined(separator: ", ")), got \(shown)",
        element.flatMap { didYouMean($0, RecordReader.elements) } ?? "write \(RecordReader.example(of: "tensor"))", word: "tensor")
      return nil
    }
    stack.rawGet(index, at: 2)
    defer { stack.pop() }
    guard kind(stack, -1) == .plainTable, count == 2 else {
      if kind(stack, -1) == .unknown { return nil }
      note("a tensor needs its dimensions, got \(describe(stack, -1))", "write \(RecordReader.example(of: "tensor"))", word: "tensor")
      return nil
    }
    var dimensions: [ChainType.Dimension] = []
    for position in 0..<min(stack.rawLength(at: -1), 64) {
      stack.rawGet(-1, at: Int64(position) + 1)
      defer { stack.pop() }
      if let name = stack.text(at: -1) {
        dimensions.append(.named(name))
      } else if stack.isInteger(at: -1), stack.integer(at: -1) >= 0 {
        dimensions.append(.fixed(Int(stack.integer(at: -1))))
      } else {
        note("a dimension of a tensor is a size or a name, got \(describe(stack, -1))", word: "tensor")
      }
    }
    return ChainType(.tensor(element: element, dimensions: dimensions))
  }
}
