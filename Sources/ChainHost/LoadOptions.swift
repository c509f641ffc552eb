import ChainBase

/// What a graph is loaded with.
public struct LoadOptions: Sendable {
  /// Values for `chain.config`, by name; they win over the declared defaults.
  public var configuration: [String: ChainValue] = [:]
  /// As text, by name: read as the declared type is (a string as it is, other types as JSON).
  public var settings: [String: String] = [:]
  /// Folders of libraries by the name under which files `require` them.
  public var libraries: [String: String] = [:]
  /// What `secrets = { "KEY" }` may ask for.
  public var secrets: [String: String] = [:]
  /// Swift functions in the place of chainlets, by name. Their resources are not opened.
  public var replacements: [String: Replacement] = [:]

  /// What the operator allows chainlets to ask for in their `limits`.
  public var limits = OperatorLimits()

  /// Modules and kinds of resources that a graph may name when it is checked without a host.
  public var modules: [PrimitiveModule] = []
  public var kinds: [ResourceKind] = []
  /// Told how far the loading of resources is: `chain.model encoder.onnx: 23 MB`. Any thread; must not block.
  public var progress: @Sendable (String) -> Void = { _ in }

  public init() {}

  /// - Throws: when a declared secret is missing, or a replacement names no chainlet.
  func check(_ graph: Graph) throws(Failure) {
    for index in graph.live {
      let declaration = graph.chainlets[index]
      for name in declaration.secrets where secrets[name] == nil && replacements[declaration.name] == nil {
        throw Failure(
          code: Failure.Code.invalidGraph,
          message: "\(declaration.place): \(declaration.name).secrets: the secret '\(name)' is not set; "
            + "set the environment variable \(name) or give it in Swift", chainlet: declaration.name)
      }
    }
    for name in replacements.keys.sorted() where graph.index(of: name) == nil {
      throw Failure(code: Failure.Code.invalidGraph, message: "there is no chainlet '\(name)' to replace")
    }
  }
}

extension LoadOptions {
  func source(_ file: String) -> GraphSource { complete(GraphSource(path: file, libraries: libraries)) }

  func source(_ files: [String: String], entry: String) -> GraphSource { complete(GraphSource(texts: files, entry: entry)) }

  private func complete(_ source: GraphSource) -> GraphSource {
    var source = source
    source.configuration.values = settings.mapValues { .text($0) }.merging(configuration.mapValues { .value($0) }) { $1 }
    source.configuration.parse = { text in try? ChainValue(json: Array(text.utf8)) }
    source.bounds = limits
    let modules = modules
    source.moduleNames = Set(modules.map(\.name))
    source.kinds = HostKinds.all + kinds + modules.flatMap(\.kinds)
    source.modules = { name, stack, state in
      BuiltInModule.push(name, onto: stack, of: state) || BuiltInModule.pushUnusable(name, modules, onto: stack, of: state)
    }
    return source
  }
}
