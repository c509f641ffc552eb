import ChainBase

/// Whether a value of the rim fits a type: defaults and configuration, not calls.
enum ValueCheck {
  /// What does not fit, with its place inside the value; nil when all does.
  static func mismatch(_ value: ChainValue, _ type: ChainType, at path: String = "") -> String? {
    func expected(_ what: String) -> String { "\(path.isEmpty ? "" : "\(path): ")expected \(what), got \(describe(value))" }
    switch (type.kind, value) {
    case (.optional(let inner), _): return value == .null ? nil : mismatch(value, inner, at: path)
    case (.any, _): return nil
    case (.string, .string(let text)):
      return size(text.unicodeScalars.count, type, "characters", path)
    case (.integer, .integer(let number)): return range(Double(number), type, path)
    case (.integer, .number(let number)) where Int64(exactly: number) != nil: return range(number, type, path)
    case (.number, .integer(let number)): return range(Double(number), type, path)
    case (.number, .number(let number)):
      if type.finite, !number.isFinite { return expected("a finite number") }
      return range(number, type, path)
    case (.boolean, .boolean): return nil
    case (.bytes, .string(let text)), (.blob, .string(let text)): return size(text.utf8.count, type, "bytes", path)
    case (.bytes, .bytes(let bytes)), (.blob, .bytes(let bytes)): return size(bytes.count, type, "bytes", path)
    case (.list(let item), .list(let items)):
      for (position, value) in items.enumerated() {
        if let problem = mismatch(value, item, at: "\(path)[\(position + 1)]") { return problem }
      }
      return size(items.count, type, "items", path)
    case (.list, .record(let fields)) where fields.isEmpty: return size(0, type, "items", path)
    case (.map(let item), .record(let fields)):
      for field in fields {
        if let problem = mismatch(field.value, item, at: join(path, field.name)) { return problem }
      }
      return size(fields.count, type, "entries", path)
    case (.record(let declared), .record(let fields)): return record(fields, declared, path)
    case (.enumeration(let allowed), .string(let text)):
      return allowed.contains(text) ? nil : expected("one of " + allowed.map { "\"\($0)\"" }.joined(separator: ", "))
    case (.union(let members), _):
      return members.contains { mismatch(value, $0) == nil } ? nil : expected(members.map(\.label).joined(separator: " or "))
    default: return expected(type.label)
    }
  }

  /// The value as its type takes it: Lua writes the empty list and the empty table alike.
  static func fitted(_ value: ChainValue, to type: ChainType) -> ChainValue {
    switch (type.kind, value) {
    case (.optional(let inner), _): return fitted(value, to: inner)
    case (.list, .record(let fields)) where fields.isEmpty: return .list([])
    case (.map, .list(let items)) where items.isEmpty, (.record, .list(let items)) where items.isEmpty: return .record([])
    case (.integer, .number(let number)): return Int64(exactly: number).map { .integer($0) } ?? value
    case (.bytes, .string(let text)): return .bytes(Array(text.utf8))
    case (.list(let item), .list(let items)): return .list(items.map { fitted($0, to: item) })
    case (.map(let item), .record(let fields)): return .record(fields.map { ChainValue.Field($0.name, fitted($0.value, to: item)) })
    case (.record(let declared), .record(let fields)):
      return .record(
        fields.map { field in
          guard let type = declared.first(where: { $0.name == field.name })?.type else { return field }
          return ChainValue.Field(field.name, fitted(field.value, to: type))
        })
    default: return value
    }
  }

  private static func record(_ fields: [ChainValue.Field], _ declared: [ChainType.Field], _ path: String) -> String? {
    for field in fields where !declared.contains(where: { $0.name == field.name }) {
      return "\(join(path, field.name)): there is no such field"
    }
    for field in declared {
      let value = fields.first { $0.name == field.name }?.value ?? .null
      if value == .null {
        if case .optional = field.type.kind { continue }
        if case .any = field.type.kind { continue }
        if field.type.defaultValue != nil { continue }
        return "\(join(path, field.name)): is missing"
      }
      if let problem = mismatch(value, field.type, at: join(path, field.name)) { return problem }
    }
    return nil
  }

  private static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  private static func size(_ count: Int, _ type: ChainType, _ what: String, _ path: String) -> String? {
    let place = path.isEmpty ? "" : "\(path): "
    if let min = type.min, Double(count) < min { return "\(place)expected at least \(RecordReader.number(min)) \(what), got \(count)" }
    if let max = type.max, Double(count) > max { return "\(place)expected at most \(RecordReader.number(max)) \(what), got \(count)" }
    return nil
  }

  private static func range(_ number: Double, _ type: ChainType, _ path: String) -> String? {
    let place = path.isEmpty ? "" : "\(path): "
    if let min = type.min, number < min { return "\(place)expected at least \(RecordReader.number(min)), got \(RecordReader.number(number))" }
    if let max = type.max, number > max { return "\(place)expected at most \(RecordReader.number(max)), got \(RecordReader.number(number))" }
    return nil
  }

  static func describe(_ value: ChainValue) -> String {
    switch value {
    case .null: "nil"
    case .boolean(let value): "boolean (\(value))"
    case .integer(let value): "integer (\(value))"
    case .number(let value): "number (\(value))"
    case .string(let text): "string (\"\(text.prefix(32))\(text.count > 32 ? "…" : "")\")"
    case .bytes(let bytes): "\(bytes.count) bytes"
    case .reference: "a native object"
    case .list(let items): "a list of \(items.count)"
    case .record: "a table"
    }
  }
}
