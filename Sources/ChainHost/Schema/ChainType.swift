import ChainBase

/// A declared type, as a tree: what the author wrote. The runtime compiles it once into a `SchemaProgram`.
public struct ChainType: Sendable, Hashable {
  public indirect enum Kind: Sendable, Hashable {
    case string, integer, number, boolean, bytes, blob, any
    case list(ChainType)
    /// Keys are strings.
    case map(ChainType)
    /// Fields sorted by name, so that two records with the same fields are equal.
    case record([Field])
    /// The allowed values, in declared order.
    case enumeration([String])
    case union([ChainType])
    /// Only at a field of a record or as a whole output.
    case optional(ChainType)
    case tensor(element: String, dimensions: [Dimension])
    /// Items, and the result after them.
    case stream(ChainType, result: ChainType?)
  }

  public struct Field: Sendable, Hashable {
    public var name: String
    public var type: ChainType
    public init(name: String, type: ChainType) {
      self.name = name
      self.type = type
    }
  }

  public enum Dimension: Sendable, Hashable {
    case fixed(Int)
    /// Must agree within one message.
    case named(String)
  }

  public var kind: Kind
  /// Strings: code points; bytes and blobs: bytes; lists and maps: entries; numbers: the value itself.
  public var min: Double?
  public var max: Double?
  /// A Lua pattern that a string must contain, as `string.find` looks for it.
  public var pattern: String?
  /// `t.number { finite = false }` admits NaN and infinities.
  public var finite = true
  /// What an absent field is given.
  public var defaultValue: ChainValue?
  public var media: String?
  public var doc: String?

  public init(_ kind: Kind) { self.kind = kind }

  /// A record of no fields.
  public static let empty = ChainType(.record([]))
}
