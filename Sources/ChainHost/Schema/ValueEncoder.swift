import ChainBase

/// Any `Encodable` to `ChainValue`.
package final class ValueEncoder: Encoder {
  package let codingPath: [any CodingKey] = []
  package var userInfo: [CodingUserInfoKey: Any] { [:] }
  fileprivate let slot = Slot()

  /// Where a value is built; containers of it fill it in place.
  fileprivate final class Slot {
    enum Content {
      case value(ChainValue)
      case fields([(String, Slot)])
      case items([Slot])
    }
    var content = Content.value(.null)

    var value: ChainValue {
      switch content {
      case .value(let value): value
      case .fields(let fields): .record(fields.map { ChainValue.Field($0.0, $0.1.value) }.filter { $0.value != .null })
      case .items(let items): .list(items.map(\.value))
      }
    }
  }

  package static func encode(_ value: some Encodable) throws -> ChainValue {
    let encoder = ValueEncoder()
    try encoder.put(value, in: encoder.slot)
    return encoder.slot.value
  }

  fileprivate func put(_ value: some Encodable, in slot: Slot) throws {
    switch value {
    case let value as ChainValue: slot.content = .value(value)
    case let value as Bool: slot.content = .value(.boolean(value))
    case let value as String: slot.content = .value(.string(value))
    case let value as Double: slot.content = .value(.number(value))
    case let value as Float: slot.content = .value(.number(Double(value)))
    case let value as any FixedWidthInteger: slot.content = .value(try ValueEncoder.integer(value))
    default:
      let inner = ValueEncoder()
      try value.encode(to: inner)
      slot.content = inner.slot.content
    }
  }

  private static func integer(_ value: some FixedWidthInteger) throws -> ChainValue {
    guard let exact = Int64(exactly: value) else {
      throw EncodingError.invalidValue(value, EncodingError.Context(codingPath: [], debugDescription: "\(value) is larger than Lua's integers"))
    }
    return .integer(exact)
  }

  package func container<Key: CodingKey>(keyedBy _: Key.Type) -> KeyedEncodingContainer<Key> {
    if case .fields = slot.content {} else { slot.content = .fields([]) }
    return KeyedEncodingContainer(Fields(encoder: self, slot: slot))
  }
  package func unkeyedContainer() -> any UnkeyedEncodingContainer {
    slot.content = .items([])
    return Items(encoder: self, slot: slot)
  }
  package func singleValueContainer() -> any SingleValueEncodingContainer { Single(encoder: self, slot: slot) }

  private struct Fields<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: ValueEncoder
    let slot: Slot
    var codingPath: [any CodingKey] { [] }

    private func field(_ name: String) -> Slot {
      let field = Slot()
      if case .fields(let fields) = slot.content { slot.content = .fields(fields + [(name, field)]) }
      return field
    }
    mutating func encodeNil(forKey key: Key) throws { _ = field(key.stringValue) }
    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws { try encoder.put(value, in: field(key.stringValue)) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy _: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
      let field = field(key.stringValue)
      field.content = .fields([])
      return KeyedEncodingContainer(Fields<Nested>(encoder: encoder, slot: field))
    }
    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
      let field = field(key.stringValue)
      field.content = .items([])
      return Items(encoder: encoder, slot: field)
    }
    mutating func superEncoder() -> any Encoder { encoder }
    mutating func superEncoder(forKey _: Key) -> any Encoder { encoder }
  }

  private struct Items: UnkeyedEncodingContainer {
    let encoder: ValueEncoder
    let slot: Slot
    var codingPath: [any CodingKey] { [] }
    var count: Int {
      if case .items(let items) = slot.content { return items.count }
      return 0
    }

    private func item() -> Slot {
      let item = Slot()
      if case .items(let items) = slot.content { slot.content = .items(items + [item]) }
      return item
    }
    mutating func encodeNil() throws { _ = item() }
    mutating func encode<T: Encodable>(_ value: T) throws { try encoder.put(value, in: item()) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy _: Nested.Type) -> KeyedEncodingContainer<Nested> {
      let item = item()
      item.content = .fields([])
      return KeyedEncodingContainer(Fields<Nested>(encoder: encoder, slot: item))
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
      let item = item()
      item.content = .items([])
      return Items(encoder: encoder, slot: item)
    }
    mutating func superEncoder() -> any Encoder { encoder }
  }

  private struct Single: SingleValueEncodingContainer {
    let encoder: ValueEncoder
    let slot: Slot
    var codingPath: [any CodingKey] { [] }
    mutating func encodeNil() throws { slot.content = .value(.null) }
    mutating func encode<T: Encodable>(_ value: T) throws { try encoder.put(value, in: slot) }
  }
}
