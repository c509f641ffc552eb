import ChainBase
import ChainTensors
import LuaBridge

/// From plain Lua data to a `ChainValue`: defaults, options of resources.
extension RecordReader {
  /// The value at `index`, or nil (and a note) when it is not plain data.
  func value(_ stack: LuaStack, _ index: Int32, depth: Int = 0) -> ChainValue? {
    guard step() else { return nil }
    guard depth < RecordReader.deepest, stack.ensure(6) else {
      tooDeep("the value")
      return nil
    }
    switch stack.type(at: index) {
    case .nil: return .null
    case .boolean: return .boolean(stack.boolean(at: index))
    case .number: return stack.isInteger(at: index) ? .integer(stack.integer(at: index)) : .number(stack.number(at: index))
    case .string:
      guard let text = String(validating: stack.bytes(at: index), as: UTF8.self) else { return .bytes(Array(stack.bytes(at: index))) }
      return .string(text)
    case .table: return table(stack, stack.absolute(index), depth: depth)
    default:
      note("expected plain data, got \(describe(stack, index))")
      return nil
    }
  }

  private func table(_ stack: LuaStack, _ index: Int32, depth: Int) -> ChainValue? {
    guard kind(stack, index) == .plainTable else {
      if kind(stack, index) != .unknown { note("expected plain data, got \(describe(stack, index))") }
      return nil
    }
    let length = stack.rawLength(at: index)
    let (names, others) = keys(stack, index)
    if names.isEmpty, others.count == length, length > 0 {
      var items: [ChainValue] = []
      for position in 1...Int64(length) {
        stack.rawGet(index, at: position)
        let item = within("[\(position)]") { value(stack, -1, depth: depth + 1) }
        stack.pop()
        guard let item else { return nil }
        items.append(item)
      }
      return .list(items)
    }
    if let first = others.first {
      note("a table of plain data is a list without holes or has names for keys, got a value at \(first)")
      return nil
    }
    var fields: [ChainValue.Field] = []
    for name in names {
      stack.rawGet(index, field: name)
      let item = within(name) { value(stack, -1, depth: depth + 1) }
      stack.pop()
      guard let item else { return nil }
      fields.append(ChainValue.Field(name, item))
    }
    return .record(fields)
  }

  /// Pushes plain data as Lua values.
  static func push(_ value: ChainValue, to stack: LuaStack) {
    guard stack.ensure(6) else { return stack.pushNil() }
    switch value {
    case .null: stack.pushNil()
    case .boolean(let value): stack.push(boolean: value)
    case .integer(let value): stack.push(integer: value)
    case .number(let value): stack.push(number: value)
    case .string(let text): stack.push(text: text)
    case .bytes(let bytes): bytes.withUnsafeBytes { stack.push(bytes: $0) }
    case .reference(let reference):
      if let tensor = reference.object as? Tensor { stack.push(tensor) } else { stack.pushNil() }
    case .list(let items):
      stack.pushTable(array: Int32(clamping: items.count))
      for (position, item) in items.enumerated() {
        push(item, to: stack)
        stack.rawSet(-2, at: Int64(position) + 1)
      }
    case .record(let fields):
      stack.pushTable(fields: Int32(clamping: fields.count))
      for field in fields {
        stack.push(text: field.name)
        push(field.value, to: stack)
        stack.rawSet(-3)
      }
    }
  }
}
