import CLuaGuard
import LuaBridge

/// Checks a value of one Lua stack against a program and copies it onto another, in one pass.
///
/// Inside a host section of both states, on the thread that owns them, with `program.stackDepth` slots free on each.
/// Source tables are read raw: no metatable runs. Both stacks may belong to the same state, and be the same stack. When
/// the value does not fit, `crossing` is false and has left things on both stacks: the caller restores their tops and
/// asks `TypeMismatch.explain` for the sentence.
package struct LuaToLua {
  /// Moves the stream of an input record: called with the source and the index of its handle, and the destination, where
  /// it pushes exactly one value; false when that is no stream.
  package typealias StreamHook = (_ from: LuaStack, _ index: Int32, _ to: LuaStack) -> Bool

  // Whoever starts a crossing holds the program and the bindings until it ends: nothing is counted on this path.
  unowned(unsafe) let program: SchemaProgram
  let nodes: UnsafeMutablePointer<SchemaNode>
  let fields: UnsafeMutablePointer<SchemaField>
  let from: LuaStack
  let to: LuaStack
  unowned(unsafe) let source: SchemaBinding
  let sourceNames: UnsafeMutablePointer<SchemaBinding.BoundName>
  let order: UnsafeMutablePointer<Int32>
  let targetNames: UnsafeMutablePointer<SchemaBinding.BoundName>
  unowned(unsafe) let target: SchemaBinding
  let stream: StreamHook?
  var depth: Int
  var bytes: Int
  var values: Int
  var pace: Pace

  @inline(__always) init(
    _ program: SchemaProgram, from: LuaStack, binding source: SchemaBinding, to: LuaStack, binding target: SchemaBinding,
    limits: CrossingLimits, stream: StreamHook?, pause: Pace.Pause?
  ) {
    self.program = program
    nodes = program.nodes.start
    fields = program.fields.start
    self.from = from
    self.to = to
    self.source = source
    sourceNames = source.names
    order = source.tableOrder
    targetNames = target.names
    self.target = target
    self.stream = stream
    depth = limits.depth
    bytes = limits.bytes
    values = limits.nodes
    pace = Pace(limits, pause)
  }

  /// Copies the value at `index` of `from` as one value onto `to`. With `pause`, in the midst of which nothing may change
  /// the value, and both bindings must be its own.
  package static func crossing(
    _ program: SchemaProgram, from: LuaStack, at index: Int32, binding source: SchemaBinding,
    to: LuaStack, binding destination: SchemaBinding, limits: CrossingLimits, stream: StreamHook? = nil, pause: Pace.Pause? = nil
  ) -> Bool {
    var crossing = LuaToLua(
      program, from: from, binding: source, to: to, binding: destination, limits: limits, stream: stream, pause: pause)
    return crossing.whole(index)
  }

  /// As `crossing`; nil when the value is larger than the limits, or takes more work.
  @inline(__always) static func attempt(
    _ program: SchemaProgram, from: LuaStack, at index: Int32, binding source: SchemaBinding,
    to: LuaStack, binding destination: SchemaBinding, limits: CrossingLimits, stream: StreamHook? = nil
  ) -> Bool? {
    var crossing = LuaToLua(
      program, from: from, binding: source, to: to, binding: destination, limits: limits, stream: stream, pause: nil)
    if crossing.whole(index) { return true }
    return crossing.bytes < 0 || crossing.values < 0 || crossing.pace.isSpent ? nil : false
  }

  @inline(__always) private mutating func whole(_ index: Int32) -> Bool {
    let root = program.nodes.start
    let index = from.absolute(index)
    source.forgetSizes()
    if root.pointee.kind == .record, root.pointee.count == 0, from.type(at: index) == .nil { // `input = {}` takes nothing
      to.pushTable()
      return true
    }
    if from.type(at: index) == .nil {
      guard root.pointee.kind == .optional || root.pointee.kind == .any else { return false }
      to.pushNil()
      return true
    }
    return copy(root, index) && bytes >= 0 && values >= 0 && !pace.isSpent
  }

  // MARK: Any node

  mutating func copy(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32) -> Bool {
    switch node.pointee.kind {
    case .string: return copyString(node, index)
    case .integer: return copyInteger(node, index)
    case .number: return copyNumber(node, index)
    case .boolean:
      guard from.type(at: index) == .boolean else { return false }
      to.push(boolean: from.boolean(at: index))
      return true
    case .record: return copyRecord(node, index)
    case .list: return copyList(node, index)
    case .map: return copyMap(node, index)
    case .bytes: return copyBytes(node, index)
    case .blob: return copyBlob(node, index)
    case .any: return copyAny(index)
    case .enumeration: return copyValue(node, index)
    case .union: return copyUnion(node, index)
    case .optional:
      if from.type(at: index) == .nil || JSONMarks.isNull(from, at: index) {
        to.pushNil()
        return true
      }
      return copy(nodes + Int(node.pointee.element), index)
    case .stream: return stream?(from, index, to) ?? false
    case .tensor: return copyTensor(node, index)
    }
  }

  // MARK: Scalars

  @inline(__always) mutating func copyString(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32) -> Bool {
    guard from.type(at: index) == .string else { return false }
    let text = from.bytes(at: index)
    bytes &-= text.count
    guard bytes >= 0, UTF8Check.isValid(text) else { return false }
    if node.pointee.limited, !ValueBounds.admits(text, node, program, &pace) { return false }
    guard pace.goesOn(afterBytes: text.count) else { return false }
    to.push(bytes: text)
    return true
  }

  @inline(__always) func copyInteger(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32) -> Bool {
    var value: Int64 = 0
    if from.isInteger(at: index) {
      value = from.integer(at: index)
    } else {
      guard from.type(at: index) == .number, let exact = Int64(exactly: from.number(at: index)) else { return false }
      value = exact
    }
    if node.pointee.limited, value < node.pointee.least || value > node.pointee.most { return false }
    to.push(integer: value)
    return true
  }

  @inline(__always) func copyNumber(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32) -> Bool {
    guard from.type(at: index) == .number else { return false }
    if from.isInteger(at: index) {
      let value = from.integer(at: index)
      if node.pointee.limited, value < node.pointee.least || value > node.pointee.most { return false }
      to.push(integer: value)
    } else {
      let value = from.number(at: index)
      guard ValueBounds.admits(value, node) else { return false }
      to.push(number: value)
    }
    return true
  }

  mutating func copyBytes(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32) -> Bool {
    guard from.type(at: index) == .string else { return false }
    let text = from.bytes(at: index)
    bytes &-= text.count
    guard bytes >= 0, !node.pointee.limited || ValueBounds.admits(count: text.count, node) else { return false }
    guard pace.goesOn(afterBytes: text.count) else { return false }
    to.push(bytes: text)
    return true
  }

  func copyBlob(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32) -> Bool {
    guard let blob = from.blob(at: index), !node.pointee.limited || ValueBounds.admits(count: blob.count, node) else { return false }
    to.push(blob)
    return true
  }

  func copyTensor(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32) -> Bool {
    guard let tensor = from.tensor(at: index), TensorFit.admits(tensor, node.pointee, program, source.sizes) else { return false }
    to.push(tensor)
    return true
  }

  mutating func copyValue(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32) -> Bool {
    guard let name = source.value(at: index, from, node, &pace) else { return false }
    to.push(kept: targetNames[Int(name)].reference)
    return true
  }

  // MARK: Unions

  /// The first member that fits; a record whose tag differs is passed over.
  mutating func copyUnion(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32) -> Bool {
    let fromTop = from.top, toTop = to.top
    let before = (depth, bytes, values), sizes = source.savedSizes()
    var tag: UnsafeRawPointer?
    let tagged = node.pointee.tag >= 0 && from.type(at: index) == .table
    if tagged {
      _ = ConstantTable.unveil(from, at: index)
      from.push(kept: sourceNames[Int(node.pointee.tag)].reference)
      from.rawGet(index)
      tag = from.identity(at: -1)
      from.pop()
    }
    for position in 0..<node.pointee.count {
      let member = program.members[node.pointee.first &+ position]
      if tagged, member.tagValue >= 0, let wanted = sourceNames[Int(member.tagValue)].identity, wanted != tag { continue }
      if copy(nodes + Int(member.node), index) { return true }
      guard bytes >= 0, values >= 0 else { return false } // too large for any of them
      from.setTop(fromTop)
      to.setTop(toTop)
      (depth, bytes, values) = before
      source.restore(sizes: sizes)
    }
    return false
  }
}
