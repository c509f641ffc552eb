import CLuaGuard
import LuaBridge

/// Reads JSON text straight onto a Lua stack, checked against a program: strict RFC 8259, no tree in between.
///
/// In a host section of the stack's state, on its thread.
package struct JSONReader: ~Copyable, JSONTokens {
  /// Pushes exactly one value: the handle of the stream that fills the input's stream field. False: there is none.
  package typealias StreamHook = (LuaStack) -> Bool

  let program: SchemaProgram
  let nodes: UnsafeMutablePointer<SchemaNode>
  let binding: SchemaBinding
  let stack: LuaStack
  let limits: CrossingLimits
  let stream: StreamHook?
  let start: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>
  var at: UnsafePointer<UInt8>
  var depth: Int
  var bytes: Int
  var values: Int
  var pace: Pace
  var scratch = ByteBuffer()
  var complaint: Complaint?
  var path: [PathStep] = []
  var quiet = false
}

extension JSONReader {
  /// Reads one value and pushes it onto `stack`. With `pause`, in the midst of which the state may do other work: the
  /// binding must then be its own.
  /// - Throws: what is wrong with it, by its path; the stack is then as it was.
  package static func read(
    _ text: UnsafeRawBufferPointer, program: SchemaProgram, onto stack: LuaStack, binding: SchemaBinding,
    limits: CrossingLimits, root: String, stream: StreamHook? = nil, pause: Pace.Pause? = nil
  ) throws(TypeMismatch) {
    let top = stack.top
    guard stack.ensure(program.stackDepth) else { throw TypeMismatch(root: root, path: [], .tooDeep(limits.depth), limits) }
    let copy = PaddedText(text)
    defer { extendLifetime(copy) }
    var reader = JSONReader(
      program: program, nodes: program.nodes.start, binding: binding, stack: stack, limits: limits, stream: stream,
      start: copy.start, end: copy.end, at: copy.start, depth: limits.depth, bytes: limits.bytes, values: limits.nodes,
      pace: Pace(limits, pause))
    if reader.readWhole(), !reader.pace.isSpent { return }
    stack.setTop(top)
    guard !reader.pace.isSpent else { throw TypeMismatch(root: root, path: [], .tooMuchWork, limits) }
    throw TypeMismatch(
      root: root, path: reader.path.reversed(),
      reader.complaint ?? Complaint(expected: program.type.expectation, got: "something else"), limits)
  }

  private mutating func readWhole() -> Bool {
    binding.forgetSizes()
    guard pace.goesOn(afterBytes: end - start) else { return fail(.unwanted) } // it has been copied
    skipSpace()
    let root = nodes
    let takesNothing = root.pointee.kind == .record && root.pointee.count == 0
    if takesNothing, at == end || isNull() { // `input = {}` takes an empty object, or nothing
      if at != end { at += 4 }
      stack.pushTable()
    } else if isNull(), root.pointee.kind == .any || root.pointee.kind == .optional {
      at += 4
      stack.pushNil()
    } else {
      guard value(root) else { return false }
    }
    skipSpace()
    return at == end || syntax("expected the end after the value")
  }

  // MARK: Any node

  mutating func value(_ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    switch node.pointee.kind {
    case .string: return string(node)
    case .integer: return integer(node)
    case .number: return number(node)
    case .boolean:
      if isTrue() {
        at += 4
        stack.push(boolean: true)
        return true
      }
      guard isFalse() else { return mismatch(node) }
      at += 5
      stack.push(boolean: false)
      return true
    case .record: return record(node)
    case .list: return list(node)
    case .map: return map(node)
    case .any: return anything()
    case .enumeration: return enumeration(node)
    case .bytes, .blob: return base64(node)
    case .union: return union(node)
    case .optional:
      if isNull() {
        at += 4
        stack.pushNil()
        return true
      }
      return value(nodes + Int(node.pointee.element))
    case .tensor: return tensor(node)
    case .stream: return mismatch(node)
    }
  }

  // MARK: Scalars

  @inline(__always) private mutating func string(_ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    guard at.pointee == 0x22 else { return mismatch(node) }
    guard let text = stringToken() else { return false }
    bytes &-= text.count
    guard bytes >= 0 else { return tooManyBytes() }
    if node.pointee.limited, !ValueBounds.admits(text, node, program, &pace) { return !quiet && refused(text, node) }
    guard pace.goesOn(afterBytes: text.count) else { return fail(.unwanted) }
    stack.push(bytes: text)
    return true
  }

  private mutating func refused(_ text: UnsafeRawBufferPointer, _ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    let complaint = Complaint.text(text, type(of: node), &pace)
    return fail(complaint)
  }

  private mutating func enumeration(_ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    guard at.pointee == 0x22 else { return mismatch(node) }
    let token = at
    guard let text = stringToken() else { return false }
    let values = node.pointee.first..<(node.pointee.first &+ node.pointee.count)
    guard let name = program.find(text, in: values, &pace, name: { $0 }) else {
      at = token
      return mismatch(node)
    }
    stack.push(kept: binding.names[Int(name)].reference)
    return true
  }

  private mutating func base64(_ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    guard at.pointee == 0x22 else { return mismatch(node) }
    guard let text = stringToken() else { return false }
    guard pace.goesOn(afterBytes: text.count) else { return fail(.unwanted) }
    var decoded = ByteBuffer(capacity: text.count)
    guard Base64.decode(text, into: &decoded, pace: &pace) else {
      return !quiet && fail(Complaint(expected: "bytes as base64", got: Complaint.string(text)))
    }
    bytes &-= decoded.count
    guard bytes >= 0 else { return tooManyBytes() }
    if node.pointee.limited, !ValueBounds.admits(count: decoded.count, node) {
      return !quiet && fail(.count(decoded.count, type(of: node), unit: "byte"))
    }
    if node.pointee.kind == .blob { stack.push(Blob(decoded.bytes)) } else { stack.push(bytes: decoded.bytes) }
    return true
  }

  private mutating func integer(_ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    let token = at
    guard isNumberStart() else { return mismatch(node) }
    guard let read = numberToken() else { return false }
    var value = read.integer
    if !read.isInteger {
      guard let exact = Int64(exactly: read.number) else {
        at = token
        return mismatch(node)
      }
      value = exact
    }
    if node.pointee.limited, value < node.pointee.least || value > node.pointee.most {
      return !quiet && fail(.integer(value, node.pointee, type(of: node)))
    }
    stack.push(integer: value)
    return true
  }

  private mutating func number(_ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    if at.pointee == 0x22, !node.pointee.finite { return notFinite(node) }
    guard isNumberStart() else { return mismatch(node) }
    guard let read = numberToken() else { return false }
    if read.isInteger {
      if node.pointee.limited, read.integer < node.pointee.least || read.integer > node.pointee.most {
        return !quiet && fail(.integer(read.integer, node.pointee, type(of: node)))
      }
      stack.push(integer: read.integer)
    } else {
      guard ValueBounds.admits(read.number, node) else { return !quiet && fail(.float(read.number, type(of: node))) }
      stack.push(number: read.number)
    }
    return true
  }

  /// "NaN", "Infinity", "-Infinity".
  private mutating func notFinite(_ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    let token = at
    guard let text = stringToken() else { return false }
    let value: Double
    switch String(decoding: text, as: UTF8.self) {
    case "NaN": value = .nan
    case "Infinity": value = .infinity
    case "-Infinity": value = -.infinity
    default:
      at = token
      return mismatch(node)
    }
    guard ValueBounds.admits(value, node) else { return !quiet && fail(.float(value, type(of: node))) }
    stack.push(number: value)
    return true
  }

  // MARK: t.any

  mutating func anything() -> Bool {
    switch at.pointee {
    case 0x22:
      guard let text = stringToken() else { return false }
      bytes &-= text.count
      guard bytes >= 0 else { return tooManyBytes() }
      guard pace.goesOn(afterBytes: text.count) else { return fail(.unwanted) }
      stack.push(bytes: text)
      return true
    case 0x7B: return anyObject()
    case 0x5B: return anyList()
    case 0x74 where isTrue():
      at += 4
      stack.push(boolean: true)
    case 0x66 where isFalse():
      at += 5
      stack.push(boolean: false)
    case 0x6E where isNull():
      at += 4
      JSONMarks.pushNull(onto: stack)
    default:
      guard isNumberStart() else { return syntax("expected a value") }
      guard let read = numberToken() else { return false }
      if read.isInteger { stack.push(integer: read.integer) } else { stack.push(number: read.number) }
    }
    return true
  }
}
