import CLuaGuard
import LuaBridge

extension JSONReader {
  @inline(__always) private mutating func enter(_ count: Int) -> Bool {
    guard depth > 0 else { return !quiet && fail(.tooDeep(limits.depth)) }
    depth &-= 1
    values &-= count
    return values >= 0 || tooManyValues()
  }

  /// After a value: true and past the comma when another follows, false and past the bracket at the end.
  @inline(__always) private mutating func goesOn(_ close: UInt8, _ wrong: inout Bool) -> Bool {
    skipSpace()
    if at.pointee == 0x2C {
      at += 1
      skipSpace()
      if pace.goesOn() { return true }
      wrong = true
      return fail(.unwanted)
    }
    if at.pointee == close {
      at += 1
      return false
    }
    wrong = true
    return false
  }

  @inline(never) private mutating func noEnd(_ close: UInt8) -> Bool {
    syntax(close == 0x7D ? "expected ',' or '}'" : "expected ',' or ']'")
  }

  // MARK: Records

  /// `textOrder` remembers the order in which the fields came last time: the next text of the same origin has the same,
  /// so each key is found by one comparison.
  mutating func record(_ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    guard at.pointee == 0x7B else { return mismatch(node) }
    let count = node.pointee.count
    guard enter(Int(count) &+ 1) else { return false }
    at += 1
    let fields = program.fields.start + Int(node.pointee.first)
    stack.pushTable(fields: count)
    let table = stack.top
    var seen: Int32 = 0
    skipSpace()
    var wrong = false
    if at.pointee == 0x7D { at += 1 } else {
      repeat {
        guard let field = key(node, seen) else { return false }
        seen &+= 1
        if at.pointee == 0x6E, isNull(), fields[Int(field)].absence != .refused { // null equals absent
          at += 4
          guard fill(fields[Int(field)], table) else { return false }
          continue
        }
        let name = fields[Int(field)].name
        stack.push(kept: binding.names[Int(name)].reference)
        guard value(nodes + Int(fields[Int(field)].node)) else { return inField(name) }
        stack.rawSet(table)
      } while goesOn(0x7D, &wrong)
      if wrong { return noEnd(0x7D) }
    }
    if seen < count { guard fillRest(node, seen, table) else { return false } }
    depth &+= 1
    return true
  }

  @inline(never) private mutating func fillRest(_ node: UnsafeMutablePointer<SchemaNode>, _ seen: Int32, _ table: Int32) -> Bool {
    let fields = program.fields.start + Int(node.pointee.first), order = binding.textOrder + Int(node.pointee.first)
    // In declared order, so that the message does not depend on the text before.
    for field in (seen..<node.pointee.count).map({ order[Int($0)] }).sorted() {
      guard fill(fields[Int(field)], table) else { return false }
    }
    return true
  }

  /// Reads a key and its colon: which field it names. It is then at `seen` in the order.
  @inline(__always) private mutating func key(_ node: UnsafeMutablePointer<SchemaNode>, _ seen: Int32) -> Int32? {
    if seen < node.pointee.count {
      let field = binding.textOrder[Int(node.pointee.first &+ seen)]
      let name = program.names[program.fields[node.pointee.first &+ field].name]
      if end - at >= Int(name.jsonLength), clg_same(at, program.text.start + Int(name.jsonOffset), Int(name.jsonLength)) != 0 {
        at += Int(name.jsonLength)
        skipSpace()
        return field
      }
    }
    return searchedKey(node, seen)
  }

  @inline(never) private mutating func searchedKey(_ node: UnsafeMutablePointer<SchemaNode>, _ seen: Int32) -> Int32? {
    guard let key = anyKey() else { return nil }
    let first = node.pointee.first
    let order = binding.textOrder + Int(first)
    let fields = program.fields.start + Int(first)
    if let position = program.find(key, in: seen..<node.pointee.count, &pace, name: { fields[Int(order[Int($0)])].name }) {
      let field = order[Int(position)]
      order[Int(position)] = order[Int(seen)]
      order[Int(seen)] = field
      guard colon() else { return nil }
      return field
    }
    if quiet { return nil }
    if program.find(key, in: 0..<seen, &pace, name: { fields[Int(order[Int($0)])].name }) != nil {
      path.append(.field(String(decoding: key, as: UTF8.self)))
      _ = fail(Complaint(expected: "each field once", got: "it again", text: "the field is given twice"))
      return nil
    }
    let name = String(decoding: key, as: UTF8.self)
    let names = (first..<(first + node.pointee.count)).map { program.string(ofName: program.fields[$0].name) }
    path.append(.field(name))
    _ = fail(.unknown(name, among: names))
    return nil
  }

  /// A key's text, past its closing quote.
  @inline(__always) private mutating func anyKey() -> UnsafeRawBufferPointer? {
    guard at.pointee == 0x22 else {
      _ = syntax("expected a field name between double quotes")
      return nil
    }
    return stringToken()
  }

  @inline(__always) private mutating func colon() -> Bool {
    skipSpace()
    guard at.pointee == 0x3A else { return syntax("expected ':' after the field name") }
    at += 1
    skipSpace()
    return true
  }

  /// What an absent field becomes; a stream comes from the hook.
  private mutating func fill(_ field: SchemaField, _ table: Int32) -> Bool {
    let isStream = nodes[Int(field.node)].kind == .stream && stream != nil
    guard field.absence == .filled || isStream else { return field.absence == .allowed || missing(field) }
    stack.push(kept: binding.names[Int(field.name)].reference)
    if isStream {
      guard stream?(stack) == true else { return missing(field) }
    } else {
      ValueCoder.push(program.defaults[Int(field.fill)], as: field.node, program, binding, onto: stack)
    }
    stack.rawSet(table)
    return true
  }

  private mutating func missing(_ field: SchemaField) -> Bool {
    if quiet { return false }
    path.append(.field(program.string(ofName: field.name)))
    return !quiet && fail(.missing(type(of: nodes + Int(field.node))))
  }

  // MARK: Lists and maps

  mutating func list(_ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    guard at.pointee == 0x5B else { return mismatch(node) }
    guard enter(1) else { return false }
    at += 1
    let element = nodes + Int(node.pointee.element)
    stack.pushTable()
    let table = stack.top
    var count: Int64 = 0
    skipSpace()
    var wrong = false
    if at.pointee == 0x5D { at += 1 } else {
      repeat {
        count &+= 1
        values &-= 1
        guard values >= 0 else { return tooManyValues() }
        guard value(element) else { return inPosition(count) }
        stack.rawSet(table, at: count)
      } while goesOn(0x5D, &wrong)
      if wrong { return noEnd(0x5D) }
    }
    depth &+= 1
    if node.pointee.limited, !ValueBounds.admits(count: Int(count), node) {
      return !quiet && fail(.count(Int(count), type(of: node), unit: "item"))
    }
    return true
  }

  mutating func map(_ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    guard at.pointee == 0x7B else { return mismatch(node) }
    let element = nodes + Int(node.pointee.element)
    guard object({ $0.value(element) }) else { return false }
    guard node.pointee.limited else { return true }
    let count = TableShape.count(stack, at: stack.top, atMost: limits.nodes)
    return ValueBounds.admits(count: count, node) || !quiet && fail(.count(count, type(of: node), unit: "entry"))
  }

  mutating func anyObject() -> Bool { object { $0.anything() } }

  /// An object with any names; of a name given twice the last counts.
  @inline(__always) private mutating func object(_ value: (inout JSONReader) -> Bool) -> Bool {
    guard enter(1) else { return false }
    at += 1
    stack.pushTable()
    let table = stack.top
    skipSpace()
    var wrong = false
    if at.pointee == 0x7D { at += 1 } else {
      repeat {
        let token = at
        guard let key = anyKey() else { return false }
        guard key.count <= CrossingLimits.longestKey else { return longKey(key.count) }
        bytes &-= key.count
        values &-= 1
        guard bytes >= 0 else { return tooManyBytes() }
        guard values >= 0 else { return tooManyValues() }
        stack.push(bytes: key)
        guard colon() else { return false }
        if at.pointee == 0x6E, isNull() { // null equals absent
          at += 4
          stack.pushNil()
        } else {
          guard value(&self) else { return inKey(token) }
        }
        stack.rawSet(table)
      } while goesOn(0x7D, &wrong)
      if wrong { return noEnd(0x7D) }
    }
    depth &+= 1
    return true
  }

  mutating func anyList() -> Bool {
    guard enter(1) else { return false }
    at += 1
    stack.pushTable()
    let table = stack.top
    var count: Int64 = 0
    skipSpace()
    var wrong = false
    if at.pointee == 0x5D {
      at += 1
      JSONMarks.pushArrayMark(onto: stack) // an empty table would be an object
      stack.setMetatable(of: table)
    } else {
      repeat {
        count &+= 1
        values &-= 1
        guard values >= 0 else { return tooManyValues() }
        guard anything() else { return inPosition(count) }
        stack.rawSet(table, at: count)
      } while goesOn(0x5D, &wrong)
      if wrong { return noEnd(0x5D) }
    }
    depth &+= 1
    return true
  }
}
