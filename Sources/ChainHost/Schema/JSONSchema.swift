import ChainBase

/// A type as JSON Schema (draft 2020-12): for OpenAPI, for tools of language models, for people.
package enum JSONSchema {
  /// The schema of a whole document, as JSON text.
  package static func text(of type: ChainType) -> String {
    var pace = Pace.unbounded
    return String(decoding: document(of: type, &pace).json, as: UTF8.self)
  }

  /// The schema of a whole document; part of it, when the rest is not wanted.
  static func document(of type: ChainType, _ pace: inout Pace) -> ChainValue {
    guard case .record(let fields) = value(of: type, &pace) else { return .record([]) }
    return .record([.init("$schema", "https://json-schema.org/draft/2020-12/schema")] + fields)
  }

  /// The schema as a value, to be part of a larger document.
  private static func value(of type: ChainType, _ pace: inout Pace) -> ChainValue {
    guard pace.goesOn(afterEntries: 4) else { return .null } // it takes as long
    var fields: [ChainValue.Field] = []
    func add(_ name: String, _ value: ChainValue) { fields.append(.init(name, value)) }
    switch type.kind {
    case .string:
      add("type", "string")
      addBounds(type, "minLength", "maxLength", &fields)
    case .integer:
      add("type", "integer")
      addRange(type, &fields)
    case .number: addNumber(type, &fields)
    case .boolean: add("type", "boolean")
    case .bytes, .blob:
      add("type", "string")
      add("contentEncoding", "base64")
      if let media = type.media { add("contentMediaType", .string(media)) }
    case .any: break
    case .list(let element):
      add("type", "array")
      add("items", value(of: element, &pace))
      addBounds(type, "minItems", "maxItems", &fields)
    case .map(let element):
      add("type", "object")
      add("additionalProperties", value(of: element, &pace))
      addBounds(type, "minProperties", "maxProperties", &fields)
    case .record(let declared): addRecord(declared, &fields, &pace)
    case .enumeration(let values):
      add("type", "string")
      add("enum", .list(values.map { .string($0) }))
    case .union(let members): add("anyOf", .list(members.map { value(of: $0, &pace) }))
    case .optional(let inner): add("anyOf", .list([value(of: inner, &pace), .record([.init("type", "null")])]))
    case .tensor(let element, let dimensions): addTensor(element, dimensions, &fields)
    case .stream(let item, _):
      add("type", "array")
      add("items", value(of: item, &pace))
    }
    if let doc = type.doc { add("description", .string(doc)) }
    if let given = type.defaultValue { add("default", given) }
    return .record(fields)
  }

  private static func addNumber(_ type: ChainType, _ fields: inout [ChainValue.Field]) {
    guard !type.finite else {
      fields.append(.init("type", "number"))
      return addRange(type, &fields)
    }
    var number: [ChainValue.Field] = [.init("type", "number")]
    addRange(type, &number)
    let words: ChainValue = .list(["NaN", "Infinity", "-Infinity"])
    fields.append(.init("anyOf", .list([.record(number), .record([.init("enum", words)])])))
  }

  private static func addRecord(_ declared: [ChainType.Field], _ fields: inout [ChainValue.Field], _ pace: inout Pace) {
    fields.append(.init("type", "object"))
    var properties: [ChainValue.Field] = []
    var required: [ChainValue] = []
    for field in declared {
      var inner = field.type
      var isOptional = inner.defaultValue != nil
      while case .optional(let wrapped) = inner.kind {
        isOptional = true
        inner = wrapped
        if let doc = field.type.doc, inner.doc == nil { inner.doc = doc }
        if let given = field.type.defaultValue, inner.defaultValue == nil { inner.defaultValue = given }
      }
      if inner.kind == .any { isOptional = true }
      properties.append(.init(field.name, value(of: inner, &pace)))
      if !isOptional { required.append(.string(field.name)) }
    }
    fields.append(.init("properties", .record(properties)))
    if !required.isEmpty { fields.append(.init("required", .list(required))) }
    fields.append(.init("additionalProperties", false))
  }

  /// As it is written: `{ data_b64, shape, dtype }`; inbound, nested lists are taken too.
  private static func addTensor(_ element: String, _ dimensions: [ChainType.Dimension], _ fields: inout [ChainValue.Field]) {
    let shape: ChainValue = [
      "type": "array", "items": ["type": "integer", "minimum": 0],
      "minItems": .integer(Int64(dimensions.count)), "maxItems": .integer(Int64(dimensions.count)),
    ]
    let packed: ChainValue = [
      "type": "object",
      "properties": [
        "data_b64": ["type": "string", "contentEncoding": "base64"], "shape": shape,
        "dtype": ["enum": .list([.string(element)])],
      ],
      "required": ["data_b64", "shape", "dtype"], "additionalProperties": false,
    ]
    fields.append(.init("anyOf", .list([packed, ["type": "array"]])))
  }

  private static func addBounds(_ type: ChainType, _ least: String, _ most: String, _ fields: inout [ChainValue.Field]) {
    if let min = type.min { fields.append(.init(least, .integer(Int64(clamping: min)))) }
    if let max = type.max { fields.append(.init(most, .integer(Int64(clamping: max)))) }
  }

  private static func addRange(_ type: ChainType, _ fields: inout [ChainValue.Field]) {
    func number(_ value: Double) -> ChainValue { Int64(exactly: value).map { .integer($0) } ?? .number(value) }
    if let min = type.min { fields.append(.init("minimum", number(min))) }
    if let max = type.max { fields.append(.init("maximum", number(max))) }
  }
}

extension Int64 {
  /// The nearest integer, for bounds that were written as numbers.
  fileprivate init(clamping value: Double) {
    self = value >= 0x1p63 ? .max : value <= -0x1p63 || value.isNaN ? .min : Int64(value)
  }
}
