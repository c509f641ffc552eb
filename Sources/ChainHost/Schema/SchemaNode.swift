/// What a compiled type is made of: plain structs in flat memory, found by index, so that the interpreters touch neither
/// reference counts nor trees of enums.
enum SchemaKind: UInt8 {
  case string, integer, number, boolean, bytes, blob, any, list, map, record, enumeration, union, optional, tensor, stream
}

/// One type. Which members mean something depends on its kind.
struct SchemaNode {
  var kind: SchemaKind
  /// There is a bound or a pattern to look at.
  var limited = false
  /// Numbers: NaN and infinities are refused.
  var finite = true
  /// Records: the fields; enumerations: the values; unions: the members; tensors: the dimensions.
  var count: Int32 = 0
  /// Records: the first of the fields; enumerations: of the names; unions: of the members; tensors: of the dimensions.
  var first: Int32 = 0
  /// Lists, maps, optionals: the node of what is inside; tensors: which of `DType.allCases`.
  var element: Int32 = 0
  /// Unions: the name of the field that tells the records among the members apart, or -1.
  var tag: Int32 = -1
  /// Strings: the pattern, or -1.
  var pattern: Int32 = -1
  /// The bounds of counts, lengths and integers.
  var least = Int64.min
  var most = Int64.max
  /// The bounds of floats.
  var leastNumber = -Double.infinity
  var mostNumber = Double.infinity
  /// The type in the tree that it was made from, for messages.
  var origin: Int32 = 0
}

/// A field of a record.
struct SchemaField {
  enum Absence: UInt8 { case refused, allowed, filled }
  var node: Int32
  var name: Int32
  var absence: Absence
  /// `.filled`: which of the defaults.
  var fill: Int32 = -1
}

/// A member of a union.
struct SchemaMember {
  var node: Int32
  /// The value of the union's tag in this member, as a name, or -1.
  var tagValue: Int32 = -1
}

/// A field name or an enumeration's value: a slice of the program's bytes.
struct SchemaName {
  var offset: Int32
  var length: Int32
  /// The same as JSON, between quotes and escaped.
  var jsonOffset: Int32
  var jsonLength: Int32
}

/// An array that never changes, without bounds checks or reference counts on reading. Who reads it holds its owner, and
/// takes indices only from the program that it belongs to.
struct FlatArray<Element: BitwiseCopyable>: @unchecked Sendable {
  let start: UnsafeMutablePointer<Element>
  let count: Int

  init(_ elements: [Element]) {
    count = elements.count
    start = .allocate(capacity: Swift.max(1, elements.count))
    elements.withUnsafeBufferPointer { if let base = $0.baseAddress { start.initialize(from: base, count: $0.count) } }
  }

  func deallocate() { start.deallocate() }
  @inline(__always) subscript(index: Int32) -> Element { start[Int(index)] }
}

extension SchemaNode: BitwiseCopyable {}
extension SchemaField: BitwiseCopyable {}
extension SchemaMember: BitwiseCopyable {}
extension SchemaName: BitwiseCopyable {}
