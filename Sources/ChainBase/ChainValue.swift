/// A value as JSON knows it, with integers, floats and bytes told apart. For the rim: inputs written in Swift,
/// details of failures, configuration. The runtime never builds one on the path of a call.
public enum ChainValue: Sendable, Hashable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case bytes([UInt8])
  case list([ChainValue])
  /// Fields in the order in which they were given.
  case record([Field])
  /// A native object, by reference.
  case reference(NativeReference)

  public struct Field: Sendable, Hashable {
    public var name: String
    public var value: ChainValue
    public init(_ name: String, _ value: ChainValue) {
      self.name = name
      self.value = value
    }
  }

  /// The field of a record, or nil.
  public subscript(name: String) -> ChainValue? {
    guard case .record(let fields) = self else { return nil }
    return fields.first { $0.name == name }?.value
  }
}

extension ChainValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(nilLiteral: ()) { self = .null }
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(arrayLiteral elements: ChainValue...) { self = .list(elements) }
  public init(dictionaryLiteral elements: (String, ChainValue)...) {
    self = .record(elements.map { Field($0.0, $0.1) })
  }
}
