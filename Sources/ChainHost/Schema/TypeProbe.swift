import ChainBase

/// The declared type of a `Decodable` record, found by letting it decode from nothing and noting what it asks for.
enum TypeProbe {
  static func type<T: Decodable>(of _: T.Type) -> ChainType { kind(of: T.self, depth: 0) ?? .empty }

  /// The type as annotations write it.
  static func annotation(of type: ChainType) -> String {
    switch type.kind {
    case .string: "string"
    case .integer: "integer"
    case .number: "number"
    case .boolean: "boolean"
    case .list(let item): "\(annotation(of: item))[]"
    case .map(let item): "table<string, \(annotation(of: item))>"
    case .optional(let inner): "\(annotation(of: inner))?"
    case .record(let fields):
      "{ " + fields.map { field in
        if case .optional(let inner) = field.type.kind { return "\(field.name)?: \(annotation(of: inner))" }
        return "\(field.name): \(annotation(of: field.type))"
      }.joined(separator: ", ") + " }"
    default: "any"
    }
  }

  fileprivate static func kind(of type: any Decodable.Type, depth: Int) -> ChainType? {
    guard depth < 8 else { return ChainType(.any) }
    switch type {
    case is String.Type: return ChainType(.string)
    case is Bool.Type: return ChainType(.boolean)
    case is Double.Type, is Float.Type: return ChainType(.number)
    case is any FixedWidthInteger.Type: return ChainType(.integer)
    case let list as any ListProbe.Type: return ChainType(.list(kind(of: list.element, depth: depth + 1) ?? ChainType(.any)))
    case let map as any MapProbe.Type: return ChainType(.map(kind(of: map.element, depth: depth + 1) ?? ChainType(.any)))
    case let optional as any OptionalProbe.Type: return ChainType(.optional(kind(of: optional.element, depth: depth + 1) ?? ChainType(.any)))
    default:
      let notes = ProbeNotes()
      _ = try? type.init(from: ProbeDecoder(notes: notes, depth: depth))
      guard notes.isRecord else { return ChainType(.any) }
      return ChainType(.record(notes.fields.sorted { $0.name < $1.name }))
    }
  }
}

private protocol EmptyProbe { static var empty: Any { get } }
private protocol ListProbe: EmptyProbe { static var element: any Decodable.Type { get } }
extension Array: ListProbe, EmptyProbe where Element: Decodable {
  static var element: any Decodable.Type { Element.self }
  static var empty: Any { [Element]() }
}
private protocol MapProbe: EmptyProbe { static var element: any Decodable.Type { get } }
extension Dictionary: MapProbe, EmptyProbe where Key == String, Value: Decodable {
  static var element: any Decodable.Type { Value.self }
  static var empty: Any { [String: Value]() }
}
private protocol OptionalProbe { static var element: any Decodable.Type { get } }
extension Optional: OptionalProbe where Wrapped: Decodable { static var element: any Decodable.Type { Wrapped.self } }

private final class ProbeNotes {
  var fields: [ChainType.Field] = []
  var isRecord = false
}

/// Gives a zero for whatever is asked for, and notes it.
private struct ProbeDecoder: Decoder {
  let notes: ProbeNotes
  let depth: Int
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  struct Stop: Error {}

  func container<Key: CodingKey>(keyedBy _: Key.Type) -> KeyedDecodingContainer<Key> {
    notes.isRecord = true
    return KeyedDecodingContainer(Fields(notes: notes, depth: depth))
  }
  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Stop() }
  func singleValueContainer() throws -> any SingleValueDecodingContainer { throw Stop() }

  /// A value of the type, to go on with.
  static func zero<T: Decodable>(_ type: T.Type, depth: Int) throws -> T {
    let value: Any? =
      switch type {
      case is String.Type: ""
      case is Bool.Type: false
      case is Double.Type: 0.0
      case is Float.Type: Float(0)
      case let integer as any FixedWidthInteger.Type: integer.init(0)
      default: nil
      }
    if let value = value as? T { return value }
    if let empty = (type as? any EmptyProbe.Type)?.empty as? T { return empty }
    guard depth < 8 else { throw Stop() }
    return try T(from: ProbeDecoder(notes: ProbeNotes(), depth: depth + 1))
  }

  private struct Fields<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let notes: ProbeNotes
    let depth: Int
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }

    private func note(_ key: Key, _ type: any Decodable.Type, optional: Bool) {
      guard let kind = TypeProbe.kind(of: type, depth: depth + 1) else { return }
      notes.fields.append(ChainType.Field(name: key.stringValue, type: optional ? ChainType(.optional(kind)) : kind))
    }
    func contains(_: Key) -> Bool { true }
    func decodeNil(forKey _: Key) throws -> Bool { false }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
      note(key, type, optional: false)
      return try ProbeDecoder.zero(type, depth: depth)
    }
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? { probe(type, key) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { probe(type, key) }
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { probe(type, key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { probe(type, key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { probe(type, key) }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { probe(type, key) }
    private func probe<T: Decodable>(_ type: T.Type, _ key: Key) -> T? {
      note(key, type, optional: true)
      return nil
    }
    func nestedContainer<Nested: CodingKey>(keyedBy _: Nested.Type, forKey _: Key) throws -> KeyedDecodingContainer<Nested> { throw Stop() }
    func nestedUnkeyedContainer(forKey _: Key) throws -> any UnkeyedDecodingContainer { throw Stop() }
    func superDecoder() throws -> any Decoder { throw Stop() }
    func superDecoder(forKey _: Key) throws -> any Decoder { throw Stop() }
  }
}
