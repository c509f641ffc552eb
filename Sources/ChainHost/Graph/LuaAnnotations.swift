import ChainBase

/// What `chainrun types` writes beside a graph, so that an editor completes and checks it: annotations as the language
/// servers of Lua read them.
package enum LuaAnnotations {
  /// `.chainrun/chain.lua`: the module `chain`, the same for every graph.
  package static var module: String { String(decoding: PackageResources.annotations_lua, as: UTF8.self) }

  /// `.chainrun/json.lua`: the module `json`.
  package static let json = """
    ---@meta json

    local json = {}

    ---@param value any
    ---@return string
    function json.encode(value) end

    ---@param text string
    ---@return any
    function json.decode(text) end

    --- Marks a table as a list, so that an empty one is written as `[]`.
    ---@generic T
    ---@param list? T
    ---@return T
    function json.array(list) end

    ---@type any
    json.null = nil

    return json

    """

  /// `.chainrun/text.lua`: the module `text`.
  package static let text = """
    ---@meta text

    local text = {}

    --- One of Unicode's normal forms.
    ---@param value string
    ---@param form? "nfc"|"nfd"|"nfkc"|"nfkd"
    ---@return string
    function text.normalize(value, form) end

    --- The words, without spaces and punctuation.
    ---@param value string
    ---@return string[]
    function text.words(value) end

    ---@param value string
    ---@return string[]
    function text.sentences(value) end

    ---@class text.ChunkOptions
    ---@field size integer characters, or tokens, at most
    ---@field overlap? integer of the end of the part before, at most
    ---@field tokenizer? chain.Tokenizer what counts tokens; characters are counted without it

    --- Parts of bounded size, cut between sentences, else between words, else between characters.
    ---@param value string
    ---@param options text.ChunkOptions
    ---@return string[]
    function text.chunks(value, options) end

    return text

    """

  /// `.chainrun/tensor.lua`: the module `tensor`.
  package static var tensor: String { String(decoding: PackageResources.tensor_annotations_lua, as: UTF8.self) }

  /// `.emmyrc.json`: silences the hint that a method without use for `self` should be written with a dot, and the warning
  /// at each `list[1].field` that the list may be empty.
  package static let settings = """
    {
      "runtime": { "version": "Lua5.4" },
      "strict": { "arrayIndex": false },
      "diagnostics": { "disable": ["unused"] }
    }

    """

  /// `.chainrun/types.lua`: one class for each chainlet.
  /// - Parameter kinds: those that the graph's resources may be of, beside the host's own.
  package static func types(of graph: Graph, kinds: [ResourceKind] = []) -> String {
    var text = "---@meta _\n"
    for chainlet in graph.chainlets {
      var writer = Writer(graph: graph, kinds: HostKinds.all + kinds, chainlet: chainlet)
      writer.write()
      text += writer.classes.map { "\n" + $0.joined(separator: "\n") + "\n" }.joined()
    }
    return text
  }

  /// A type as annotations write it.
  static func text(of type: ChainType) -> String {
    switch type.kind {
    case .string, .bytes: "string"
    case .integer: "integer"
    case .number: "number"
    case .boolean: "boolean"
    case .any: "any"
    case .blob: "chain.Blob"
    case .tensor: "chain.Tensor"
    case .list(let item): "\(grouped(item))[]"
    case .map(let item): "table<string, \(text(of: item))>"
    case .record(let fields):
      fields.isEmpty
        ? "{}" : "{ " + fields.map { "\(key($0.name))\(isOptional($0.type) ? "?" : ""): \(text(of: bare($0.type)))" }.joined(separator: ", ") + " }"
    case .enumeration(let values): values.map { quoted($0) }.joined(separator: "|")
    case .union(let members): members.map(grouped).joined(separator: "|")
    case .optional(let inner): "\(grouped(inner))?"
    case .stream(let item, _): "fun(): \(grouped(item))?"
    }
  }

  static func isOptional(_ type: ChainType) -> Bool {
    switch type.kind {
    case .optional, .any: true
    default: false
    }
  }

  static func bare(_ type: ChainType) -> ChainType {
    if case .optional(let inner) = type.kind { return inner }
    return type
  }

  private static func grouped(_ type: ChainType) -> String {
    switch type.kind {
    case .union, .enumeration, .optional, .stream: "(\(text(of: type)))"
    default: text(of: type)
    }
  }

  private static func key(_ name: String) -> String { RecordReader.isIdentifier(name) ? name : "[\(quoted(name))]" }

  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
  }
}
