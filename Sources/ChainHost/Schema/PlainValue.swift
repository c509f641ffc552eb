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
    do throws(Problem) { return try reader.value(stack.absolute(index), depth: 0) } catch {
      let place = error.place.map { "value\(PathStep.text(of: $0.reversed())): " }
      throw LuaError(.runtime, "\(place ?? "")\(error.text)")
    }
  }

  /// What is wrong. Its place is put together on the way out, from the inside: until then no path is made.
  private struct Problem: Error {
    var text: String
    /// Nil: the whole is meant.
    var place: [PathStep]?

    func inside(_ step: PathStep) -> Problem { Problem(text: text, place: place.map { $0 + [step] }) }
  }

  private struct Reader {
    let stack: LuaStack
    let limits: Limits
    var bytes = 0
    var nodes = 0

    mutating func value(_ index: Int32, depth: Int) throws(Problem) -> ChainValue {
      nodes += 1
      guard nodes <= limits.nodes, bytes <= limits.bytes else { throw tooLarge }
      switch stack.type(at: index) {
      case .nil, .none: return .null
      case .boolean: return .boolean(stack.boolean(at: index))
      case .number: return stack.isInteger(at: index) ? .integer(stack.integer(at: index)) : .number(stack.number(at: index))
      case .string:
        let text = stack.bytes(at: index)
        bytes += text.count
        return String(validating: text, as: UTF8.self).map { .string($0) } ?? .bytes(Array(text))
      case .table: return try table(index, depth: depth)
      case .lightUserdata: return .null // json.null
      default:
        if let blob = stack.blob(at: index) {
          bytes += blob.count
          return .bytes(blob.array)
        }
        // By reference: only what is copied is bounded here.
        if let tensor = stack.tensor(at: index) { return .tensor(tensor) }
        throw Problem(text: "expected plain data, got \(stack.describe(at: index))", place: [])
      }
    }

    private var tooLarge: Problem {
      Problem(text: "the value is too large: at most \(limits.nodes) values and \(limits.bytes) bytes")
    }

    private mutating func table(_ index: Int32, depth: Int) throws(Problem) -> ChainValue {
      guard depth < limits.depth, stack.ensure(6) else {
        throw Problem(text: "the value is nested deeper than \(limits.depth) tables, or holds itself")
      }
      let top = stack.top
      defer { stack.setTop(top) }
      let length = stack.rawLength(at: index)
      guard length <= limits.nodes else { throw tooLarge }
      var items: [ChainValue] = []
      items.reserveCapacity(length)
      var fields: [ChainValue.Field] = []
      stack.pushNil()
      while stack.next(index) {
        if stack.isInteger(at: top + 1), case let key = stack.integer(at: top + 1), key >= 1, key <= length {
          if key == items.count + 1 { try append(to: &items, depth) } // else it is in no order, and comes below
        } else {
          try append(to: &fields, depth)
        }
        stack.setTop(top + 1)
      }
      if length == 0 {
        fields.sort { $0.name < $1.name }
        return .record(fields)
      }
      guard fields.isEmpty else { throw Problem(text: "a table is a list or has names for keys, not both", place: []) }
      while items.count < length {
        stack.rawGet(index, at: Int64(items.count + 1))
        try append(to: &items, depth)
        stack.setTop(top)
      }
      return .list(items)
    }

    /// The value on top, as the next of a list.
    private mutating func append(to items: inout [ChainValue], _ depth: Int) throws(Problem) {
      do throws(Problem) { items.append(try value(stack.top, depth: depth + 1)) } catch {
        throw error.inside(.position(items.count + 1))
      }
    }

    /// The value on top, by the key below it.
    private mutating func append(to fields: inout [ChainValue.Field], _ depth: Int) throws(Problem) {
      let top = stack.top
      guard let name = stack.text(at: top - 1) else {
        throw Problem(text: "the key \(stack.describe(at: top - 1)) belongs to no list without holes", place: [])
      }
      bytes += name.utf8.count
      do throws(Problem) { fields.append(ChainValue.Field(name, try value(top, depth: depth + 1))) } catch {
        throw error.inside(.field(String(name.unicodeScalars.prefix(PlainValue.shownOfName))))
      }
    }
  }

  /// Characters of a long name that a message may need.
  private static let shownOfName = 80

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
