import ChainBase
import ChainTensors
import LuaBridge

/// Plain data between Lua and Swift without a declared type: what stores hold and what records are read from.
///
/// Tables are read raw; a list has positions 1 to n, a record string keys. Inside a host section.
package enum PlainValue {
  /// Why a value cannot be read. Its place is put together on the way out, from the inside: until then no path is made.
  package struct Problem: Error {
    fileprivate var text: String
    /// Nil: the whole is meant.
    fileprivate var place: [PathStep]?
    /// It is more than the limits allow.
    package fileprivate(set) var isTooLarge = false

    fileprivate func inside(_ step: PathStep) -> Problem {
      var outer = self
      outer.place = place.map { $0 + [step] }
      return outer
    }

    package var message: String { (place.map { "value\(PathStep.text(of: $0.reversed())): " } ?? "") + text }
  }

  // MARK: From Lua

  /// - Throws: what cannot be plain data, with its place inside the value.
  package static func read(
    _ stack: LuaStack, at index: Int32, limits: CrossingLimits = CrossingLimits(), pause: Pace.Pause? = nil
  ) throws(Problem) -> ChainValue {
    var reader = Reader(stack: stack, limits: limits, pace: Pace(limits, pause))
    return try reader.value(stack.absolute(index), depth: 0)
  }

  private struct Reader {
    let stack: LuaStack
    let limits: CrossingLimits
    var pace: Pace
    var bytes = 0
    var nodes = 0

    mutating func value(_ index: Int32, depth: Int) throws(Problem) -> ChainValue {
      nodes += 1
      guard nodes <= limits.nodes, bytes <= limits.bytes, pace.goesOn() else { throw tooLarge }
      switch stack.type(at: index) {
      case .nil, .none: return .null
      case .boolean: return .boolean(stack.boolean(at: index))
      case .number: return stack.isInteger(at: index) ? .integer(stack.integer(at: index)) : .number(stack.number(at: index))
      case .string:
        let text = stack.bytes(at: index)
        bytes += text.count
        guard bytes <= limits.bytes, pace.goesOn(afterBytes: text.count) else { throw tooLarge }
        return String(validating: text, as: UTF8.self).map { .string($0) } ?? .bytes(Array(text))
      case .table: return try table(index, depth: depth)
      case .lightUserdata: return .null // json.null
      default:
        if let blob = stack.blob(at: index) {
          bytes += blob.count
          guard bytes <= limits.bytes, pace.goesOn(afterBytes: blob.count) else { throw tooLarge }
          return .bytes(blob.array)
        }
        // By reference: only what is copied is bounded here.
        if let tensor = stack.tensor(at: index) { return .tensor(tensor) }
        throw Problem(text: "expected plain data, got \(stack.describe(at: index))", place: [])
      }
    }

    private var tooLarge: Problem {
      Problem(text: "the value is too large: at most \(limits.nodes) values and \(limits.bytes) bytes", isTooLarge: true)
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
      items.reserveCapacity(min(length, limits.nodes - nodes)) // no more than it may yet hold: it may hold itself
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
        try sort(&fields)
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

    /// Some comparisons take as long as an entry.
    private mutating func sort(_ fields: inout [ChainValue.Field]) throws(Problem) {
      var compared = 0
      var goesOn = true
      fields.sort {
        compared &+= 1
        if compared & 15 == 0 { goesOn = pace.goesOn() }
        return $0.name < $1.name
      }
      guard goesOn else { throw tooLarge }
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

  /// Pushes a value of Swift's own.
  package static func push(_ value: ChainValue, onto stack: LuaStack) throws(LuaError) {
    var pace = Pace.unbounded
    _ = try push(value, onto: stack, &pace)
  }

  /// False: the pace has ended before the value did, part of which may be on the stack.
  static func push(_ value: ChainValue, onto stack: LuaStack, _ pace: inout Pace) throws(LuaError) -> Bool {
    guard stack.ensure(6) else { throw LuaError(.memory, "stack overflow") }
    switch value {
    case .null: stack.pushNil()
    case .boolean(let flag): stack.push(boolean: flag)
    case .integer(let integer): stack.push(integer: integer)
    case .number(let number): stack.push(number: number)
    case .string(let text):
      stack.push(text: text)
      return pace.goesOn(afterBytes: text.utf8.count)
    case .bytes(let bytes):
      bytes.withUnsafeBytes { stack.push(bytes: $0) }
      return pace.goesOn(afterBytes: bytes.count)
    case .reference:
      guard let tensor = value.tensor else { throw LuaError(.runtime, "the value is no plain data") }
      stack.push(tensor)
    case .list(let items):
      stack.pushTable(array: Int32(clamping: items.count))
      for (position, item) in items.enumerated() {
        guard try push(item, onto: stack, &pace), pace.goesOn() else { return false }
        stack.rawSet(-2, at: Int64(position + 1))
      }
    case .record(let fields):
      stack.pushTable(fields: Int32(clamping: fields.count))
      for field in fields where field.value != .null {
        guard try push(field.value, onto: stack, &pace), pace.goesOn(afterBytes: field.name.utf8.count), pace.goesOn() else { return false }
        stack.rawSet(-2, field: field.name)
      }
    }
    return true
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
