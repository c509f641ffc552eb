import ChainBase
import ChainTensors
import LuaBridge

/// Swift values to and from Lua, for the rim: inputs written in Swift, mocks, configuration, details of failures.
package enum ValueCoder {
  /// Pushes a value, checked against the program. In a host section of the stack's state.
  /// - Throws: why it does not fit; the stack is then as it was.
  package static func push(
    _ value: ChainValue, program: SchemaProgram, onto stack: LuaStack, binding: SchemaBinding, limits: CrossingLimits,
    root: String, pause: Pace.Pause? = nil
  ) throws(TypeMismatch) {
    let top = stack.top
    guard stack.ensure(program.stackDepth), stack.ensure(program.stackDepth * 2) else {
      throw TypeMismatch(root: root, path: [], .tooDeep(limits.depth), limits)
    }
    guard depth(of: value, atMost: limits.depth) <= limits.depth else {
      throw TypeMismatch(root: root, path: [], .tooDeep(limits.depth), limits)
    }
    var pace = Pace(limits, pause)
    push(value, as: 0, program, binding, onto: stack, &pace)
    guard !pace.isSpent else {
      stack.setTop(top)
      throw TypeMismatch(root: root, path: [], .tooMuchWork, limits)
    }
    let given = top + 1
    if stack.type(at: given) == .lightUserdata { // null as the whole
      stack.setTop(top)
      stack.pushNil()
    }
    guard LuaToLua.crossing(program, from: stack, at: given, binding: binding, to: stack, binding: binding, limits: limits, pause: pause) else {
      stack.setTop(given)
      let mismatch = TypeMismatch.explain(program, from: stack, at: given, root: root, limits: limits, pause: pause)
      stack.setTop(top)
      throw mismatch
    }
    stack.remove(at: given)
  }

  /// Reads the value at `index`, checked against the program. In a host section of the stack's state; leaves the stack
  /// as it was.
  package static func read(
    _ program: SchemaProgram, from stack: LuaStack, at index: Int32, limits: CrossingLimits, root: String, pause: Pace.Pause? = nil
  ) throws(TypeMismatch) -> ChainValue {
    let top = stack.top
    defer { stack.setTop(top) }
    guard stack.ensure(program.stackDepth) else { throw TypeMismatch(root: root, path: [], .tooDeep(limits.depth), limits) }
    var check = Explanation(stack: stack, program: program, limits: limits, pause: pause)
    let index = stack.absolute(index)
    let complaint = check.complaint(about: 0, at: index)
    var pace = check.pace
    if let complaint, !pace.isSpent { throw TypeMismatch(root: root, path: check.path, complaint, limits) }
    stack.setTop(top)
    let value = value(of: 0, program, stack, index, &pace)
    guard !pace.isSpent else { throw TypeMismatch(root: root, path: [], .tooMuchWork, limits) }
    return value
  }

  /// Why a Swift value does not fit a type, or nil: for defaults and configuration, where there is no state at hand.
  package static func mismatch(of value: ChainValue, _ type: ChainType, root: String) -> TypeMismatch? {
    do {
      let state = try LuaState()
      let program = SchemaProgram(type)
      let binding = try SchemaBinding(program: program, state: state)
      var result: TypeMismatch?
      try state.hostSection { stack in
        let top = stack.top
        do throws(TypeMismatch) {
          try push(value, program: program, onto: stack, binding: binding, limits: CrossingLimits(), root: root)
        } catch { result = error }
        stack.setTop(top)
      }
      return result
    } catch {
      return TypeMismatch(root: root, path: [], .tooManyBytes(64 << 20), CrossingLimits())
    }
  }

  private static func depth(of value: ChainValue, atMost most: Int) -> Int {
    guard most >= 0 else { return 1 }
    switch value {
    case .list(let items): return 1 + (items.lazy.map { depth(of: $0, atMost: most - 1) }.max() ?? 0)
    case .record(let fields): return 1 + (fields.lazy.map { depth(of: $0.value, atMost: most - 1) }.max() ?? 0)
    default: return 0
    }
  }

  // MARK: Pushing, unchecked

  /// Pushes a value that is meant for a node: bytes become a blob where one is expected, absent fields get their
  /// defaults. Needs the slots of a crossing.
  static func push(_ value: ChainValue, as node: Int32?, _ program: SchemaProgram, _ binding: SchemaBinding, onto stack: LuaStack) {
    var pace = Pace.unbounded
    push(value, as: node, program, binding, onto: stack, &pace)
  }

  private static func push(
    _ value: ChainValue, as node: Int32?, _ program: SchemaProgram, _ binding: SchemaBinding, onto stack: LuaStack, _ pace: inout Pace
  ) {
    let kind = node.map { program.nodes[$0].kind } ?? .any
    if let node, kind == .union || kind == .optional, value != .null {
      return push(value, inside: program.nodes[node], program, binding, onto: stack, &pace)
    }
    if kind == .tensor, let shape = node.map({ program.nodes[$0] }), let dtype = TensorFit.dtype(of: shape),
      let tensor = TensorJSON.tensor(from: value, dtype, rank: Int(shape.count))
    {
      return stack.push(tensor)
    }
    switch value {
    case .reference(let reference):
      if let tensor = reference.object as? Tensor { stack.push(tensor) } else { JSONMarks.pushNull(onto: stack) }
    case .null: JSONMarks.pushNull(onto: stack)
    case .boolean(let flag): stack.push(boolean: flag)
    case .integer(let integer): stack.push(integer: integer)
    case .number(let number): stack.push(number: number)
    case .string(let text): stack.push(text: text)
    case .bytes(let bytes):
      if kind == .blob { stack.push(Blob(bytes)) } else { bytes.withUnsafeBytes { stack.push(bytes: $0) } }
    case .list(let items):
      let element = kind == .list ? node.map { program.nodes[$0].element } : nil
      stack.pushTable(array: Int32(clamping: items.count))
      if items.isEmpty, kind == .any {
        JSONMarks.pushArrayMark(onto: stack)
        stack.setMetatable(of: -2)
      }
      for (position, item) in items.enumerated() {
        guard pace.goesOn() else { return }
        push(item, as: element, program, binding, onto: stack, &pace)
        stack.rawSet(-2, at: Int64(position + 1))
      }
    case .record(let fields):
      stack.pushTable(fields: Int32(clamping: fields.count))
      push(fields: fields, as: node, program, binding, onto: stack, &pace)
    }
  }

  /// Pushes a value for the first member of a union that takes it, else for the first.
  private static func push(
    _ value: ChainValue, inside shape: SchemaNode, _ program: SchemaProgram, _ binding: SchemaBinding, onto stack: LuaStack,
    _ pace: inout Pace
  ) {
    guard shape.kind == .union else { return push(value, as: shape.element, program, binding, onto: stack, &pace) }
    let top = stack.top
    for position in shape.first..<(shape.first + shape.count) {
      let member = program.members[position]
      if member.tagValue >= 0, case .string(let tag)? = value[program.string(ofName: shape.tag)],
        tag != program.string(ofName: member.tagValue) { continue }
      push(value, as: member.node, program, binding, onto: stack, &pace)
      let fits = fits(member.node, program, stack, top + 1, &pace)
      stack.setTop(fits ? top + 1 : top)
      if fits { return }
    }
    push(value, as: nil, program, binding, onto: stack, &pace)
  }

  /// With the table on top.
  private static func push(
    fields: [ChainValue.Field], as node: Int32?, _ program: SchemaProgram, _ binding: SchemaBinding, onto stack: LuaStack,
    _ pace: inout Pace
  ) {
    let shape = node.map { program.nodes[$0] }
    var given: Set<Int32> = []
    for field in fields {
      var target: Int32?
      if let shape, shape.kind == .map { target = shape.element }
      if let shape, shape.kind == .record, let declared = program.find(field.name, in: shape, &pace) {
        target = program.fields[declared].node
        if field.value != .null { given.insert(declared) }
      }
      if field.value == .null, shape?.kind != .any { continue } // null equals absent
      guard pace.goesOn() else { return }
      push(field.value, as: target, program, binding, onto: stack, &pace)
      stack.rawSet(-2, field: field.name)
    }
    guard let shape, shape.kind == .record else { return }
    for index in shape.first..<(shape.first + shape.count) {
      let field = program.fields[index]
      guard field.absence == .filled, !given.contains(index) else { continue }
      push(program.defaults[Int(field.fill)], as: field.node, program, binding, onto: stack)
      stack.rawSet(-2, field: program.string(ofName: field.name))
    }
  }

  // MARK: Reading, after the check

  private static func value(of node: Int32?, _ program: SchemaProgram, _ stack: LuaStack, _ index: Int32, _ pace: inout Pace) -> ChainValue {
    let shape = node.map { program.nodes[$0] } ?? SchemaNode(kind: .any)
    switch shape.kind {
    case .optional: return stack.type(at: index) == .nil ? .null : value(of: shape.element, program, stack, index, &pace)
    case .union: return value(of: member(of: shape, program, stack, index, &pace), program, stack, index, &pace)
    default: break
    }
    switch stack.type(at: index) {
    case .boolean: return .boolean(stack.boolean(at: index))
    case .number:
      if stack.isInteger(at: index) { return .integer(stack.integer(at: index)) }
      let number = stack.number(at: index)
      return shape.kind == .integer ? Int64(exactly: number).map { .integer($0) } ?? .number(number) : .number(number)
    case .string:
      return shape.kind == .bytes ? .bytes(Array(stack.bytes(at: index))) : .string(stack.text(at: index) ?? "")
    case .userdata:
      if let tensor = stack.tensor(at: index) { return .tensor(tensor) }
      return stack.blob(at: index).map { .bytes($0.array) } ?? .null
    case .table:
      _ = ConstantTable.unveil(stack, at: index)
      return table(shape, program, stack, index, &pace)
    default: return .null
    }
  }

  private static func member(
    of shape: SchemaNode, _ program: SchemaProgram, _ stack: LuaStack, _ index: Int32, _ pace: inout Pace
  ) -> Int32? {
    (shape.first..<(shape.first + shape.count)).lazy.map { program.members[$0].node }
      .first { fits($0, program, stack, index, &pace) }
  }

  /// Whether a value that is small enough as a whole fits a node inside of it.
  private static func fits(
    _ node: Int32, _ program: SchemaProgram, _ stack: LuaStack, _ index: Int32, _ pace: inout Pace
  ) -> Bool {
    let top = stack.top
    defer { stack.setTop(top) }
    var check = Explanation(stack: stack, program: program, limits: CrossingLimits(bytes: .max, nodes: .max), pace: pace)
    defer { pace = check.pace }
    return check.complaint(about: node, at: index) == nil
  }

  private static func table(_ shape: SchemaNode, _ program: SchemaProgram, _ stack: LuaStack, _ index: Int32, _ pace: inout Pace) -> ChainValue {
    let top = stack.top
    defer { stack.setTop(top) }
    let isList: Bool
    switch shape.kind {
    case .list: isList = true
    case .record, .map: isList = false
    default:
      let isMarked = stack.pushMetatable(of: index) // only json.array's: others were refused or have no say
      stack.pushNil()
      isList = stack.next(index) ? stack.type(at: stack.top - 1) == .number : isMarked
      stack.setTop(top)
    }
    if isList {
      let element = shape.kind == .list ? shape.element : nil
      return .list((0..<TableShape.count(stack, at: index, atMost: .max - 1)).map { position in
        stack.rawGet(index, at: Int64(position + 1))
        defer { stack.setTop(top) }
        return pace.goesOn() ? value(of: element, program, stack, top + 1, &pace) : .null
      })
    }
    return .record(fields(shape, program, stack, index, &pace))
  }

  private static func fields(
    _ shape: SchemaNode, _ program: SchemaProgram, _ stack: LuaStack, _ index: Int32, _ pace: inout Pace
  ) -> [ChainValue.Field] {
    let top = stack.top
    var result: [ChainValue.Field] = []
    if shape.kind == .record {
      for position in shape.first..<(shape.first + shape.count) {
        let field = program.fields[position]
        let name = program.string(ofName: field.name)
        stack.rawGet(index, field: name)
        defer { stack.setTop(top) }
        if stack.type(at: -1) == .nil || (field.absence != .refused && JSONMarks.isNull(stack, at: -1)) {
          if field.absence == .filled { result.append(.init(name, program.defaults[Int(field.fill)])) }
          continue
        }
        guard pace.goesOn() else { break }
        result.append(.init(name, value(of: field.node, program, stack, top + 1, &pace)))
      }
      return result
    }
    let element = shape.kind == .map ? shape.element : nil
    stack.pushNil()
    while stack.next(index) {
      guard pace.goesOn() else { break }
      if element == nil || !JSONMarks.isNull(stack, at: top + 2) {
        result.append(.init(stack.text(at: top + 1) ?? "", value(of: element, program, stack, top + 2, &pace)))
      }
      stack.setTop(top + 1)
    }
    return result.sorted { $0.name < $1.name }
  }
}
