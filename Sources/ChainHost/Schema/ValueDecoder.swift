import ChainBase

/// `ChainValue` to any `Decodable`.
package struct ValueDecoder: Decoder {
  let value: ChainValue
  package let codingPath: [any CodingKey]
  package var userInfo: [CodingUserInfoKey: Any] { [:] }

  package static func decode<T: Decodable>(_: T.Type, from value: ChainValue) throws -> T {
    try ValueDecoder(value: value, codingPath: []).decodeValue(T.self)
  }

  /// `frames[2].width: expected integer, got string`
  static func message(of error: DecodingError) -> String {
    func place(_ path: [any CodingKey]) -> String {
      path.reduce("") { text, key in
        key.intValue.map { "\(text)[\($0 + 1)]" } ?? (text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)")
      }
    }
    func sentence(_ context: DecodingError.Context) -> String {
      let path = place(context.codingPath)
      return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
    }
    switch error {
    case .keyNotFound(let key, let context): return "\(place(context.codingPath + [key])): is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context): return sentence(context)
    @unknown default: return String(describing: error)
    }
  }

  package func container<Key: CodingKey>(keyedBy _: Key.Type) throws -> KeyedDecodingContainer<Key> {
    switch value {
    case .record(let fields): return KeyedDecodingContainer(Fields(decoder: self, fields: fields))
    case .list(let items) where items.isEmpty: return KeyedDecodingContainer(Fields(decoder: self, fields: []))
    default: throw mismatch("a table of fields", [String: String].self)
    }
  }

  package func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    switch value {
    case .list(let items): return Items(decoder: self, items: items)
    case .record(let fields) where fields.isEmpty: return Items(decoder: self, items: [])
    default: throw mismatch("a list", [String].self)
    }
  }

  package func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

  fileprivate func mismatch(_ expected: String, _ type: Any.Type) -> DecodingError {
    .typeMismatch(type, DecodingError.Context(codingPath: codingPath, debugDescription: "expected \(expected), got \(kind)"))
  }

  private var kind: String {
    switch value {
    case .null: "nil"
    case .boolean: "boolean"
    case .integer(let integer): "integer (\(integer))"
    case .number(let number): "number (\(number))"
    case .string(let text): "string (\"\(text.prefix(32))\")"
    case .bytes(let bytes): "\(bytes.count) bytes"
    case .list: "list"
    case .record: "table"
    case .reference: "a native object"
    }
  }

  fileprivate func decodeValue<T: Decodable>(_: T.Type) throws -> T {
    if T.self == ChainValue.self, let value = value as? T { return value }
    return try T(from: self)
  }

  fileprivate func at(_ value: ChainValue, _ key: any CodingKey) -> ValueDecoder { ValueDecoder(value: value, codingPath: codingPath + [key]) }
}

extension ValueDecoder: SingleValueDecodingContainer {
  package func decodeNil() -> Bool { value == .null }
  package func decode(_: Bool.Type) throws -> Bool {
    guard case .boolean(let flag) = value else { throw mismatch("boolean", Bool.self) }
    return flag
  }
  package func decode(_: String.Type) throws -> String {
    guard case .string(let text) = value else { throw mismatch("string", String.self) }
    return text
  }
  package func decode(_: Double.Type) throws -> Double {
    switch value {
    case .integer(let integer): return Double(integer)
    case .number(let number): return number
    default: throw mismatch("number", Double.self)
    }
  }
  package func decode(_: Float.Type) throws -> Float { Float(try decode(Double.self)) }
  private func integer<I: FixedWidthInteger>(_: I.Type) throws -> I {
    switch value {
    case .integer(let integer): if let exact = I(exactly: integer) { return exact }
    case .number(let number): if let exact = I(exactly: number) { return exact }
    default: break
    }
    throw mismatch("an integer from \(I.min) to \(I.max)", I.self)
  }
  package func decode(_: Int.Type) throws -> Int { try integer(Int.self) }
  package func decode(_: Int8.Type) throws -> Int8 { try integer(Int8.self) }
  package func decode(_: Int16.Type) throws -> Int16 { try integer(Int16.self) }
  package func decode(_: Int32.Type) throws -> Int32 { try integer(Int32.self) }
  package func decode(_: Int64.Type) throws -> Int64 { try integer(Int64.self) }
  package func decode(_: UInt.Type) throws -> UInt { try integer(UInt.self) }
  package func decode(_: UInt8.Type) throws -> UInt8 { try integer(UInt8.self) }
  package func decode(_: UInt16.Type) throws -> UInt16 { try integer(UInt16.self) }
  package func decode(_: UInt32.Type) throws -> UInt32 { try integer(UInt32.self) }
  package func decode(_: UInt64.Type) throws -> UInt64 { try integer(UInt64.self) }
  package func decode<T: Decodable>(_ type: T.Type) throws -> T { try decodeValue(type) }
}

private struct Position: CodingKey {
  let index: Int
  init(_ index: Int) { self.index = index }
  init?(intValue: Int) { index = intValue }
  init?(stringValue _: String) { nil }
  var intValue: Int? { index }
  var stringValue: String { String(index + 1) }
}

private struct Fields<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let decoder: ValueDecoder
  let fields: [ChainValue.Field]
  var codingPath: [any CodingKey] { decoder.codingPath }
  var allKeys: [Key] { fields.compactMap { Key(stringValue: $0.name) } }

  private func field(_ key: any CodingKey) throws -> ValueDecoder {
    guard let field = fields.first(where: { $0.name == key.stringValue }) else {
      throw DecodingError.keyNotFound(key, DecodingError.Context(codingPath: codingPath, debugDescription: "is missing"))
    }
    return decoder.at(field.value, key)
  }

  func contains(_ key: Key) -> Bool { fields.contains { $0.name == key.stringValue } }
  func decodeNil(forKey key: Key) throws -> Bool { (fields.first { $0.name == key.stringValue }?.value ?? .null) == .null }
  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try field(key).decodeValue(type) }
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
    try field(key).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try field(key).unkeyedContainer() }
  func superDecoder() throws -> any Decoder { decoder }
  func superDecoder(forKey key: Key) throws -> any Decoder { try field(key) }
}

private struct Items: UnkeyedDecodingContainer {
  let decoder: ValueDecoder
  let items: [ChainValue]
  var currentIndex = 0
  var codingPath: [any CodingKey] { decoder.codingPath }
  var count: Int? { items.count }
  var isAtEnd: Bool { currentIndex >= items.count }

  init(decoder: ValueDecoder, items: [ChainValue]) {
    self.decoder = decoder
    self.items = items
  }

  private mutating func next() throws -> ValueDecoder {
    guard currentIndex < items.count else {
      throw DecodingError.valueNotFound(ChainValue.self, DecodingError.Context(codingPath: codingPath, debugDescription: "the list has too few items"))
    }
    defer { currentIndex += 1 }
    return decoder.at(items[currentIndex], Position(currentIndex))
  }

  mutating func decodeNil() throws -> Bool {
    guard currentIndex < items.count, items[currentIndex] == .null else { return false }
    currentIndex += 1
    return true
  }
  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next().decodeValue(type) }
  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
    try next().container(keyedBy: type)
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
  mutating func superDecoder() throws -> any Decoder { try next() }
}
