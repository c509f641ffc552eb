import LuaBridge

extension JSONReader {
  private struct Mark {
    var at: UnsafePointer<UInt8>
    var top: Int32
    var depth: Int
    var bytes: Int
    var values: Int
    var sizes: [Int]
  }

  private func mark() -> Mark { Mark(at: at, top: stack.top, depth: depth, bytes: bytes, values: values, sizes: binding.savedSizes()) }

  private mutating func back(to mark: Mark) {
    at = mark.at
    stack.setTop(mark.top)
    (depth, bytes, values) = (mark.depth, mark.bytes, mark.values)
    binding.restore(sizes: mark.sizes)
  }

  /// The first member that fits. Members are tried without making messages; when none fits, the one that the value is
  /// meant for is read again for its message.
  mutating func union(_ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    let start = mark()
    let wasQuiet = quiet
    let isObject = at.pointee == 0x7B
    let tag = isObject && node.pointee.tag >= 0 ? tagValue(program.bytes(ofName: node.pointee.tag)) : nil
    quiet = true
    for position in node.pointee.first..<(node.pointee.first &+ node.pointee.count) {
      let member = program.members[position]
      guard takes(nodes + Int(member.node)) else { continue }
      if let tag, member.tagValue >= 0, !program.bytes(ofName: member.tagValue).elementsEqual(tag) { continue }
      if value(nodes + Int(member.node)) {
        quiet = wasQuiet
        return true
      }
      back(to: start)
    }
    quiet = wasQuiet
    return quiet ? false : refused(node, tag, start)
  }

  private mutating func refused(_ node: UnsafeMutablePointer<SchemaNode>, _ tag: [UInt8]?, _ start: Mark) -> Bool {
    var candidates: [SchemaMember] = []
    for position in node.pointee.first..<(node.pointee.first &+ node.pointee.count) {
      let member = program.members[position]
      guard takes(nodes + Int(member.node)) else { continue }
      if let tag, member.tagValue >= 0, program.bytes(ofName: member.tagValue).elementsEqual(tag) {
        candidates = [member]
        break
      }
      candidates.append(member)
    }
    if candidates.count == 1 { return value(nodes + Int(candidates[0].node)) }
    // Is it JSON at all, and small enough?
    guard anything() else { return false }
    back(to: start)
    if at.pointee == 0x7B, node.pointee.tag >= 0, UnionChoice.onlyTaggedTakeTables(node.pointee, program) {
      let values = (node.pointee.first..<(node.pointee.first + node.pointee.count)).map { program.members[$0].tagValue }
      var steps: [PathStep] = []
      let complaint = UnionChoice.wrongTag(
        node.pointee, values.filter { $0 >= 0 }, tag.map { String(decoding: $0, as: UTF8.self) }, program, &steps)
      path += steps
      return !quiet && fail(complaint)
    }
    return mismatch(node)
  }

  /// Whether the first byte of the value can begin one of this node.
  private func takes(_ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    switch node.pointee.kind {
    case .string, .enumeration, .bytes, .blob: at.pointee == 0x22
    case .integer: isNumberStart()
    case .number: isNumberStart() || (at.pointee == 0x22 && !node.pointee.finite)
    case .boolean: at.pointee == 0x74 || at.pointee == 0x66
    case .record, .map: at.pointee == 0x7B
    case .list: at.pointee == 0x5B
    case .any, .union, .optional: true
    case .tensor: startsTensor()
    case .stream: false
    }
  }

  /// Looks ahead for the tag of the object at `at`: its text, if it is a string. What is passed over is not checked.
  private mutating func tagValue(_ tag: UnsafeRawBufferPointer) -> [UInt8]? {
    let start = mark()
    let wasQuiet = quiet
    quiet = true
    defer {
      back(to: start)
      quiet = wasQuiet
    }
    at += 1
    var open = 1
    var isKey = true
    var paced = at
    while at < end, open > 0 {
      guard goesOn(from: &paced, to: at) else { return nil }
      switch at.pointee {
      case 0x22:
        guard let text = stringToken() else { return nil }
        guard open == 1, isKey, text.count == tag.count, text.elementsEqual(tag) else { continue }
        skipSpace()
        guard at.pointee == 0x3A else { return nil }
        at += 1
        skipSpace()
        return at.pointee == 0x22 ? stringToken().map(Array.init) : nil
      case 0x7B, 0x5B: open += 1
      case 0x7D, 0x5D: open -= 1
      case 0x3A: isKey = false
      case 0x2C: isKey = open == 1
      default: break
      }
      at += 1
    }
    return nil
  }
}
