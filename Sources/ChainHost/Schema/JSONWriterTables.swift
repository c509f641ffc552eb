import LuaBridge

extension JSONWriter {
  /// Brackets hold entries that each end with a comma; the last comma becomes the bracket.
  @inline(__always) private func close(_ bracket: UInt8, _ isEmpty: Bool, _ buffer: inout ByteBuffer) {
    if !isEmpty { buffer.truncate(to: buffer.count &- 1) }
    buffer.append(bracket)
  }

  @inline(__always) private mutating func enter(_ count: Int) -> Bool {
    depth &-= 1
    values &-= count &+ 1
    return depth >= 0 && values >= 0
  }

  /// One walk puts the values into slots in the order of the names; keys are found by address, as in `LuaToLua`.
  mutating func record(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32, _ buffer: inout ByteBuffer) -> Bool {
    let count = node.pointee.count
    guard stack.type(at: index) == .table, enter(Int(count)) else { return false }
    let fields = program.fields.start + Int(node.pointee.first), order = binding.tableOrder + Int(node.pointee.first)
    let base = stack.top, keys = base &+ count &+ 1
    stack.setTop(base &+ count)
    var seen: Int32 = 0
    stack.pushNil()
    while stack.next(index) {
      guard seen < count else { return false }
      var field = order[Int(seen)]
      let identity = stack.identity(at: keys)
      if identity == nil || names[Int(fields[Int(field)].name)].identity != identity {
        guard let position = binding.position(ofKeyAt: keys, stack, node, after: seen, &pace) else { return false }
        field = order[Int(position)]
        order[Int(position)] = order[Int(seen)]
        order[Int(seen)] = field
      }
      stack.replace(at: base &+ 1 &+ field)
      seen &+= 1
    }
    if seen == 0, ConstantTable.unveil(stack, at: index) {
      stack.setTop(base)
      depth &+= 1
      values &+= Int(count) &+ 1
      return record(node, index, &buffer)
    }
    buffer.append(0x7B)
    let first = buffer.count
    var slot = base
    for position in 0..<Int(count) {
      slot &+= 1
      let field = fields[position]
      if field.absence != .refused || seen < count, stack.type(at: slot) == .nil || JSONMarks.isNull(stack, at: slot) {
        guard absent(field, &buffer) else { return false }
        continue
      }
      let name = program.names[field.name]
      buffer.append(padded: program.text.start + Int(name.jsonOffset), Int(name.jsonLength))
      guard value(nodes + Int(field.node), slot, &buffer), pace.goesOn() else { return false }
      buffer.append(0x2C)
    }
    close(0x7D, buffer.count == first, &buffer)
    stack.setTop(base)
    depth &+= 1
    return true
  }

  private mutating func absent(_ field: SchemaField, _ buffer: inout ByteBuffer) -> Bool {
    guard field.absence == .filled else { return field.absence == .allowed }
    let name = program.names[field.name]
    buffer.append(padded: program.text.start + Int(name.jsonOffset), Int(name.jsonLength))
    ValueCoder.push(program.defaults[Int(field.fill)], as: field.node, program, binding, onto: stack)
    guard value(nodes + Int(field.node), stack.top, &buffer) else { return false }
    stack.pop()
    buffer.append(0x2C)
    return true
  }

  @inline(__always) mutating func list(
    _ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32, _ buffer: inout ByteBuffer
  ) -> Bool {
    guard stack.type(at: index) == .table else { return false }
    let length = stack.rawLength(at: index)
    if length == 0, ConstantTable.unveil(stack, at: index) { return list(node, index, &buffer) }
    if node.pointee.limited, !ValueBounds.admits(count: length, node) { return false }
    guard enter(length) else { return false }
    let element = nodes + Int(node.pointee.element)
    let base = stack.top, start = buffer.count
    let before = (bytes, values)
    buffer.append(0x5B)
    var position: Int64 = 0
    stack.pushNil()
    while stack.next(index) {
      position &+= 1
      guard stack.isInteger(at: base &+ 1), stack.integer(at: base &+ 1) == position else {
        stack.setTop(base)
        buffer.truncate(to: start)
        (bytes, values) = before
        return scattered(element, index, length, &buffer)
      }
      guard value(element, base &+ 2, &buffer), pace.goesOn() else { return false }
      buffer.append(0x2C)
      stack.setTop(base &+ 1)
    }
    guard position == Int64(length) else { return false }
    close(0x5D, position == 0, &buffer)
    depth &+= 1
    return true
  }

  /// A list whose positions are not in order inside.
  private mutating func scattered(
    _ element: UnsafeMutablePointer<SchemaNode>?, _ index: Int32, _ length: Int, _ buffer: inout ByteBuffer
  ) -> Bool {
    guard TableShape.isList(stack, at: index, length: length) else { return false }
    let base = stack.top
    buffer.append(0x5B)
    for position in 0..<length {
      stack.rawGet(index, at: Int64(position &+ 1))
      guard element.map({ value($0, base &+ 1, &buffer) }) ?? anything(base &+ 1, &buffer), pace.goesOn() else { return false }
      buffer.append(0x2C)
      stack.setTop(base)
    }
    close(0x5D, length == 0, &buffer)
    depth &+= 1
    return true
  }

  mutating func map(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32, _ buffer: inout ByteBuffer) -> Bool {
    guard stack.type(at: index) == .table else { return false }
    guard let written = entries(nodes + Int(node.pointee.element), index, &buffer) else { return false }
    return !node.pointee.limited || ValueBounds.admits(count: written, node)
  }

  /// The entries of a table with names, sorted by name; how many there are. Under a map null equals absent.
  private mutating func entries(
    _ element: UnsafeMutablePointer<SchemaNode>?, _ index: Int32, _ buffer: inout ByteBuffer
  ) -> Int? {
    // They live in the table, which does not change meanwhile; where others have their turn in the midst of this, and
    // the collector may come to a table of weak values, a list keeps them.
    let outer = stack.top
    if pace.isPaused { stack.pushTable() }
    defer { stack.setTop(outer) }
    let base = stack.top
    var keys: [UnsafeRawBufferPointer] = []
    stack.pushNil()
    while stack.next(index) {
      guard stack.type(at: base &+ 1) == .string else { return nil }
      if element == nil || !JSONMarks.isNull(stack, at: base &+ 2) {
        let key = stack.bytes(at: base &+ 1)
        guard key.count <= CrossingLimits.longestKey else { return nil }
        keys.append(key)
        guard keys.count <= values else { break } // too many: seen below
        if base > outer {
          stack.push(copyOf: base &+ 1)
          stack.rawSet(base, at: Int64(keys.count))
        }
      }
      stack.pop()
    }
    stack.setTop(base)
    if keys.isEmpty, ConstantTable.unveil(stack, at: index) { return entries(element, index, &buffer) }
    guard enter(keys.count) else { return nil }
    var comparisons = 0 // a million, if there are many; some of them take as long as an entry
    keys.sort {
      comparisons &+= 1
      if comparisons & 15 == 0 { _ = pace.goesOn() }
      return $0.precedes($1)
    }
    buffer.append(0x7B)
    for key in keys {
      bytes &-= key.count
      guard bytes >= 0, JSONText.append(checked: key, to: &buffer, pace: &pace) else { return nil }
      buffer.append(0x3A)
      stack.push(bytes: key)
      stack.rawGet(index)
      guard element.map({ value($0, base &+ 1, &buffer) }) ?? anything(base &+ 1, &buffer), pace.goesOn() else { return nil }
      buffer.append(0x2C)
      stack.setTop(base)
    }
    close(0x7D, keys.isEmpty, &buffer)
    depth &+= 1
    return keys.count
  }

  mutating func anyTable(_ index: Int32, _ buffer: inout ByteBuffer) -> Bool {
    _ = ConstantTable.unveil(stack, at: index)
    let base = stack.top
    let isArray = JSONMarks.isArray(stack, at: index, mark: binding.arrayMark)
    stack.pushNil()
    let isEmpty = !stack.next(index)
    let isList = isEmpty ? isArray : stack.isInteger(at: base &+ 1)
    stack.setTop(base)
    if isArray, !isList { return false }
    guard isList else { return entries(nil, index, &buffer) != nil }
    let length = TableShape.count(stack, at: index, atMost: values)
    return enter(length) && scattered(nil, index, length, &buffer)
  }
}
