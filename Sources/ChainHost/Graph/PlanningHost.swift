import ChainBase
import LuaBridge

/// The planning state: every file is evaluated once, every declaration noted, nothing lives, nothing has an effect.
final class PlanningHost: AuthorHost {
  /// One chainlet as it was declared.
  struct Record {
    var declaration: ChainletDeclaration
    var parent: Int?
    var isRemote = false
    /// It has no name, or no parent where it should: nothing more is said about it.
    var isBroken = false
    var assignments: [Assignment] = []
    /// Names under which the spec holds a function, where none belongs.
    var functionsInSpec: Set<String> = []
  }

  /// `function X:name(…)`, or `X.name = …`.
  struct Assignment {
    var name: String
    var place: SourcePlace
    /// The registry reference of the function; 0 for another value.
    var function: Int32
    var found: String
  }

  let reader = RecordReader()
  let source: GraphSource
  let find: (String) -> Result<GraphFiles.Text, GraphFiles.Missing>
  var bundle: Bundle
  var entry: GraphFiles.Text?
  var problems: [Problem] = []
  var records: [Record] = []
  /// Positions in `records` by the identity of their tables.
  var positions: [UnsafeRawPointer: Int] = [:]
  var configuration = Graph.Configuration()
  var chain: Int32 = 0
  /// Names that held nothing in a spec: who declared, the name, whether it was to be a need.
  var missing: [(chainlet: String, name: String, isNeed: Bool)] = []
  /// Identities of the values of files: a module is no table that two chainlets share by accident.
  var moduleValues: Set<UnsafeRawPointer> = []
  private var begun: [(place: SourcePlace, name: String?, isComplete: Bool)] = []
  private var values: [String: Int32] = [:]
  private var builtIns: [String: Int32] = [:]
  private var files: [String] = []
  private var soughtBuiltIns: Set<String> = []
  private var unknown: Int32 = 0
  var unknownReference: Int32 { unknown }
  private var trace: [(file: String, line: Int, function: String?)] = []
  private var words: [String: SourceWords] = [:]
  private var codes: [String: BytecodeReader.Prototype] = [:]

  init(
    _ source: GraphSource, entry: GraphFiles.Text, find: @escaping (String) -> Result<GraphFiles.Text, GraphFiles.Missing>
  ) {
    self.source = source
    self.find = find
    self.entry = entry
    bundle = Bundle(entry: entry.path)
  }

  // MARK: Problems

  /// Adds a problem with the line of its place, pointing at the last name of `path` where it is found below the place.
  func add(_ problem: Problem, pointingAt path: [String] = []) {
    var problem = problem
    var column = 0
    if let place = problem.place, let file = bundle.file(place.file) {
      if !path.isEmpty {
        if let found = words(of: place.file)?.place(of: path, from: place.line) {
          problem.place?.line = found.line
          column = found.column
        }
      }
      if let line = problem.place?.line, let text = file.line(line) {
        if column == 0 { column = (text.firstIndex { $0 != " " && $0 != "\t" }).map { text.distance(from: text.startIndex, to: $0) + 1 } ?? 0 }
        problem.excerpt = Problem.Excerpt(line: text, column: column)
      }
    }
    problems.append(problem)
  }

  /// The words of a file, read once.
  func words(of file: String) -> SourceWords? {
    if words[file] == nil { words[file] = bundle.file(file).map { SourceWords($0.text) } }
    return words[file]
  }

  /// The compiled form of a file, taken apart once; nil for one that did not compile.
  func code(of file: SourceFile) throws(BytecodeReader.Unknown) -> BytecodeReader.Prototype? {
    guard !file.code.isEmpty else { return nil }
    if let known = codes[file.path] { return known }
    let code = try BytecodeReader.read(file.code)
    codes[file.path] = code
    return code
  }

  func takeNotes(of chainlet: String?, at place: SourcePlace?) {
    for note in reader.notes {
      let field = note.path.joined(separator: ".").replacing(".[", with: "[")
      add(
        Problem(note.message, place: place, chainlet: chainlet, field: field.isEmpty ? nil : field, suggestion: note.suggestion),
        pointingAt: note.path + (note.word.map { [$0] } ?? []))
    }
    reader.notes = []
  }

  func place(_ stack: LuaStack, level: Int32) -> SourcePlace? {
    var level = level
    while level < 32 {
      if let place = stack.filePlace(level: level) { return SourcePlace(file: place.file, line: place.line) }
      level += 1
    }
    return nil
  }

  func pushUnknown(_ stack: LuaStack) -> Int32 {
    stack.push(kept: unknown)
    return 1
  }

  // MARK: Declaring

  /// kind, parent, name, spec… → a mark.
  func begins(_ stack: LuaStack) -> Int32 {
    let kind = stack.text(at: 1) ?? ""
    let place = place(stack, level: 2) ?? SourcePlace(file: bundle.entry, line: 0)
    let name = stack.text(at: 3)
    let before = problems.count
    let call = kind == "extend" ? "Base:extend" : "chain.\(kind)"
    if kind == "extend", reader.kind(stack, 2) != .chainlet {
      if reader.kind(stack, 2) != .unknown {
        add(Problem("extend is called with a dot", place: place, suggestion: "write Base:extend \"Name\" { … }"))
      }
    } else if name == nil {
      let got = stack.type(at: 3) == .nil || stack.type(at: 3) == .none ? "nothing" : reader.describe(stack, 3)
      if reader.kind(stack, 3) != .unknown {
        add(Problem("\(call) takes the chainlet's name first, got \(got)", place: place, suggestion: "write \(call) \"Name\" { input = …, output = … }"))
      }
    } else if let name, !RecordReader.isIdentifier(name) {
      add(Problem("a chainlet's name is a word of letters, digits and _, got \"\(name.prefix(60))\"", place: place))
    } else if let name, stack.top > 3 {
      add(Problem("\(call) takes the name alone", place: place, chainlet: name, suggestion: "write \(call) \"\(name)\" { … }, without parentheses and comma"))
    }
    begun.append((place, name, isComplete: problems.count > before))
    stack.push(integer: Int64(begun.count - 1))
    return 1
  }

  /// class, methods, name, parent, kind, mark, spec…
  func declare(_ stack: LuaStack) -> Int32 {
    let mark = stack.isInteger(at: 6) ? Int(stack.integer(at: 6)) : -1
    guard begun.indices.contains(mark) else { return 0 }
    let place = begun[mark].place
    let given = stack.text(at: 3) ?? "?"
    let name = String(given.prefix(100))
    var declaration = ChainletDeclaration(name: name, place: place, file: files.last ?? bundle.entry)
    var record = Record(declaration: declaration)
    record.isBroken = !RecordReader.isIdentifier(given) || (stack.text(at: 5) == "extend" && stack.type(at: 4) != .table)
    begun[mark].isComplete = true
    if stack.type(at: 4) == .table, let parent = stack.identity(at: 4).flatMap({ positions[$0] }) {
      declaration.inherit(records[parent].declaration)
      record.parent = parent
    }
    if let identity = stack.identity(at: 1) {
      reader.names[identity] = name
      positions[identity] = records.count
      // The table must outlive the plan, or another could have its address.
      stack.push(copyOf: 1)
      _ = stack.keep()
    }
    if stack.text(at: 5) == "remote" {
      record.isRemote = true
      if !source.features.contains(.remote) { add(Problem("chainlets that live elsewhere (chain.remote) come in a later step", place: place, chainlet: name)) }
    } else {
      while stack.top < 7 { stack.pushNil() }
      reader.spec(stack, 7, into: &declaration)
      record.functionsInSpec = Set(reader.notes.filter { $0.message.hasPrefix("a function does not belong") }.compactMap(\.path.first))
      takeNotes(of: name, at: place)
      noteMissingValues(stack, 7, of: name, at: place)
    }
    record.declaration = declaration
    records.append(record)
    stack.push(boolean: false)
    return 1
  }

  /// class, name, value
  func assigned(_ stack: LuaStack) -> Int32 {
    guard let position = stack.identity(at: 1).flatMap({ positions[$0] }) else { return 0 }
    let place = place(stack, level: 2) ?? records[position].declaration.place
    guard let name = stack.text(at: 2) else {
      add(Problem("a method has a name, got \(reader.describe(stack, 2))", place: place, chainlet: records[position].declaration.name))
      return 0
    }
    var function: Int32 = 0
    let found = reader.describe(stack, 3)
    if stack.type(at: 3) == .function {
      stack.push(copyOf: 3)
      function = stack.keep()
    }
    records[position].assignments.append(Assignment(name: name, place: place, function: function, found: found))
    return 0
  }

  // MARK: Requiring

  func find(_ stack: LuaStack) -> Int32 {
    let text: GraphFiles.Text
    if let first = entry, stack.type(at: 1) == .lightUserdata {
      entry = nil
      text = first
    } else {
      guard let name = stack.text(at: 1) else {
        add(Problem("require takes the name of a module, got \(reader.describe(stack, 1))", place: place(stack, level: 2)))
        return unknownModule(stack)
      }
      if isBuiltIn(name) { return builtIn(name, stack) }
      switch find(name) {
      case .failure(let missing):
        add(Problem(missing.message, place: requirePlace(stack, name), suggestion: missing.suggestion))
        return unknownModule(stack)
      case .success(let found):
        text = found
        bundle.modules[name] = found.path
      }
    }
    if let reference = values[text.path] {
      stack.pushNil()
      stack.push(kept: reference)
      return 2
    }
    if files.contains(text.path) {
      let circle = files.drop { $0 != text.path } + [text.path]
      add(Problem("files require each other in a circle: \(circle.joined(separator: " → "))", place: requirePlace(stack, stack.text(at: 1) ?? ""), suggestion: "move what both need into a third file"))
      return unknownModule(stack)
    }
    return compile(text, stack)
  }

  /// Where `require` was called. A tail call leaves no trace of itself: then the line is found in the text.
  private func requirePlace(_ stack: LuaStack, _ name: String) -> SourcePlace? {
    guard let current = files.last else { return nil }
    if let place = stack.filePlace(level: 2), place.file == current { return SourcePlace(file: current, line: place.line) }
    let line = bundle.file(current)?.line(containing: ["\"\(name)\"", "'\(name)'"]) ?? 0
    return SourcePlace(file: current, line: line)
  }

  private func unknownModule(_ stack: LuaStack) -> Int32 {
    stack.pushNil()
    stack.push(kept: unknown)
    return 2
  }

  private func compile(_ text: GraphFiles.Text, _ stack: LuaStack) -> Int32 {
    let readable = SourceText.readable(text.bytes)
    let message: String?
    if text.bytes.first == 27 {
      message = "it is compiled Lua; chainrun takes source text only"
    } else {
      message = readable.withUnsafeBytes { stack.pushChunk($0, name: text.path, mode: "t") }
    }
    var code: [UInt8] = []
    if message == nil { code = stack.dump(stripped: false) }
    bundle.add(SourceFile(path: text.path, text: text.bytes, code: code))
    if let message {
      let (line, sentence) = SourceText.split(message)
      add(Problem(sentence, place: SourcePlace(file: text.path, line: line)))
      stack.push(kept: unknown)
      values[text.path] = stack.keep()
      return unknownModule(stack)
    }
    files.append(text.path)
    stack.push(text: text.path)
    return 2
  }

  private func isBuiltIn(_ name: String) -> Bool { ModuleFinder.builtIn.contains(name) || source.moduleNames.contains(name) }

  private func builtIn(_ name: String, _ stack: LuaStack) -> Int32 {
    // Once for each name: a search that finds nothing reads the whole folder for a suggestion.
    if soughtBuiltIns.insert(name).inserted, case .success(let file) = find(name) {
      add(Problem("\(file.path) has the name of the built-in module '\(name)' and can never be required", place: requirePlace(stack, name), suggestion: "rename the file"))
    }
    stack.pushNil()
    if name == "chain" {
      stack.push(kept: chain)
      return 2
    }
    if stack.pushLibrary(name) { return 2 }
    if let reference = builtIns[name] {
      stack.push(kept: reference)
      return 2
    }
    if let owner = LuaState.owner(of: stack), source.modules(name, stack, owner) {
      stack.push(copyOf: -1)
      builtIns[name] = stack.keep()
      return 2
    }
    add(Problem("module '\(name)' comes in a later step", place: requirePlace(stack, name)))
    stack.push(kept: unknown)
    return 2
  }

  func explain(_ stack: LuaStack) -> Int32 {
    trace = stack.filePlaces(from: 1)
    stack.setTop(1)
    return 1
  }

  /// path, whether it ended well, its value or error
  func loaded(_ stack: LuaStack) -> Int32 {
    let path = stack.text(at: 1) ?? ""
    if !files.isEmpty { files.removeLast() }
    let endedWell = stack.boolean(at: 2)
    stack.setTop(3)
    if !endedWell {
      raised(stack, path)
      stack.push(kept: unknown)
    } else if stack.type(at: 3) == .nil {
      if files.isEmpty { stack.pushNil() } else { stack.push(boolean: true) }
    } else {
      stack.push(copyOf: 3)
    }
    if stack.type(at: -1) == .table, let identity = stack.identity(at: -1) { moduleValues.insert(identity) }
    stack.push(copyOf: -1)
    values[path] = stack.keep()
    return 1
  }

  private func raised(_ stack: LuaStack, _ path: String) {
    // What it had begun to declare is not the author's mistake.
    for mark in begun.indices { begun[mark].isComplete = true }
    guard let message = stack.text(at: 3) else {
      add(Problem("an error was raised while the file was loaded: \(reader.describe(stack, 3))", place: trace.first.map { SourcePlace(file: $0.file, line: $0.line) } ?? SourcePlace(file: path, line: 0)))
      return
    }
    let (line, sentence) = SourceText.split(message)
    // The message's own place is that of the innermost call whose line it names.
    let own = trace.first { $0.line == line }
    let place = line > 0 ? SourcePlace(file: own?.file ?? path, line: line) : trace.first.map { SourcePlace(file: $0.file, line: $0.line) }
    add(Problem(sentence, place: place ?? SourcePlace(file: path, line: 0)))
  }

  // MARK: The rest

  func pushExtras(to stack: LuaStack, state: LuaState) {
    func add(_ name: String, _ body: @escaping (LuaStack) -> Int32) {
      state.push(NativeFunction { $0.ensure(32) ? body($0) : $0.fail("stack overflow") }, onto: stack)
      stack.rawSet(-2, field: name)
    }
    add("begins") { [unowned self] in begins($0) }
    add("assigned") { [unowned self] in assigned($0) }
    add("unknown_type") { [unowned self] in unknownType($0) }
    add("type_field") { [unowned self] in typeField($0) }
    add("pending_field") { [unowned self] in pushUnknown($0) }
  }

  /// Notes the names that wait for a spec until the end.
  func checkIncomplete() {
    for (place, name, isComplete) in begun where !isComplete {
      add(Problem("the chainlet is not complete: its spec is missing", place: place, chainlet: name, suggestion: "write chain.chainlet \"\(name ?? "Name")\" { input = …, output = … }"))
    }
  }

  func setUnknown(_ reference: Int32, identity mark: UnsafeRawPointer?) {
    unknown = reference
    reader.marks.unknown = mark
  }
}
