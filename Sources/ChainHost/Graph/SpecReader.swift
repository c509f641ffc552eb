import ChainBase
import LuaBridge

/// From the table behind `chain.chainlet "Name"` to a declaration.
extension RecordReader {
  static let specKeys = ["input", "output", "needs", "uses", "secrets", "limits", "scaling", "batch", "doc"]
  static let hooks = ["init", "run", "run_batch", "save", "restore", "close"]
  /// What people write for a key of the spec.
  static let otherWords = [
    "inputs": "input", "outputs": "output", "need": "needs", "dependencies": "needs", "deps": "needs", "use": "uses",
    "resources": "uses", "secret": "secrets", "limit": "limits", "description": "doc", "docs": "doc", "name": "",
    "timeout": "limits", "memory": "limits", "cpu": "limits", "concurrency": "scaling", "returns": "output", "params": "input",
    "models": "uses",
  ]

  /// Reads the spec at `index` into `declaration`, which holds what it inherits.
  func spec(_ stack: LuaStack, _ index: Int32, into declaration: inout ChainletDeclaration) {
    guard kind(stack, index) == .plainTable else {
      if kind(stack, index) == .unknown { return }
      let got = stack.type(at: index) == .nil || stack.type(at: index) == .none ? "nothing" : describe(stack, index)
      return note("a chainlet's spec is a table, got \(got)", "write chain.chainlet \"\(declaration.name)\" { input = …, output = … }")
    }
    let index = stack.absolute(index)
    let (names, others) = keys(stack, index)
    if let first = others.first { note("a spec names its keys, got a value at \(first)", "the keys are \(RecordReader.specKeys.joined(separator: ", "))") }
    for name in names where !RecordReader.specKeys.contains(name) { unknownKey(stack, index, name) }
    for name in RecordReader.specKeys where names.contains(name) {
      stack.rawGet(index, field: name)
      within(name) { key(name, stack, into: &declaration) }
      stack.pop()
    }
  }

  private func unknownKey(_ stack: LuaStack, _ index: Int32, _ name: String) {
    stack.rawGet(index, field: name)
    let isFunction = stack.type(at: -1) == .function
    stack.pop()
    within(name) {
      if isFunction {
        note("a function does not belong in the spec", "write it below: function X:\(name)(…)")
      } else if let other = RecordReader.otherWords[name] {
        note("unknown key '\(name)'", other.isEmpty ? "the name stands before the spec" : "did you mean '\(other)'?")
      } else {
        note("unknown key '\(name)'", didYouMean(name, RecordReader.specKeys) ?? "the keys are \(RecordReader.specKeys.joined(separator: ", "))")
      }
    }
  }

  private func key(_ name: String, _ stack: LuaStack, into declaration: inout ChainletDeclaration) {
    if kind(stack, -1) == .unknown { return }
    if stack.type(at: -1) == .function, constructor(stack, -1) == nil {
      return note("'\(name)' is a key of the spec and cannot be a function", "a method has another name")
    }
    switch name {
    case "input": input(stack, into: &declaration)
    case "output":
      if let type = type(stack, -1, place: .output) { declaration.output = type }
    case "needs":
      let own = needs(stack, -1, depth: 0)
      declaration.needs = (declaration.needs.filter { old in !own.contains { conflicts($0.path, old.path) } } + own)
        .sorted { $0.path.lexicographicallyPrecedes($1.path) }
    case "uses":
      let own = uses(stack, -1, depth: 0)
      declaration.uses = (declaration.uses.filter { old in !own.contains { conflicts($0.path, old.path) } } + own)
        .sorted { $0.path.lexicographicallyPrecedes($1.path) }
    case "secrets": secrets(stack, into: &declaration)
    case "limits": limits(stack, into: &declaration.limits)
    case "scaling": scaling(stack, into: &declaration.scaling)
    case "batch": batch(stack, into: &declaration)
    default:
      if let text = stack.text(at: -1) {
        declaration.doc = text
      } else {
        note("doc must be a string, got \(describe(stack, -1))")
      }
    }
  }

  /// Two paths of which one replaces the other when specs merge.
  private func conflicts(_ a: [String], _ b: [String]) -> Bool { a.starts(with: b) || b.starts(with: a) }

  private func input(_ stack: LuaStack, into declaration: inout ChainletDeclaration) {
    let before = notes.count
    guard let type = type(stack, -1, place: .input) else { return }
    if case .record = type.kind {
      declaration.input = type
    } else if notes.count == before {
      note("the input is a record of named fields, got \(type.text)", "write input = { value = \(type.text) }")
    }
  }

  // MARK: Needs and resources

  private func needs(_ stack: LuaStack, _ index: Int32, depth: Int) -> [ChainletDeclaration.Need] {
    guard depth < 8 else {
      tooDeep("the group")
      return []
    }
    guard kind(stack, index) == .plainTable, step(), stack.ensure(8) else {
      note("needs is a table of chainlets by name, got \(describe(stack, index))", "write needs = { say_hello = SayHello }")
      return []
    }
    let index = stack.absolute(index)
    let (names, others) = keys(stack, index)
    if let first = others.first { note("a need has a name, got a value at \(first)", "write needs = { say_hello = SayHello }") }
    var found: [ChainletDeclaration.Need] = []
    for name in names where step() {
      stack.rawGet(index, field: name)
      defer { stack.pop() }
      within(name) {
        if !RecordReader.isIdentifier(name) { note("a need's name must be a Lua name: letters, digits and _") }
        switch kind(stack, -1) {
        case .chainlet:
          if let target = target(stack, -1) { found.append(ChainletDeclaration.Need(path: groupPath, target: target)) }
        case .need:
          if let need = need(stack, -1) { found.append(need) }
        case .plainTable: found += needs(stack, -1, depth: depth + 1)
        case .unknown: break
        case .pending: note("expected a chainlet, got one without its spec", "complete it first: chain.chainlet \"Name\" { … }")
        case .use: note("expected a chainlet, got a resource", "resources belong in uses")
        default:
          note("expected a chainlet, got \(describe(stack, -1))", stack.type(at: -1) == .string ? "write the chainlet itself, not its name" : nil)
        }
      }
    }
    return found
  }

  /// Where the reader is, below `needs` or `uses`.
  private var groupPath: [String] { Array(path.dropFirst()) }

  private func target(_ stack: LuaStack, _ index: Int32) -> String? {
    stack.identity(at: index).flatMap { names[$0] }
  }

  private func need(_ stack: LuaStack, _ index: Int32) -> ChainletDeclaration.Need? {
    let index = stack.absolute(index)
    stack.rawGet(index, field: "class")
    let isChainlet = kind(stack, -1) == .chainlet
    let name = target(stack, -1)
    let isNested = kind(stack, -1) == .need
    stack.pop()
    guard isChainlet, let name else {
      note(isNested ? "with is called on something that has options already" : "with is called with a dot", "write SayHello:with { timeout = 30 }", word: "with")
      return nil
    }
    var need = ChainletDeclaration.Need(path: groupPath, target: name)
    stack.rawGet(index, at: 1)
    defer { stack.pop() }
    guard kind(stack, -1) == .plainTable, count(stack, index) == 1 else {
      note("with takes a table of options, got \(describe(stack, -1))", "write \(name):with { timeout = 30 }", word: "with")
      return need
    }
    let options = ["timeout", "retries", "concurrency"]
    let (names, others) = keys(stack, -1)
    if let first = others.first { note("an option has a name, got a value at \(first)", "with knows \(options.joined(separator: ", "))", word: "with") }
    for option in names {
      stack.rawGet(-1, field: option)
      switch option {
      case "timeout": need.timeout = seconds(stack, option)
      case "retries": need.retries = whole(stack, option, in: 0...100) ?? 0
      case "concurrency": need.concurrency = whole(stack, option, in: 1...1_000_000)
      case "fallback", "hedge": note("the option '\(option)' comes in a later step", word: option)
      default: note("with has no option '\(option)'", didYouMean(option, options) ?? "it knows \(options.joined(separator: ", "))", word: option)
      }
      stack.pop()
    }
    return need
  }

  private func uses(_ stack: LuaStack, _ index: Int32, depth: Int) -> [ChainletDeclaration.Use] {
    guard depth < 8 else {
      tooDeep("the group")
      return []
    }
    guard kind(stack, index) == .plainTable, step(), stack.ensure(8) else {
      note("uses is a table of resources by name, got \(describe(stack, index))", "write uses = { encoder = chain.model { … } }")
      return []
    }
    let index = stack.absolute(index)
    let (names, others) = keys(stack, index)
    if let first = others.first { note("a resource has a name, got a value at \(first)", "write uses = { encoder = chain.model { … } }") }
    var found: [ChainletDeclaration.Use] = []
    for name in names where step() {
      stack.rawGet(index, field: name)
      defer { stack.pop() }
      within(name) {
        if !RecordReader.isIdentifier(name) { note("a resource's name must be a Lua name: letters, digits and _") }
        switch kind(stack, -1) {
        case .use:
          if let use = use(stack, -1) { found.append(use) }
        case .plainTable: found += uses(stack, -1, depth: depth + 1)
        case .unknown: break
        case .chainlet, .need: note("expected a resource, got \(describe(stack, -1))", "chainlets belong in needs")
        default: note("expected a resource, got \(describe(stack, -1))", "for example chain.model { … }")
        }
      }
    }
    return found
  }

  private func use(_ stack: LuaStack, _ index: Int32) -> ChainletDeclaration.Use? {
    let index = stack.absolute(index)
    stack.rawGet(index, field: "kind")
    let kind = stack.text(at: -1) ?? "?"
    stack.pop()
    stack.rawGet(index, at: 1)
    defer { stack.pop() }
    if stack.type(at: -1) == .nil { return ChainletDeclaration.Use(path: groupPath, kind: kind, options: .record([])) }
    guard self.kind(stack, -1) == .plainTable else {
      let written = kind.contains(".") ? kind : "chain.\(kind)"
      note("\(written) takes a table of options, got \(describe(stack, -1))", "write \(written) { … }")
      return nil
    }
    return value(stack, -1).map { ChainletDeclaration.Use(path: groupPath, kind: kind, options: $0) }
  }

  static func isIdentifier(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(48...57).contains(first), !luaWords.contains(name), name.utf8.count <= 100 else { return false }
    return name.utf8.allSatisfy { $0 == 95 || (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) }
  }

  static let luaWords: Set<String> = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil", "not", "or",
    "repeat", "return", "then", "true", "until", "while",
  ]
}
