import ChainBase

/// Types in words, as an author writes them, for messages and drawings.
extension ChainType {
  /// `t.list(t.string)`, without refinements.
  var text: String {
    switch kind {
    case .list(let item): "t.list(\(item.text))"
    case .map(let item): "t.map(\(item.text))"
    case .record(let fields):
      fields.isEmpty ? "{}" : "{ " + fields.map { "\($0.name) = \($0.type.text)" }.joined(separator: ", ") + " }"
    case .enumeration(let values): "t.enum { " + values.map { "\"\($0)\"" }.joined(separator: ", ") + " }"
    case .union(let members): "t.union(" + members.map(\.text).joined(separator: ", ") + ")"
    case .optional(let inner): "t.optional(\(inner.text))"
    case .tensor(let element, let dimensions): "t.tensor(\"\(element)\", { \(ChainType.text(of: dimensions)) })"
    case .stream(let item, let result): "t.stream(\(item.text)\(result.map { ", \($0.text)" } ?? ""))"
    default: constructorText
    }
  }

  static func text(of dimensions: [Dimension]) -> String {
    dimensions.map { dimension in
      switch dimension {
      case .fixed(let size): String(size)
      case .named(let name): "\"\(name)\""
      }
    }.joined(separator: ", ")
  }

  /// `t.list` for any list.
  var constructorText: String {
    switch kind {
    case .string: "t.string"
    case .integer: "t.integer"
    case .number: "t.number"
    case .boolean: "t.boolean"
    case .bytes: "t.bytes"
    case .blob: "t.blob"
    case .any: "t.any"
    case .list: "t.list"
    case .map: "t.map"
    case .record: "t.record"
    case .enumeration: "t.enum"
    case .union: "t.union"
    case .optional: "t.optional"
    case .tensor: "t.tensor"
    case .stream: "t.stream"
    }
  }

  /// One word or so for the edge of a drawing: `list of string`.
  var label: String {
    switch kind {
    case .list(let item): "list of \(item.label)"
    case .map(let item): "map of \(item.label)"
    case .record(let fields):
      fields.isEmpty ? "{}" : "{ " + fields.map { "\($0.name): \($0.type.label)" }.joined(separator: ", ") + " }"
    case .enumeration(let values): values.joined(separator: " | ")
    case .union(let members): members.map(\.label).joined(separator: " | ")
    case .optional(let inner): "\(inner.label)?"
    case .tensor(let element, let dimensions): "\(element)[\(ChainType.text(of: dimensions).replacing("\"", with: ""))]"
    case .stream(let item, let result): "stream of \(item.label)\(result.map { " then \($0.label)" } ?? "")"
    default: String(constructorText.dropFirst(2))
    }
  }
}
