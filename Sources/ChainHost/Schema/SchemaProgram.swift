import ChainBase

/// A type, compiled once: what every interpreter (Lua to Lua, JSON in and out, Swift values) runs on.
///
/// It never changes after `init`, so any thread may use it; its memory goes with the object, which whoever runs an
/// interpreter holds.
package final class SchemaProgram: Sendable {
  package let type: ChainType
  /// The slots that a crossing needs on each of its stacks: the caller makes room before it starts.
  package let stackDepth: Int32
  /// The one input field that is a stream, if there is one: a crossing leaves it to the caller's hook.
  package let streamField: StreamField?

  package struct StreamField: Sendable {
    /// Its place among the fields, sorted by name.
    package let index: Int
    package let name: String
    package let items: SchemaProgram
  }

  let nodes: FlatArray<SchemaNode>
  let fields: FlatArray<SchemaField>
  let members: FlatArray<SchemaMember>
  let names: FlatArray<SchemaName>
  let text: FlatArray<UInt8>
  let dimensions: FlatArray<SchemaDimension>
  let dimensionNames: [String]
  let patterns: [String]
  let defaults: [ChainValue]
  /// The types of the nodes, by `origin`, for messages.
  let origins: [ChainType]

  package init(_ type: ChainType) {
    var compiler = SchemaCompiler()
    _ = compiler.add(type)
    self.type = type
    stackDepth = Int32(clamping: compiler.slots(of: 0, depth: 0) + 12)
    nodes = FlatArray(compiler.nodes)
    fields = FlatArray(compiler.fields)
    members = FlatArray(compiler.members)
    names = FlatArray(compiler.names)
    text = FlatArray(compiler.text + [UInt8](repeating: 0, count: 16)) // room for copies by blocks
    dimensions = FlatArray(compiler.dimensions)
    dimensionNames = compiler.dimensionNames
    patterns = compiler.patterns
    defaults = compiler.defaults
    origins = compiler.origins
    streamField = SchemaProgram.streamField(of: type)
  }

  deinit {
    nodes.deallocate()
    fields.deallocate()
    members.deallocate()
    names.deallocate()
    text.deallocate()
    dimensions.deallocate()
  }

  /// The names of the fields of the outermost record, sorted.
  package var fieldNames: [String] {
    guard case .record(let fields) = type.kind else { return [] }
    return fields.map(\.name)
  }

  var root: UnsafeMutablePointer<SchemaNode> { nodes.start }

  @inline(__always) func bytes(ofName index: Int32) -> UnsafeRawBufferPointer {
    let name = names[index]
    return UnsafeRawBufferPointer(start: text.start + Int(name.offset), count: Int(name.length))
  }

  func string(ofName index: Int32) -> String { String(decoding: bytes(ofName: index), as: UTF8.self) }

  private static func streamField(of type: ChainType) -> StreamField? {
    guard case .record(let fields) = type.kind else { return nil }
    for (index, field) in fields.enumerated() {
      var inner = field.type
      while case .optional(let wrapped) = inner.kind { inner = wrapped }
      if case .stream(let item, _) = inner.kind { return StreamField(index: index, name: field.name, items: SchemaProgram(item)) }
    }
    return nil
  }
}
