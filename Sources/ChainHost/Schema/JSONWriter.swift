import CLuaGuard
import ChainTensors
import LuaBridge

/// Writes a Lua value as JSON text, checked against a program, in one walk.
///
/// In a host section of the stack's state, on its thread; tables are read raw and the stack is left as it was. Fields are
/// written in the order of their names, so the same value always gives the same text; absent fields are left out.
package struct JSONWriter {
  let program: SchemaProgram
  let nodes: UnsafeMutablePointer<SchemaNode>
  let binding: SchemaBinding
  let names: UnsafeMutablePointer<SchemaBinding.BoundName>
  let stack: LuaStack
  var depth: Int
  var bytes: Int
  var values: Int
  var pace: Pace

  /// Appends the value at `index` to `buffer`. With `pause`, in the midst of which nothing may change the value, and the
  /// binding must be its own.
  /// - Throws: why it does not fit; the buffer is then as it was.
  package static func write(
    _ program: SchemaProgram, from stack: LuaStack, at index: Int32, binding: SchemaBinding, into buffer: inout ByteBuffer,
    limits: CrossingLimits, root: String, pause: Pace.Pause? = nil
  ) throws(TypeMismatch) {
    let top = stack.top, count = buffer.count
    let index = stack.absolute(index)
    guard stack.ensure(program.stackDepth) else { throw TypeMismatch(root: root, path: [], .tooDeep(limits.depth), limits) }
    var writer = JSONWriter(
      program: program, nodes: program.nodes.start, binding: binding, names: binding.names, stack: stack,
      depth: limits.depth, bytes: limits.bytes, values: limits.nodes, pace: Pace(limits, pause))
    binding.forgetSizes()
    let written = writer.whole(index, &buffer)
    stack.setTop(top)
    if written, writer.bytes >= 0, writer.values >= 0, !writer.pace.isSpent { return }
    buffer.truncate(to: count)
    guard !writer.pace.isSpent else { throw TypeMismatch(root: root, path: [], .tooMuchWork, limits) }
    if writer.bytes < 0 { throw TypeMismatch(root: root, path: [], .tooManyBytes(limits.bytes), limits) }
    throw TypeMismatch.explain(program, from: stack, at: index, root: root, limits: limits, pause: pause)
  }

  private mutating func whole(_ index: Int32, _ buffer: inout ByteBuffer) -> Bool {
    guard stack.type(at: index) == .nil else { return value(nodes, index, &buffer) }
    switch nodes.pointee.kind {
    case .any, .optional: buffer.append("null")
    case .record where nodes.pointee.count == 0: buffer.append("{}")
    default: return false
    }
    return true
  }

  // MARK: Any node

  mutating func value(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32, _ buffer: inout ByteBuffer) -> Bool {
    switch node.pointee.kind {
    case .string: return string(node, index, &buffer)
    case .integer: return integer(node, index, &buffer)
    case .number: return number(node, index, &buffer)
    case .boolean:
      guard stack.type(at: index) == .boolean else { return false }
      buffer.append(stack.boolean(at: index) ? "true" : "false")
      return true
    case .record: return record(node, index, &buffer)
    case .list: return list(node, index, &buffer)
    case .map: return map(node, index, &buffer)
    case .any: return anything(index, &buffer)
    case .bytes: return base64(node, index, &buffer)
    case .blob: return blob(node, index, &buffer)
    case .enumeration: return enumeration(node, index, &buffer)
    case .union: return union(node, index, &buffer)
    case .optional:
      if stack.type(at: index) == .nil || JSONMarks.isNull(stack, at: index) {
        buffer.append("null")
        return true
      }
      return value(nodes + Int(node.pointee.element), index, &buffer)
    case .tensor: return tensor(node, index, &buffer)
    case .stream: return false
    }
  }

  // MARK: Scalars

  @inline(__always) private mutating func string(
    _ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32, _ buffer: inout ByteBuffer
  ) -> Bool {
    guard stack.type(at: index) == .string else { return false }
    let text = stack.bytes(at: index)
    bytes &-= text.count
    guard bytes >= 0, JSONText.append(checked: text, to: &buffer, pace: &pace) else { return false }
    return !node.pointee.limited || ValueBounds.admits(text, node, program, &pace)
  }

  @inline(__always) private func integer(
    _ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32, _ buffer: inout ByteBuffer
  ) -> Bool {
    var value: Int64 = 0
    if stack.isInteger(at: index) {
      value = stack.integer(at: index)
    } else {
      guard stack.type(at: index) == .number, let exact = Int64(exactly: stack.number(at: index)) else { return false }
      value = exact
    }
    if node.pointee.limited, value < node.pointee.least || value > node.pointee.most { return false }
    JSONText.append(integer: value, to: &buffer)
    return true
  }

  @inline(__always) private func number(
    _ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32, _ buffer: inout ByteBuffer
  ) -> Bool {
    guard stack.type(at: index) == .number else { return false }
    if stack.isInteger(at: index) {
      let value = stack.integer(at: index)
      if node.pointee.limited, value < node.pointee.least || value > node.pointee.most { return false }
      JSONText.append(integer: value, to: &buffer)
    } else {
      let value = stack.number(at: index)
      guard ValueBounds.admits(value, node) else { return false }
      JSONText.append(number: value, to: &buffer)
    }
    return true
  }

  private mutating func base64(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32, _ buffer: inout ByteBuffer) -> Bool {
    guard stack.type(at: index) == .string else { return false }
    let data = stack.bytes(at: index)
    bytes &-= data.count
    guard bytes >= 0, !node.pointee.limited || ValueBounds.admits(count: data.count, node) else { return false }
    return append(base64: data, &buffer)
  }

  private mutating func blob(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32, _ buffer: inout ByteBuffer) -> Bool {
    guard let blob = stack.blob(at: index), !node.pointee.limited || ValueBounds.admits(count: blob.count, node) else { return false }
    return append(blob, &buffer)
  }

  private mutating func tensor(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32, _ buffer: inout ByteBuffer) -> Bool {
    guard let tensor = stack.tensor(at: index), TensorFit.admits(tensor, node.pointee, program, binding.sizes) else { return false }
    return append(tensor, &buffer)
  }

  private mutating func append(_ tensor: Tensor, _ buffer: inout ByteBuffer) -> Bool {
    bytes &-= tensor.byteCount
    return bytes >= 0 && (try? TensorJSON.append(tensor, to: &buffer, pace: &pace)) == true
  }

  private mutating func append(_ blob: Blob, _ buffer: inout ByteBuffer) -> Bool {
    bytes &-= blob.count
    return bytes >= 0 && blob.withBytes { append(base64: $0, &buffer) }
  }

  private mutating func append(base64 data: UnsafeRawBufferPointer, _ buffer: inout ByteBuffer) -> Bool {
    buffer.append(0x22)
    guard Base64.append(data, to: &buffer, pace: &pace) else { return false }
    buffer.append(0x22)
    return true
  }

  private mutating func enumeration(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32, _ buffer: inout ByteBuffer) -> Bool {
    guard let value = binding.value(at: index, stack, node, &pace) else { return false }
    let name = program.names[value]
    buffer.append(padded: program.text.start + Int(name.jsonOffset), Int(name.jsonLength) - 1) // without the colon
    return true
  }

  private mutating func union(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32, _ buffer: inout ByteBuffer) -> Bool {
    let top = stack.top, count = buffer.count
    let before = (depth, bytes, values), sizes = binding.savedSizes()
    for position in node.pointee.first..<(node.pointee.first &+ node.pointee.count) {
      let member = nodes + Int(program.members[position].node)
      guard UnionChoice.takes(stack.type(at: index), member.pointee.kind) else { continue }
      if value(member, index, &buffer) { return true }
      guard bytes >= 0, values >= 0 else { return false } // too large for any of them
      stack.setTop(top)
      buffer.truncate(to: count)
      (depth, bytes, values) = before
      binding.restore(sizes: sizes)
    }
    return false
  }

  // MARK: t.any

  mutating func anything(_ index: Int32, _ buffer: inout ByteBuffer) -> Bool {
    switch stack.type(at: index) {
    case .string:
      let text = stack.bytes(at: index)
      bytes &-= text.count
      return bytes >= 0 && JSONText.append(checked: text, to: &buffer, pace: &pace)
    case .number:
      if stack.isInteger(at: index) {
        JSONText.append(integer: stack.integer(at: index), to: &buffer)
        return true
      }
      guard stack.number(at: index).isFinite else { return false }
      JSONText.append(number: stack.number(at: index), to: &buffer)
      return true
    case .boolean:
      buffer.append(stack.boolean(at: index) ? "true" : "false")
      return true
    case .lightUserdata:
      buffer.append("null")
      return JSONMarks.isNull(stack, at: index)
    case .userdata:
      if let tensor = stack.tensor(at: index) { return append(tensor, &buffer) }
      guard let blob = stack.blob(at: index) else { return false }
      return append(blob, &buffer)
    case .table: return anyTable(index, &buffer)
    default: return false
    }
  }
}
