import ChainBase
import ChainTensors

/// Makes the flat form of a type. Node 0 is the whole.
struct SchemaCompiler {
  var nodes: [SchemaNode] = []
  var fields: [SchemaField] = []
  var members: [SchemaMember] = []
  var names: [SchemaName] = []
  var text: [UInt8] = []
  var dimensions: [SchemaDimension] = []
  var dimensionNames: [String] = []
  var patterns: [String] = []
  var defaults: [ChainValue] = []
  var origins: [ChainType] = []
  private var known: [String: Int32] = [:]

  mutating func add(_ type: ChainType) -> Int32 {
    let index = nodes.count
    nodes.append(SchemaNode(kind: .any, origin: Int32(origins.count)))
    origins.append(type)
    var node = nodes[index]
    node.finite = type.finite
    setBounds(of: type, in: &node)
    switch type.kind {
    case .string: node.kind = .string
    case .integer: node.kind = .integer
    case .number: node.kind = .number
    case .boolean: node.kind = .boolean
    case .bytes: node.kind = .bytes
    case .blob: node.kind = .blob
    case .any: node.kind = .any
    case .tensor(let element, let dimensions): addTensor(element, dimensions, to: &node)
    case .stream: node.kind = .stream
    case .list(let element): (node.kind, node.element) = (.list, add(element))
    case .map(let element): (node.kind, node.element) = (.map, add(element))
    case .optional(let inner): (node.kind, node.element) = (.optional, add(inner))
    case .record(let declared): addRecord(declared, to: &node)
    case .enumeration(let values): addValues(values, to: &node)
    case .union(let types): addUnion(types, to: &node)
    }
    nodes[index] = node
    return Int32(index)
  }

  private mutating func setBounds(of type: ChainType, in node: inout SchemaNode) {
    if let pattern = type.pattern {
      node.pattern = Int32(patterns.count)
      patterns.append(pattern)
    }
    if let min = type.min {
      node.leastNumber = min
      node.least = min.rounded(.up) >= 0x1p63 ? .max : min <= -0x1p63 ? .min : Int64(min.rounded(.up))
    }
    if let max = type.max {
      node.mostNumber = max
      node.most = max >= 0x1p63 ? .max : max.rounded(.down) <= -0x1p63 ? .min : Int64(max.rounded(.down))
    }
    node.limited = type.min != nil || type.max != nil || type.pattern != nil
  }

  private mutating func addRecord(_ declared: [ChainType.Field], to node: inout SchemaNode) {
    node.kind = .record
    var compiled: [SchemaField] = []
    for field in declared {
      var inner = field.type
      var absence = SchemaField.Absence.refused
      var fill = inner.defaultValue
      while case .optional(let wrapped) = inner.kind {
        absence = .allowed
        inner = wrapped
        fill = fill ?? inner.defaultValue
      }
      if case .any = inner.kind { absence = .allowed }
      var entry = SchemaField(node: 0, name: name(field.name), absence: absence)
      if let fill, fill != .null {
        entry.absence = .filled
        entry.fill = Int32(defaults.count)
        defaults.append(fill)
      }
      entry.node = add(inner)
      compiled.append(entry)
    }
    node.first = Int32(fields.count)
    node.count = Int32(compiled.count)
    fields += compiled
  }

  private mutating func addTensor(_ element: String, _ declared: [ChainType.Dimension], to node: inout SchemaNode) {
    node.kind = .tensor
    node.element = Int32(DType.allCases.firstIndex { $0.rawValue == element } ?? -1)
    node.first = Int32(dimensions.count)
    node.count = Int32(declared.count)
    for dimension in declared {
      switch dimension {
      case .fixed(let size): dimensions.append(SchemaDimension(size: size, name: -1))
      case .named(let name):
        let index = dimensionNames.firstIndex(of: name) ?? dimensionNames.count
        if index == dimensionNames.count { dimensionNames.append(name) }
        dimensions.append(SchemaDimension(size: -1, name: Int32(index)))
      }
    }
  }

  private mutating func addValues(_ values: [String], to node: inout SchemaNode) {
    node.kind = .enumeration
    node.first = Int32(names.count)
    node.count = Int32(values.count)
    for value in values { append(value) } // one after the other, in declared order
  }

  private mutating func addUnion(_ types: [ChainType], to node: inout SchemaNode) {
    node.kind = .union
    let tag = SchemaCompiler.tag(of: types)
    var compiled: [SchemaMember] = []
    for (position, type) in types.enumerated() {
      var member = SchemaMember(node: add(type))
      if let tag, let value = tag.values[position] { member.tagValue = name(value) }
      compiled.append(member)
    }
    node.first = Int32(members.count)
    node.count = Int32(compiled.count)
    node.tag = tag.map { name($0.field) } ?? -1
    members += compiled
  }

  /// The one-value enum field that all records among the members have, each with a value of its own.
  static func tag(of types: [ChainType]) -> (field: String, values: [String?])? {
    var candidates: [String]?
    var records = 0
    for case .record(let fields) in types.map(\.kind) {
      records += 1
      let own = fields.filter { oneValue(of: $0.type) != nil }.map(\.name)
      candidates = candidates.map { $0.filter(own.contains) } ?? own
    }
    guard records > 1 else { return nil }
    for candidate in candidates ?? [] {
      let values = types.map { type -> String? in
        guard case .record(let fields) = type.kind else { return nil }
        return fields.first { $0.name == candidate }.flatMap { oneValue(of: $0.type) }
      }
      let present = values.compactMap { $0 }
      if Set(present).count == present.count { return (candidate, values) }
    }
    return nil
  }

  private static func oneValue(of type: ChainType) -> String? {
    guard case .enumeration(let values) = type.kind, values.count == 1, type.defaultValue == nil else { return nil }
    return values.first
  }

  // MARK: Names

  private mutating func name(_ name: String) -> Int32 {
    if let index = known[name] { return index }
    let index = Int32(names.count)
    append(name)
    known[name] = index
    return index
  }

  private mutating func append(_ name: String) {
    let offset = text.count
    text += name.utf8
    let length = text.count - offset
    let quoted = text.count
    text += JSONText.quoted(name)
    names.append(SchemaName(
      offset: Int32(offset), length: Int32(length), jsonOffset: Int32(quoted), jsonLength: Int32(text.count - quoted)))
  }

  // MARK: Stack

  /// The slots that a value of this node needs at most; under `t.any` as many as the deepest allowed.
  func slots(of index: Int32, depth: Int) -> Int {
    let node = nodes[Int(index)]
    let perTable = 5
    switch node.kind {
    case .any: return (CrossingLimits.deepest + 1) * perTable
    case .list, .map: return perTable + slots(of: node.element, depth: depth + 1)
    case .optional: return slots(of: node.element, depth: depth)
    case .record:
      let own = fields[Int(node.first)..<Int(node.first + node.count)]
      return perTable + own.count + (own.map { slots(of: $0.node, depth: depth + 1) }.max() ?? 2)
    case .union:
      let own = members[Int(node.first)..<Int(node.first + node.count)]
      return 2 + (own.map { slots(of: $0.node, depth: depth) }.max() ?? 2)
    default: return perTable
    }
  }
}
