import LuaBridge

/// Tables of declared types. Destination tables are found by absolute index, never from the top, so that both stacks may
/// be one and the same.
extension LuaToLua {
  /// One walk over the source. `order` remembers the order in which the fields came last time: a table built by the same
  /// code has them in the same order again, and each key is found by one comparison of addresses.
  @inline(__always) mutating func copyRecord(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32) -> Bool {
    guard from.type(at: index) == .table, depth > 0 else { return false }
    let count = node.pointee.count
    let fields = self.fields + Int(node.pointee.first), order = self.order + Int(node.pointee.first)
    depth &-= 1
    values &-= Int(count) &+ 1
    guard values >= 0 else { return false }
    to.pushTable(fields: count)
    let table = to.top, base = from.top
    var seen: Int32 = 0
    from.pushNil()
    while from.next(index) {
      guard seen < count else { return false } // a key too many: an unknown one
      var field = fields + Int(order[Int(seen)])
      let identity = from.identity(at: base &+ 1)
      if identity == nil || sourceNames[Int(field.pointee.name)].identity != identity {
        guard let position = source.position(ofKeyAt: base &+ 1, from, node, after: seen, &pace) else { return false }
        let other = order[Int(position)]
        order[Int(position)] = order[Int(seen)]
        order[Int(seen)] = other
        field = fields + Int(other)
      }
      if field.pointee.absence != .refused, JSONMarks.isNull(from, at: base &+ 2) { // null equals absent
        from.setTop(base &+ 1)
        guard fill(field.pointee, table) else { return false }
        seen &+= 1
        continue
      }
      to.push(kept: targetNames[Int(field.pointee.name)].reference)
      guard copy(nodes + Int(field.pointee.node), base &+ 2) else { return false }
      to.rawSet(table)
      from.setTop(base &+ 1)
      seen &+= 1
    }
    if seen == 0, ConstantTable.unveil(from, at: index) {
      to.setTop(table &- 1)
      depth &+= 1
      values &+= Int(count) &+ 1
      return copy(node, index)
    }
    while seen < count {
      guard fill(fields[Int(order[Int(seen)])], table) else { return false }
      seen &+= 1
    }
    depth &+= 1
    return pace.goesOn(afterEntries: Int(count))
  }

  /// What an absent field becomes in the destination; false when it must not be absent.
  private mutating func fill(_ field: SchemaField, _ table: Int32) -> Bool {
    switch field.absence {
    case .refused: return false
    case .allowed: return true
    case .filled:
      to.push(kept: targetNames[Int(field.name)].reference)
      ValueCoder.push(program.defaults[Int(field.fill)], as: field.node, program, target, onto: to)
      to.rawSet(table)
      return true
    }
  }

  /// Positions 1 to n and nothing else. A list built in order comes out of `next` in order.
  @inline(__always) mutating func copyList(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32) -> Bool {
    guard from.type(at: index) == .table, depth > 0 else { return false }
    let length = from.rawLength(at: index)
    if length == 0, ConstantTable.unveil(from, at: index) { return copy(node, index) }
    if node.pointee.limited, !ValueBounds.admits(count: length, node) { return false }
    depth &-= 1
    values &-= length &+ 1
    guard values >= 0 else { return false }
    to.pushTable(array: Int32(truncatingIfNeeded: length))
    let table = to.top, base = from.top
    let before = (bytes, values)
    let element = nodes + Int(node.pointee.element)
    var position: Int64 = 0
    from.pushNil()
    while from.next(index) {
      position &+= 1
      guard from.isInteger(at: base &+ 1), from.integer(at: base &+ 1) == position else {
        from.setTop(base)
        (bytes, values) = before
        return copyScattered(element, index, length, table)
      }
      guard copy(element, base &+ 2), pace.goesOn() else { return false }
      to.rawSet(table, at: position)
      from.setTop(base &+ 1)
    }
    depth &+= 1
    return position == Int64(length)
  }

  /// A list whose positions are not in order inside: looked up one by one, once it is known that there is nothing else.
  mutating func copyScattered(_ element: UnsafeMutablePointer<SchemaNode>?, _ index: Int32, _ length: Int, _ table: Int32) -> Bool {
    guard TableShape.isList(from, at: index, length: length) else { return false }
    let base = from.top
    var position: Int64 = 0
    while position < Int64(length) {
      position &+= 1
      from.rawGet(index, at: position)
      guard element.map({ copy($0, base &+ 1) }) ?? copyAny(base &+ 1), pace.goesOn() else { return false }
      to.rawSet(table, at: position)
      from.setTop(base)
    }
    depth &+= 1
    return true
  }

  mutating func copyMap(_ node: UnsafeMutablePointer<SchemaNode>, _ index: Int32) -> Bool {
    guard from.type(at: index) == .table, depth > 0 else { return false }
    let size = TableShape.count(from, at: index, atMost: values)
    if size == 0, ConstantTable.unveil(from, at: index) { return copy(node, index) }
    depth &-= 1
    values &-= size &+ 1
    guard values >= 0 else { return false }
    to.pushTable(fields: Int32(truncatingIfNeeded: size))
    let table = to.top, base = from.top
    let element = nodes + Int(node.pointee.element)
    var copied = 0
    from.pushNil()
    while from.next(index) {
      if JSONMarks.isNull(from, at: base &+ 2) { // null equals absent
        guard from.type(at: base &+ 1) == .string else { return false }
      } else {
        guard copyKey(base &+ 1), copy(element, base &+ 2), pace.goesOn() else { return false }
        to.rawSet(table)
        copied &+= 1
      }
      from.setTop(base &+ 1)
    }
    depth &+= 1
    return !node.pointee.limited || ValueBounds.admits(count: copied, node)
  }

  @inline(__always) private mutating func copyKey(_ index: Int32) -> Bool { copyText(index, most: CrossingLimits.longestKey) }

  @inline(__always) private mutating func copyText(_ index: Int32, most: Int = .max) -> Bool {
    guard from.type(at: index) == .string else { return false }
    let text = from.bytes(at: index)
    bytes &-= text.count
    guard bytes >= 0, text.count <= most, UTF8Check.isValid(text), pace.goesOn(afterBytes: text.count) else { return false }
    to.push(bytes: text)
    return true
  }

  // MARK: t.any

  /// Plain data only: nil as null, booleans, numbers but NaN and infinities, text, blobs, tensors, lists and tables of names.
  mutating func copyAny(_ index: Int32) -> Bool {
    switch from.type(at: index) {
    case .string: return copyText(index)
    case .number:
      if from.isInteger(at: index) {
        to.push(integer: from.integer(at: index))
      } else {
        let value = from.number(at: index)
        guard value.isFinite else { return false }
        to.push(number: value)
      }
      return true
    case .boolean:
      to.push(boolean: from.boolean(at: index))
      return true
    case .lightUserdata:
      guard JSONMarks.isNull(from, at: index) else { return false }
      JSONMarks.pushNull(onto: to)
      return true
    case .userdata:
      if let blob = from.blob(at: index) {
        to.push(blob)
      } else {
        guard let tensor = from.tensor(at: index) else { return false }
        to.push(tensor)
      }
      return true
    case .table: return copyAnyTable(index)
    default: return false
    }
  }

  private mutating func copyAnyTable(_ index: Int32) -> Bool {
    guard depth > 0 else { return false }
    let size = TableShape.count(from, at: index, atMost: values)
    if size == 0, ConstantTable.unveil(from, at: index) { return copyAny(index) }
    depth &-= 1
    values &-= size &+ 1
    guard values >= 0 else { return false }
    let base = from.top
    let isArray = JSONMarks.isArray(from, at: index, mark: source.arrayMark)
    from.pushNil()
    let isEmpty = !from.next(index)
    let isList = isEmpty ? isArray : from.isInteger(at: base &+ 1)
    from.setTop(base)
    if isArray, !isList { return false }
    to.pushTable(array: isList ? Int32(truncatingIfNeeded: size) : 0, fields: isList ? 0 : Int32(truncatingIfNeeded: size))
    let table = to.top
    if isArray {
      JSONMarks.pushArrayMark(onto: to)
      to.setMetatable(of: table)
    }
    if isList { return copyScattered(nil, index, size, table) }
    let start = from.top
    from.pushNil()
    while from.next(index) {
      guard copyKey(start &+ 1), copyAny(start &+ 2), pace.goesOn() else { return false }
      to.rawSet(table)
      from.setTop(start &+ 1)
    }
    depth &+= 1
    return true
  }
}
