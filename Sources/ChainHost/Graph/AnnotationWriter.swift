import ChainBase

extension LuaAnnotations {
  /// The classes of one chainlet.
  struct Writer {
    let graph: Graph
    let kinds: [ResourceKind]
    let chainlet: ChainletDeclaration
    /// Each a list of lines; a blank line stands between two.
    private(set) var classes: [[String]] = []

    init(graph: Graph, kinds: [ResourceKind], chainlet: ChainletDeclaration) {
      self.graph = graph
      self.kinds = kinds
      self.chainlet = chainlet
    }

    private var name: String { "chainlet.\(chainlet.name)" }

    mutating func write() {
      input()
      stream()
      let parent = chainlet.parent.map { "chainlet.\($0)" } ?? "chain.Chainlet"
      var lines = comment(chainlet.doc)
      lines.append("---@class \(name) : \(parent)")
      lines.append("---@field run fun(self: \(name), req: \(name).input\(emit)): \(result)")
      if let parent = chainlet.parent { lines.append("---@field super chainlet.\(parent)") }
      lines += group([], "")
      if !chainlet.secrets.isEmpty {
        lines.append("---@field secrets { \(chainlet.secrets.map { "\($0): string" }.joined(separator: ", ")) }")
      }
      lines += ownMethods()
      lines += assignedFields()
      classes.append(lines)
    }

    private func comment(_ doc: String?) -> [String] {
      (doc ?? "").split(separator: "\n").map { "--- \($0)" }
    }

    // MARK: Input and output

    private var fields: [ChainType.Field] {
      if case .record(let fields) = chainlet.input.kind { return fields }
      return []
    }

    private mutating func input() {
      classes.append(["---@class \(name).input\(inherited)"] + fields.map { field($0, optional: LuaAnnotations.isOptional($0.type)) })
      guard fields.contains(where: { $0.type.defaultValue != nil || isStream($0.type) }) else { return }
      // What a caller may leave out is there when `run` reads it.
      classes.append(
        ["---@class \(name).arguments"]
          + fields.map { field($0, optional: LuaAnnotations.isOptional($0.type) || $0.type.defaultValue != nil) })
    }

    /// An input that is its parent's can be given to what it overrides.
    private var inherited: String {
      guard let parent = chainlet.parent.flatMap({ graph.chainlet(named: $0) }), parent.input == chainlet.input else { return "" }
      return " : chainlet.\(parent.name).input"
    }

    private func isStream(_ type: ChainType) -> Bool {
      if case .stream = type.kind { return true }
      return false
    }

    private func field(_ field: ChainType.Field, optional: Bool) -> String {
      let name = RecordReader.isIdentifier(field.name) ? field.name : "[\"\(field.name.replacing("\"", with: "\\\""))\"]"
      let doc = field.type.doc.map { " \($0.replacing("\n", with: " "))" } ?? ""
      return "---@field \(name)\(optional ? "?" : "") \(LuaAnnotations.text(of: LuaAnnotations.bare(field.type)))\(doc)"
    }

    /// One concrete class for each stream: a generic one loses the type of its items.
    private mutating func stream() {
      guard case .stream(let item, let result) = chainlet.output?.kind else { return }
      classes.append(["---@alias \(name).item \(LuaAnnotations.text(of: item))"])
      classes.append(["---@alias \(name).result \(result.map { LuaAnnotations.text(of: $0) } ?? "nil")"])
      classes.append([
        "---@class \(name).stream", "---@overload fun(): \(name).item?",
        "---@field result fun(self: \(name).stream): \(name).result", "---@field close fun(self: \(name).stream)",
      ])
    }

    private var emit: String {
      if case .stream = chainlet.output?.kind { return ", emit: fun(item: \(name).item)" }
      return ""
    }

    /// What `run` returns.
    private var result: String {
      switch chainlet.output?.kind {
      case .none: "nil"
      case .stream(_, let result): result.map { LuaAnnotations.text(of: $0) } ?? "nil"
      default: chainlet.output.map { LuaAnnotations.text(of: $0) } ?? "nil"
      }
    }

    // MARK: Needs and resources

    /// The fields of a group of needs and resources; a class for each group inside.
    private mutating func group(_ path: [String], _ suffix: String) -> [String] {
      var lines: [String] = []
      var inner: [String] = []
      for need in chainlet.needs where need.path.starts(with: path) && need.path.count > path.count {
        let own = need.path[path.count]
        if need.path.count == path.count + 1 {
          lines.append("---@field \(own) \(call(need.target))")
        } else if !inner.contains(own) {
          inner.append(own)
        }
      }
      for use in chainlet.uses where use.path.starts(with: path) && use.path.count > path.count {
        let own = use.path[path.count]
        if use.path.count == path.count + 1 {
          lines.append("---@field \(own) \(handle(use))")
        } else if !inner.contains(own) {
          inner.append(own)
        }
      }
      for own in inner {
        let fields = group(path + [own], "\(suffix).\(own)")
        classes.append(["---@class \(name)\(suffix).\(own)"] + fields)
        lines.append("---@field \(own) \(name)\(suffix).\(own)")
      }
      return lines
    }

    private func handle(_ use: ChainletDeclaration.Use) -> String {
      kinds.first { $0.name == use.kind }?.chosen(by: use.options).annotation ?? "any"
    }

    private func call(_ target: String) -> String {
      guard let callee = graph.chainlet(named: target) else { return "fun(req: any): any" }
      var fields: [ChainType.Field] = []
      if case .record(let all) = callee.input.kind { fields = all }
      let hasArguments = fields.contains { $0.type.defaultValue != nil || isStream($0.type) }
      let mayBeLeftOut = fields.allSatisfy { LuaAnnotations.isOptional($0.type) || $0.type.defaultValue != nil }
      var result = callee.output.map { LuaAnnotations.text(of: $0) } ?? "nil"
      if case .stream = callee.output?.kind { result = "chainlet.\(target).stream" }
      return "fun(req\(mayBeLeftOut ? "?" : ""): chainlet.\(target).\(hasArguments ? "arguments" : "input"), opts?: chain.CallOptions): \(result)"
    }

    // MARK: Methods and fields

    private func function(at place: SourcePlace) -> BytecodeScan? {
      graph.bundle.file(place.file).flatMap { BytecodeScan.function(at: place.line, in: $0.code) }
    }

    private func ownMethods() -> [String] {
      chainlet.methods.sorted { $0.key < $1.key }.compactMap { name, place in
        guard !RecordReader.hooks.contains(name), RecordReader.isIdentifier(name) else { return nil }
        guard let scan = function(at: place) else { return "---@field \(name) fun(...: any): any..." }
        var parameters = scan.parameters.map { $0 == "self" ? "self: \(self.name)" : "\($0)?: any" }
        if scan.isVariadic { parameters.append("...: any") }
        return "---@field \(name) fun(\(parameters.joined(separator: ", "))): any..."
      }
    }

    private func assignedFields() -> [String] {
      var names: Set<String> = []
      for place in chainlet.methods.values {
        guard let scan = function(at: place) else { continue }
        for access in scan.ofSelf where access.path.count == 1 && (access.kind == .write || access.kind == .writeFunction) {
          names.formUnion(access.path)
        }
      }
      let taken = Set(chainlet.needs.compactMap(\.path.first) + chainlet.uses.compactMap(\.path.first)).union(chainlet.methods.keys)
      return names.subtracting(taken).filter(RecordReader.isIdentifier).sorted().map { "---@field \($0) any" }
    }
  }
}

extension BytecodeScan {
  /// What the first function that begins in a line does.
  static func function(at line: Int, in code: [UInt8]) -> BytecodeScan? {
    guard let main = try? BytecodeReader.read(code) else { return nil }
    var open = [main]
    while let function = open.popLast() {
      if function.line == line, line > 0 { return BytecodeScan(function) }
      open += function.children.reversed()
    }
    return nil
  }
}
