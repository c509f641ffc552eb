import ChainBase
import LuaBridge

/// Names that are not there, the configuration, and what cannot be done while files are loaded.
extension PlanningHost {
  private static let otherTypes = [
    "int": "integer", "float": "number", "double": "number", "bool": "boolean", "str": "string", "text": "string",
    "array": "list", "object": "record", "table": "record", "struct": "record", "dict": "map", "null": "optional",
    "option": "optional", "maybe": "optional", "oneof": "union", "one_of": "union", "json": "any", "binary": "bytes",
    "image": "blob",
  ]

  /// The table of types, a name that it does not have.
  func unknownType(_ stack: LuaStack) -> Int32 {
    let name = stack.text(at: 2) ?? reader.describe(stack, 2)
    let known = ["list", "map", "record", "enum", "union", "optional", "tensor", "stream"] + RecordReader.simpleKinds.keys.sorted()
    let near = PlanningHost.otherTypes[name.lowercased()] ?? nearestName(to: name, among: known)
    add(
      Problem(
        "there is no type t.\(name)", place: place(stack, level: 1),
        suggestion: near.map { "did you mean t.\($0)?" } ?? "the types are \(known.map { "t.\($0)" }.joined(separator: ", "))"),
      pointingAt: [name])
    return pushUnknown(stack)
  }

  /// A type, a field that is asked of it.
  func typeField(_ stack: LuaStack) -> Int32 {
    let name = stack.text(at: 2) ?? "?"
    let type = reader.typeText(stack, 1)
    let fix =
      name == "optional" || name == "nullable"
      ? "write t.optional(\(type))" : "a type is refined by calling it: \(type) { min = 1 }"
    add(Problem("a type has no fields, and no '\(name)'", place: place(stack, level: 1), suggestion: fix))
    return pushUnknown(stack)
  }

  /// The module `chain`, a name that it does not have.
  func unknownName(_ stack: LuaStack) -> Int32 {
    let name = stack.text(at: 2) ?? reader.describe(stack, 2)
    let known =
      ["chainlet", "remote", "types", "config", "const", "model", "store", "limiter", "sqlite"] + PlanningNatives.names
    add(
      Problem(
        "there is no chain.\(name)", place: place(stack, level: 1),
        suggestion: nearestName(to: name, among: known).map { "did you mean chain.\($0)?" }))
    return pushUnknown(stack)
  }

  // MARK: Configuration

  func configure(_ stack: LuaStack) -> Int32 {
    let place = place(stack, level: 1)
    guard reader.kind(stack, 1) == .plainTable else {
      if reader.kind(stack, 1) != .unknown {
        add(Problem("chain.config takes a table of types, got \(reader.describe(stack, 1))", place: place, suggestion: "write chain.config { model = t.string { default = \"small\" } }"))
      }
      return pushUnknown(stack)
    }
    let (names, others) = reader.keys(stack, 1)
    if let first = others.first { add(Problem("chain.config names its values, got one at \(first)", place: place)) }
    stack.pushTable(fields: Int32(clamping: names.count))
    let result = stack.top
    for name in names {
      stack.rawGet(1, field: name)
      let type = reader.within(name) { reader.type(stack, -1, place: .configuration) }
      stack.pop()
      let isGood = reader.notes.isEmpty
      takeNotes(of: "chain.config", at: place)
      guard isGood, let type else {
        stack.push(kept: unknownReference)
        stack.rawSet(result, field: name)
        continue
      }
      guard let value = configured(name, type, place) else { continue }
      RecordReader.push(value, to: stack)
      stack.rawSet(result, field: name)
    }
    stack.setTop(result)
    // Its values are the same in every state: a table that two chainlets may share.
    if let identity = stack.identity(at: result) { moduleValues.insert(identity) }
    stack.push(copyOf: result)
    _ = stack.keep()
    return 1
  }

  private func configured(_ name: String, _ type: ChainType, _ place: SourcePlace?) -> ChainValue? {
    func problem(_ message: String, _ suggestion: String? = nil) {
      add(Problem(message, place: place, chainlet: "chain.config", field: name, suggestion: suggestion), pointingAt: [name])
    }
    if let known = configuration.schema.first(where: { $0.name == name }) {
      if known.type != type { problem("'\(name)' is declared twice, with different types") }
      return configuration.values.first { $0.name == name }?.value
    }
    configuration.schema.append(ChainType.Field(name: name, type: type))
    configuration.schema.sort { $0.name < $1.name }
    var value = type.defaultValue ?? .null
    if let given = source.configuration.values[name] {
      switch given {
      case .value(let given): value = ValueCheck.fitted(given, to: type)
      case .text(let text):
        if case .string = type.kind {
          value = .string(text)
        } else if case .enumeration = type.kind {
          value = .string(text)
        } else if let parsed = source.configuration.parse(text) {
          value = ValueCheck.fitted(parsed, to: type)
        } else {
          problem("the configured value \"\(text.prefix(60))\" is no \(type.label)")
          return nil
        }
      }
    }
    if value == .null {
      if case .optional = type.kind { return nil }
      if case .any = type.kind { return nil }
      problem("has no value and no default", "set it: --set \(name)=…, or give it a default")
      return nil
    }
    if let mismatch = ValueCheck.mismatch(value, type) {
      problem("the configured value does not fit: \(mismatch)")
      return nil
    }
    configuration.values.append(ChainValue.Field(name, value))
    configuration.values.sort { $0.name < $1.name }
    return value
  }

  /// Values that were given and that no file declares.
  func checkConfiguration() {
    let known = configuration.schema.map(\.name)
    for name in source.configuration.values.keys.sorted() where !known.contains(name) {
      add(
        Problem(
          "'\(name)' is configured, but no chain.config declares it",
          suggestion: nearestName(to: name, among: known).map { "did you mean '\($0)'?" }))
    }
  }
}

/// What the runtime offers in `chain`, while files are loaded: names that say so.
enum PlanningNatives {
  static let names = [
    "map", "each", "settle", "all", "race", "async", "background", "sleep", "timeout", "context", "stream", "mutex", "describe",
    "try", "failure", "log",
  ]
  /// Making one has no effect.
  private static let harmless: Set<String> = ["mutex", "failure"]

  static func push(to stack: LuaStack, state: LuaState, host: PlanningHost) {
    stack.pushTable(fields: Int32(names.count))
    func add(_ name: String, as field: String, _ body: @escaping (LuaStack) -> Int32) {
      state.push(NativeFunction(body), onto: stack)
      stack.rawSet(-2, field: field)
    }
    for name in names where name != "log" {
      if harmless.contains(name) {
        add(name, as: name) { [unowned host] in host.pushUnknown($0) }
      } else {
        add(name, as: name) { refuse("chain.\(name)", $0) }
      }
    }
    stack.pushTable(fields: 4)
    for level in ["debug", "info", "warn", "error"] { add(level, as: level) { refuse("chain.log.\(level)", $0) } }
    stack.rawSet(-2, field: "log")
    stack.pushTable(fields: 1)
    add("unknown", as: "__index") { [unowned host] in host.unknownName($0) }
    stack.setMetatable(of: -2)
  }

  static func refuse(_ name: String, _ stack: LuaStack) -> Int32 {
    stack.fail("\(name) is not available while a file is loaded: nothing with an effect is; call it in a method")
  }
}
