import ChainTensors
import LuaBridge

extension TypeMismatch {
  /// Why `LuaToLua.crossing` refused the value at `index`: the slow walk that finds the sentence. In a host section of
  /// the stack's state; leaves the stack as it was.
  package static func explain(
    _ program: SchemaProgram, from stack: LuaStack, at index: Int32, root: String, limits: CrossingLimits, pause: Pace.Pause? = nil
  ) -> TypeMismatch {
    let top = stack.top
    defer { stack.setTop(top) }
    guard stack.ensure(program.stackDepth) else {
      return TypeMismatch(root: root, path: [], .tooDeep(limits.depth), limits)
    }
    var walk = Explanation(stack: stack, program: program, limits: limits, pause: pause)
    let complaint = walk.complaint(about: 0, at: stack.absolute(index))
    guard let complaint, !walk.pace.isSpent else { return TypeMismatch(root: root, path: [], .tooMuchWork, limits) }
    return TypeMismatch(root: root, path: walk.path, complaint, limits)
  }
}

/// Looks for the first thing that is wrong with a Lua value: unknown fields first, then the fields in declared order.
/// After a complaint `path` leads to the place.
struct Explanation {
  let stack: LuaStack
  let program: SchemaProgram
  let limits: CrossingLimits
  var path: [PathStep] = []
  private var depth = 0
  private var bytes = 0
  private var values = 0
  private(set) var pace: Pace
  /// The sizes of the named dimensions so far.
  private var sizes: [Int]

  init(stack: LuaStack, program: SchemaProgram, limits: CrossingLimits, pause: Pace.Pause? = nil) {
    self.init(stack: stack, program: program, limits: limits, pace: Pace(limits, pause))
  }

  /// As part of another walk, whose pace it takes on; it is given back in `pace`.
  init(stack: LuaStack, program: SchemaProgram, limits: CrossingLimits, pace: Pace) {
    self.stack = stack
    self.program = program
    self.limits = limits
    self.pace = pace
    sizes = [Int](repeating: TensorFit.unknown, count: max(1, program.dimensionNames.count))
  }

  private func type(of node: SchemaNode) -> ChainType { program.origins[Int(node.origin)] }
  private func got(_ index: Int32) -> String {
    if JSONMarks.isNull(stack, at: index) { return "json.null" }
    if Tensor.userdata.isClosed(stack, at: index) { return "a closed tensor" }
    if let tensor = stack.tensor(at: index) { return tensor.description }
    return stack.type(at: index) == .string ? Complaint.string(stack.bytes(at: index)) : stack.describe(at: index)
  }
  private func wrong(_ node: SchemaNode, _ index: Int32) -> Complaint {
    Complaint(expected: type(of: node).expectation, got: got(index))
  }

  mutating func complaint(about nodeIndex: Int32, at index: Int32) -> Complaint? {
    let node = program.nodes[nodeIndex]
    let kind = stack.type(at: index)
    if kind == .table { _ = ConstantTable.unveil(stack, at: index) }
    switch node.kind {
    case .string: return text(node, index)
    case .integer:
      guard kind == .number else { return wrong(node, index) }
      if stack.isInteger(at: index) { return .integer(stack.integer(at: index), node, type(of: node)) }
      guard let exact = Int64(exactly: stack.number(at: index)) else { return wrong(node, index) }
      return .integer(exact, node, type(of: node))
    case .number:
      guard kind == .number else { return wrong(node, index) }
      if stack.isInteger(at: index) { return .integer(stack.integer(at: index), node, type(of: node)) }
      return .float(stack.number(at: index), type(of: node))
    case .boolean: return kind == .boolean ? nil : wrong(node, index)
    case .bytes:
      guard kind == .string else { return wrong(node, index) }
      let count = stack.rawLength(at: index)
      return charge(count) ?? .count(count, type(of: node), unit: "byte")
    case .blob:
      guard let blob = stack.blob(at: index) else { return wrong(node, index) }
      return .count(blob.count, type(of: node), unit: "byte")
    case .any: return kind == .nil && path.isEmpty ? nil : anything(index)
    case .enumeration:
      guard kind == .string else { return wrong(node, index) }
      let values = node.first..<(node.first + node.count)
      return program.find(stack.bytes(at: index), in: values, &pace, name: { $0 }) == nil ? wrong(node, index) : nil
    case .optional: return kind == .nil || JSONMarks.isNull(stack, at: index) ? nil : complaint(about: node.element, at: index)
    case .union: return union(node, index)
    case .record: return record(node, index)
    case .list: return list(node, index)
    case .map: return map(node, index)
    case .stream: return kind == .userdata || kind == .table || kind == .function ? nil : wrong(node, index)
    case .tensor: return tensor(node, index)
    }
  }

  private mutating func tensor(_ node: SchemaNode, _ index: Int32) -> Complaint? {
    guard let tensor = stack.tensor(at: index) else { return wrong(node, index) }
    return sizes.withUnsafeMutableBufferPointer { sizes in
      sizes.baseAddress.flatMap { TensorFit.complaint(about: tensor, node, program, $0) }
    }
  }

  private mutating func text(_ node: SchemaNode, _ index: Int32) -> Complaint? {
    guard stack.type(at: index) == .string else { return wrong(node, index) }
    return utf8(index) ?? .text(stack.bytes(at: index), type(of: node), &pace)
  }

  private mutating func utf8(_ index: Int32) -> Complaint? {
    let text = stack.bytes(at: index)
    if let wrong = charge(text.count) { return wrong }
    guard pace.goesOn(afterBytes: text.count) else { return .unwanted }
    return UTF8Check.isValid(text) ? nil : Complaint(expected: "text in UTF-8", got: "a string of other bytes")
  }

  // MARK: Sizes

  private mutating func charge(_ count: Int) -> Complaint? {
    bytes += count
    return bytes > limits.bytes ? sized(.tooManyBytes(limits.bytes)) : nil
  }

  private mutating func enter(_ count: Int) -> Complaint? {
    if depth >= limits.depth { return .tooDeep(limits.depth) }
    depth += 1
    values += count + 1
    return values > limits.nodes ? sized(.tooManyValues(limits.nodes)) : nil
  }

  private mutating func sized(_ complaint: Complaint) -> Complaint {
    path = [] // it is the whole that is too large
    return complaint
  }

  /// A complaint about something inside; the step stays in the path only if there is one.
  private mutating func inside(_ step: PathStep, _ node: Int32?, _ index: Int32) -> Complaint? {
    guard pace.goesOn() else { return .unwanted }
    path.append(step)
    let found = node.map { complaint(about: $0, at: index) } ?? anything(index)
    if found == nil { path.removeLast() }
    return found
  }

  // MARK: Tables

  private mutating func record(_ node: SchemaNode, _ index: Int32) -> Complaint? {
    if stack.type(at: index) == .nil, path.isEmpty, node.count == 0 { return nil }
    guard stack.type(at: index) == .table else { return wrong(node, index) }
    if let deep = enter(Int(node.count)) { return deep }
    if let unknown = unknownKey(node, index) { return unknown }
    for position in node.first..<(node.first + node.count) {
      guard pace.goesOn() else { return .unwanted }
      let field = program.fields[position]
      let name = program.string(ofName: field.name)
      let top = stack.top
      defer { stack.setTop(top) }
      stack.rawGet(index, field: name)
      if stack.type(at: -1) == .nil || (field.absence != .refused && JSONMarks.isNull(stack, at: -1)) {
        guard field.absence == .refused else { continue }
        path.append(.field(name))
        return .missing(type(of: program.nodes[field.node]))
      }
      if let found = inside(.field(name), field.node, top + 1) { return found }
    }
    depth -= 1
    return nil
  }

  private mutating func unknownKey(_ node: SchemaNode, _ index: Int32) -> Complaint? {
    let fields = node.first..<(node.first + node.count)
    let top = stack.top
    defer { stack.setTop(top) }
    // Lua finds a key among any number of names, of any length.
    let (known, unknown, key) = (top + 1, top + 2, top + 3)
    stack.pushTable(fields: node.count)
    for field in fields {
      guard pace.goesOn() else { return .unwanted }
      stack.push(bytes: program.bytes(ofName: program.fields[field].name))
      stack.push(boolean: true)
      stack.rawSet(known)
    }
    stack.pushNil() // the first in the order of names
    stack.pushNil()
    while stack.next(index) {
      stack.pop()
      guard stack.type(at: key) == .string else {
        return Complaint(expected: "fields with names", got: "a key that is \(article(stack.describe(at: key)))")
      }
      let name = stack.bytes(at: key)
      guard pace.goesOn(), pace.goesOn(afterBytes: name.count) else { return .unwanted }
      guard UTF8Check.isValid(name) else { return Complaint(expected: "fields with names", got: "a key that is not UTF-8") }
      stack.push(copyOf: key)
      let isKnown = stack.rawGet(known) != .nil
      stack.pop()
      if !isKnown, stack.type(at: unknown) == .nil || name.precedes(stack.bytes(at: unknown)) {
        stack.push(copyOf: key)
        stack.replace(at: unknown)
      }
    }
    guard let first = stack.text(at: unknown, most: LuaStack.longestName) else { return nil }
    path.append(.field(first))
    return .unknown(first, among: fields.map { program.string(ofName: program.fields[$0].name) })
  }

  private func article(_ text: String) -> String { "aeiou".contains(text.prefix(1)) ? "an \(text)" : "a \(text)" }

  private mutating func list(_ node: SchemaNode, _ index: Int32) -> Complaint? {
    guard stack.type(at: index) == .table else { return wrong(node, index) }
    let size = TableShape.count(stack, at: index, atMost: limits.nodes)
    if size > limits.nodes { return sized(.tooManyValues(limits.nodes)) }
    if let complaint = positions(index, size, expected: "list") { return complaint }
    if let complaint = Complaint.count(size, type(of: node), unit: "item") ?? enter(size) { return complaint }
    return items(index, size, node.element)
  }

  private mutating func items(_ index: Int32, _ size: Int, _ node: Int32?) -> Complaint? {
    let top = stack.top
    defer { stack.setTop(top) }
    for position in 0..<size {
      stack.rawGet(index, at: Int64(position + 1))
      if let found = inside(.position(position + 1), node, top + 1) { return found }
      stack.setTop(top)
    }
    depth -= 1
    return nil
  }

  /// Why the keys are not 1 to `size`.
  private func positions(_ index: Int32, _ size: Int, expected: String) -> Complaint? {
    if TableShape.isList(stack, at: index, length: size) { return nil }
    let top = stack.top
    defer { stack.setTop(top) }
    stack.pushNil()
    while stack.next(index) {
      stack.pop()
      if !stack.isInteger(at: -1) {
        return Complaint(expected: expected, got: "table with the key \(stack.describe(at: -1))")
      }
    }
    var hole: Int64 = 1
    while stack.rawGet(index, at: hole) != .nil { stack.pop(); hole += 1 }
    return Complaint(expected: expected, got: "table with a hole", text: "expected \(expected) without holes, got nothing at position \(hole)")
  }

  private mutating func map(_ node: SchemaNode, _ index: Int32) -> Complaint? {
    guard stack.type(at: index) == .table else { return wrong(node, index) }
    if let deep = enter(TableShape.count(stack, at: index, atMost: limits.nodes)) { return deep }
    var entries = 0
    let complaint = eachEntry(index) { walk, key, value in
      if JSONMarks.isNull(walk.stack, at: value) { return nil }
      entries += 1
      return walk.inside(.field(key), node.element, value)
    }
    return complaint ?? .count(entries, type(of: node), unit: "entry")
  }

  /// Walks a table whose keys must be text.
  private mutating func eachEntry(_ index: Int32, _ body: (inout Explanation, String, Int32) -> Complaint?) -> Complaint? {
    let top = stack.top
    defer { stack.setTop(top) }
    stack.pushNil()
    while stack.next(index) {
      guard stack.type(at: top + 1) == .string else {
        return Complaint(expected: "keys that are strings", got: article(stack.describe(at: top + 1)))
      }
      let length = stack.bytes(at: top + 1).count
      if length > CrossingLimits.longestKey { return .longKey(length) }
      if let wrong = utf8(top + 1) { return wrong }
      let key = stack.text(at: top + 1, most: LuaStack.longestName) ?? ""
      if let found = body(&self, key, top + 2) { return found }
      stack.setTop(top + 1)
    }
    depth -= 1
    return nil
  }

  // MARK: t.any and unions

  private mutating func anything(_ index: Int32) -> Complaint? {
    switch stack.type(at: index) {
    case .string: return utf8(index)
    case .boolean: return nil
    case .number:
      return stack.isInteger(at: index) || stack.number(at: index).isFinite
        ? nil : Complaint(expected: "a finite number", got: "number (\(stack.number(at: index)))")
    case .table: _ = ConstantTable.unveil(stack, at: index)
    default:
      if JSONMarks.isNull(stack, at: index) || stack.blob(at: index) != nil || stack.tensor(at: index) != nil { return nil }
      return Complaint(expected: "plain data", got: got(index))
    }
    let size = TableShape.count(stack, at: index, atMost: limits.nodes)
    if let deep = enter(size) { return deep }
    JSONMarks.pushArrayMark(onto: stack)
    let mark = stack.identity(at: -1)
    stack.pop()
    let isArray = JSONMarks.isArray(stack, at: index, mark: mark)
    let top = stack.top
    stack.pushNil()
    let isList = stack.next(index) ? stack.type(at: top + 1) == .number : isArray
    stack.setTop(top)
    if isList || isArray { return positions(index, size, expected: "list") ?? items(index, size, nil) }
    return eachEntry(index) { walk, key, value in walk.inside(.field(key), nil, value) }
  }

  private mutating func union(_ node: SchemaNode, _ index: Int32) -> Complaint? {
    let start = (path, depth, bytes, values, sizes)
    let isTable = stack.type(at: index) == .table
    let tag = isTable && node.tag >= 0 ? tagValue(node, index) : nil
    var candidates: [(Complaint, [PathStep])] = []
    var tagged: (Complaint, [PathStep])?
    for position in node.first..<(node.first + node.count) {
      let member = program.members[position]
      (path, depth, bytes, values, sizes) = start
      guard let found = complaint(about: member.node, at: index) else { return nil }
      if found.isSize || found.isFinal { return found }
      if member.tagValue >= 0, let tag, program.string(ofName: member.tagValue) == tag { tagged = (found, path) }
      if UnionChoice.takes(stack.type(at: index), program.nodes[member.node].kind) { candidates.append((found, path)) }
    }
    (path, depth, bytes, values, sizes) = start
    if let chosen = tagged ?? (candidates.count == 1 ? candidates[0] : nil) {
      path = chosen.1
      return chosen.0
    }
    if isTable, node.tag >= 0, UnionChoice.onlyTaggedTakeTables(node, program) {
      let values = (node.first..<(node.first + node.count)).map { program.members[$0].tagValue }.filter { $0 >= 0 }
      return UnionChoice.wrongTag(node, values, tag, program, &path)
    }
    return wrong(node, index)
  }

  private func tagValue(_ node: SchemaNode, _ index: Int32) -> String? {
    stack.rawGet(index, field: program.string(ofName: node.tag))
    defer { stack.pop() }
    return stack.text(at: -1)
  }
}

/// Which member of a union a message should be about.
enum UnionChoice {
  static func takes(_ type: LuaType, _ kind: SchemaKind) -> Bool {
    switch kind {
    case .string, .bytes, .enumeration: type == .string
    case .integer, .number: type == .number
    case .boolean: type == .boolean
    case .list, .map, .record: type == .table
    case .blob, .tensor, .stream: type == .userdata
    case .any, .union, .optional: true
    }
  }

  static func onlyTaggedTakeTables(_ node: SchemaNode, _ program: SchemaProgram) -> Bool {
    (node.first..<(node.first + node.count)).allSatisfy {
      let member = program.members[$0]
      return member.tagValue >= 0 || !takes(.table, program.nodes[member.node].kind)
    }
  }

  static func wrongTag(_ node: SchemaNode, _ values: [Int32], _ tag: String?, _ program: SchemaProgram, _ path: inout [PathStep]) -> Complaint {
    path.append(.field(program.string(ofName: node.tag)))
    let allowed = "one of " + Complaint.values(values.map { program.string(ofName: $0) })
    guard let tag else { return Complaint(expected: allowed, got: "", text: "missing field, expected \(allowed)") }
    return Complaint(expected: allowed, got: Complaint.string(tag))
  }
}
