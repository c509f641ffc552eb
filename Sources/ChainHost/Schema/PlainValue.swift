import ChainBase
import ChainTensors
import LuaBridge

/// Plain data between Lua and Swift without a declared type: what stores hold and what records are read from.
///
/// Tables are read raw; a list has positions 1 to n, a record string keys. Inside a host section.
package enum PlainValue {
  package struct Limits {
    package var bytes = 16 << 20
    package var nodes = 200_000
    package var depth = 64
    package init() {}
  }

  // MARK: From Lua

  /// - Throws: what cannot be plain data, with its place inside the value.
  package static func read(_ stack: LuaStack, at index: Int32, limits: Limits = Limits()) throws(LuaError) -> ChainValue {
    var reader = Reader(stack: stack, limits: limits)
    return try reader.value(stack.absolute(index), "value", depth: 0)
  }

  private struct Reader {
    let stack: LuaStack
    let limits: Limits
    var bytes = 0
    var nodes = 0

    mutating func value(_ index: Int32, _ path: String, depth: Int) throws(LuaError) -> ChainValue {
      nodes += 1
      guard nodes <= limits.nodes, bytes <= limits.bytes else {
        throw LuaError(.runtime, "the value is too large: at most \(limits.nodes) values and \(limits.bytes) bytes")
      }
      switch stack.type(at: index) {
      case .nil, .none: return .null
      case .boolean: return .boolean(stack.boolean(at: index))
      case .number: return stack.isInteger(at: index) ? .integer(stack.integer(at: index)) : .number(stack.number(at: index))
      case .string:
        let text = stack.bytes(at: index)
        bytes += text.count
        return String(validating: text, as: UTF8.self).map { .string($0) } ?? .bytes(Array(text))
      case .table: return try table(index, path, depth: depth)
      case .lightUserdata: return .null // json.null
      default:
        if let blob = stack.blob(at: index) {
          bytes += blob.count
          return .bytes(blob.array)
        }
        // By reference: only what is copied is bounded here.
        if let tensor = stack.tensor(at: index) { return .tensor(tensor) }
        throw LuaError(.runtime, "\(path): expected plain data, got \(stack.describe(at: index))")
      }
    }

    private mutating func table(_ index: Int32, _ path: String, depth: Int) throws(LuaError) -> ChainValue {
      guard depth < limits.depth, stack.ensure(6) else {
        throw LuaError(.runtime, "the value is nested deeper than \(limits.depth) tables, or holds itself")
      }
      let top = stack.top
      defer { stack.setTop(top) }
      let length = stack.rawLength(at: index)
      var items: [ChainValue] = []
      for position in 0..<length {
        stack.rawGet(index, at: Int64(position + 1))
        items.append(try value(stack.top, "\(path)[\(position + 1)]", depth: depth + 1))
        stack.setTop(top)
      }
      var fields: [ChainValue.Field] = []
      stack.pushNil()
      while stack.next(index) {
        if let name = stack.text(at: top + 1) {
          bytes += name.utf8.count
          fields.append(ChainValue.Field(name, try value(top + 2, "\(path).\(name)", depth: depth + 1)))
        } else if !(stack.isInteger(at: top + 1) && (1...Int64(max(1, length))).contains(stack.integer(at: top + 1)) && length > 0) {
          throw LuaError(.runtime, "\(path): the key \(stack.describe(at: top + 1)) belongs to no list without holes")
        }
        stack.setTop(top + 1)
      }
      if length == 0 { return .record(fields.sorted { $0.name < $1.name }) }
      guard fields.isEmpty else { throw LuaError(.runtime, "\(path): a table is a list or has names for keys, not both") }
      return .list(items)
    }
  }

  // MARK: To Lua

  package static func push(_ value: ChainValue, onto stack: LuaStack) throws(LuaError) {
    guard stack.ensure(6) else { throw LuaError(.memory, "stack overflow") }
    switch value {
    case .null: stack.pushNil()
    case .boolean(let flag): stack.push(boolean: flag)
    case .integer(let integer): stack.push(integer: integer)
    case .number(let number): stack.push(number: number)
    case .string(let text): stack.push(text: text)
    case .bytes(let bytes): bytes.withUnsafeBytes { stack.push(bytes: $0) }
    case .reference:
      guard let tensor = value.tensor else { throw LuaError(.runtime, "the value is no plain data") }
      stack.push(tensor)
    case .list(let items):
      stack.pushTable(array: Int32(clamping: items.count))
      for (position, item) in items.enumerated() {
        try push(item, onto: stack)
        stack.rawSet(-2, at: Int64(position + 1))
      }
    case .record(let fields):
      stack.pushTable(fields: Int32(clamping: fields.count))
      for field in fields where field.value != .null {
        try push(field.value, onto: stack)
        stack.rawSet(-2, field: field.name)
      }
    }
  }

  /// The bytes that a value takes, roughly.
  static func size(of value: ChainValue) -> Int {
    switch value {
    case .null, .boolean, .integer, .number: 16
    case .string(let text): 16 + text.utf8.count
    case .bytes(let bytes): 16 + bytes.count
    case .reference: 16 + (value.tensor?.memory.byteCount ?? 0)
    case .list(let items): items.reduce(16) { $0 + size(of: $1) }
    case .record(let fields): fields.reduce(16) { $0 + $1.name.utf8.count + size(of: $1.value) }
    }
  }
}
