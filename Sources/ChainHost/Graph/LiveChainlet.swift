import ChainBase
import LuaBridge

/// A chainlet in its own state: its file has been evaluated, its methods are there to be called.
///
/// References are the state's own, kept as long as it lives.
package struct LiveChainlet {
  /// The table of its methods: what `self` inherits. Methods of what it extends stand behind its `__index`.
  package var classReference: Int32
  /// The methods that the host calls, inherited ones too; 0 for those that it does not have.
  package var run: Int32 = 0
  package var initialize: Int32 = 0
  package var save: Int32 = 0
  package var restore: Int32 = 0
  package var close: Int32 = 0
  package var runBatch: Int32 = 0
  /// The module `chain`.
  package var moduleReference: Int32

  /// Seconds that the evaluation of a file may run.
  static let evaluationLimit = 5.0

  /// Evaluates the chainlet's file, and what it requires, in its state. The calling thread must not run Lua.
  /// - Parameters:
  ///   - native: pushes the table of what the runtime offers in `chain`.
  ///   - modules: pushes the built-in modules but `chain`.
  /// - Throws: a `Failure` of code `invalid_graph`, when the file fails or declares something else than it did in the plan.
  package static func evaluate(
    _ declaration: ChainletDeclaration, in graph: Graph, state: LuaState, native: ((LuaStack) -> Void)?,
    modules: @escaping (String, LuaStack, LuaState) -> Bool = { _, _, _ in false }
  ) throws(Failure) -> LiveChainlet {
    let host = LiveHost(declaration, graph: graph, modules: modules)
    state.core.pointee.loading = 1
    defer {
      state.core.pointee.loading = 0
      host.isLoading = false
    }
    do throws(LuaError) {
      host.chain = try AuthorModule.open(in: state, host: host, native: native)
      try state.hostSection { stack throws(LuaError) in
        stack.pushRealGlobals()
        stack.rawGet(-1, field: "require")
        stack.remove(at: -2)
        stack.push(lightUserdata: LiveHost.entryMark)
      }
    } catch { throw host.failure(error, in: state) }
    do throws(BoundedCallError) {
      try state.callBounded(arguments: 1, seconds: evaluationLimit)
    } catch {
      switch error {
      case .raised(let error): throw host.failure(error.message)
      case .noMemory(let place):
        throw Failure.evaluation(of: declaration.file, for: declaration.name, exceeds: state.memoryLimit, at: place)
      case .longString(let place):
        throw host.failure("evaluating \(declaration.file) makes a string longer than \(byteText(state.stringLimit))", place)
      case .tooLong(let place):
        throw host.failure("evaluating \(declaration.file) does not end: it ran for \(Int(evaluationLimit)) s", place)
      case .waited: throw host.failure("\(declaration.file) waits while it is evaluated")
      }
    }
    return try host.live(in: state)
  }
}

/// What a chainlet's own state does when its file declares or requires something: its target and what that extends come
/// to life, and must declare what they declared in the plan.
final class LiveHost: AuthorHost {
  let reader = RecordReader()
  let declaration: ChainletDeclaration
  private let graph: Graph
  private let modules: (String, LuaStack, LuaState) -> Bool
  private let lineage: Set<String>
  /// Declarations of this state, by name.
  private var declared: [String: ChainletDeclaration] = [:]
  private var values: [String: Int32] = [:]
  /// The host's modules that were required, by name: each is made once.
  private var builtIns: [String: Int32] = [:]
  private var loadingFiles: [String] = []
  private var classReference: Int32 = 0
  var chain: Int32 = 0
  var isLoading = true

  /// What the host itself gives to `require` for the chainlet's file.
  /// Its address is all that it has: nothing is ever read from it or written to it.
  nonisolated(unsafe) static let entryMark = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)

  init(_ declaration: ChainletDeclaration, graph: Graph, modules: @escaping (String, LuaStack, LuaState) -> Bool) {
    self.declaration = declaration
    self.graph = graph
    self.modules = modules
    lineage = Set(graph.lineage(of: declaration))
  }

  func pushExtras(to stack: LuaStack, state: LuaState) {}

  func failure(_ message: String, _ place: SourcePlace? = nil) -> Failure {
    Failure(code: Failure.Code.invalidGraph, message: message + (place.map { " at \($0)" } ?? ""), chainlet: declaration.name)
  }

  func failure(_ error: LuaError, in state: LuaState) -> Failure {
    error.kind == .memory ? .stateTooSmall(for: declaration.name, memory: state.memoryLimit) : failure(error.message)
  }

  // MARK: Declaring

  func declare(_ stack: LuaStack) -> Int32 {
    guard let name = stack.text(at: 3) else { return stack.fail("a chainlet needs a name", level: 2) }
    guard isLoading else {
      return stack.fail("chainlet \(name) is declared while the chain runs: declare it at the top of its file", level: 2)
    }
    if let identity = stack.identity(at: 1) { reader.names[identity] = name }
    let isLive = lineage.contains(name)
    if isLive {
      guard let planned = graph.chainlet(named: name), declared[name] == nil else { return otherwise(stack, name) }
      var found = ChainletDeclaration(name: name, place: planned.place, file: planned.file)
      if stack.type(at: 4) == .table {
        let parent = stack.identity(at: 4).flatMap { reader.names[$0] } ?? ""
        guard let above = declared[parent] else { return otherwise(stack, name) }
        found.inherit(above)
      }
      reader.spec(stack, 7, into: &found)
      guard reader.notes.isEmpty, found.declaresTheSame(as: planned) else { return otherwise(stack, name) }
      declared[name] = found
      if name == declaration.name {
        stack.push(copyOf: 2)
        classReference = stack.keep()
      }
    }
    stack.push(boolean: isLive)
    return 1
  }

  private func otherwise(_ stack: LuaStack, _ name: String) -> Int32 {
    stack.fail(
      "\(name) is declared otherwise here than when the graph was planned: a declaration must not depend on time, chance or what other files did",
      level: 2)
  }

  func configure(_ stack: LuaStack) -> Int32 {
    // Checked when the graph was planned: the values of the names that are asked for here.
    let (names, _) = reader.keys(stack, 1)
    stack.pushTable(fields: Int32(clamping: names.count))
    for name in names {
      guard let field = graph.configuration.values.first(where: { $0.name == name }) else { continue }
      RecordReader.push(field.value, to: stack)
      stack.rawSet(-2, field: name)
    }
    return 1
  }

  // MARK: Requiring

  func find(_ stack: LuaStack) -> Int32 {
    let file: SourceFile?
    if stack.type(at: 1) == .lightUserdata, stack.lightUserdata(at: 1) == LiveHost.entryMark, isLoading {
      file = graph.bundle.file(declaration.file)
    } else {
      guard let name = stack.text(at: 1) else { return stack.fail("require takes the name of a module, got \(stack.describe(at: 1))", level: 2) }
      if pushBuiltIn(name, stack) { return 2 }
      file = graph.bundle.file(ofModule: name)
      if file == nil { return stack.fail("module '\(name)' is not part of this graph: at run time require finds only what was loaded with it", level: 2) }
    }
    guard let file else { return stack.fail("its file is not in the bundle", level: 2) }
    if let reference = values[file.path] {
      stack.pushNil()
      stack.push(kept: reference)
      return 2
    }
    guard isLoading else {
      return stack.fail("\(file.path) was not loaded by \(declaration.name): require it at the top of \(declaration.file)", level: 2)
    }
    if loadingFiles.contains(file.path) {
      return stack.fail("files require each other in a circle: \((loadingFiles.drop { $0 != file.path } + [file.path]).joined(separator: " → "))", level: 2)
    }
    loadingFiles.append(file.path)
    if let message = file.code.withUnsafeBytes({ stack.pushChunk($0, name: file.path, mode: "b") }) { return stack.fail(message) }
    stack.push(text: file.path)
    return 2
  }

  private func pushBuiltIn(_ name: String, _ stack: LuaStack) -> Bool {
    stack.pushNil()
    if name == "chain" {
      stack.push(kept: chain)
      return true
    }
    if stack.pushLibrary(name) { return true }
    if let reference = builtIns[name] {
      stack.push(kept: reference)
      return true
    }
    if let owner = LuaState.owner(of: stack), modules(name, stack, owner) {
      stack.push(copyOf: -1)
      builtIns[name] = stack.keep()
      return true
    }
    stack.pop()
    return false
  }

  func loaded(_ stack: LuaStack) -> Int32 {
    let path = stack.text(at: 1) ?? ""
    loadingFiles.removeLast(loadingFiles.isEmpty ? 0 : 1)
    guard stack.boolean(at: 2) else {
      stack.push(copyOf: 3)
      return -1 // the trampoline raises it as it is
    }
    stack.setTop(3)
    if stack.type(at: 3) == .nil || stack.type(at: 3) == .none {
      stack.push(boolean: true)
      stack.replace(at: 3)
    }
    stack.push(copyOf: 3)
    values[path] = stack.keep()
    stack.push(copyOf: 3)
    return 1
  }

  // MARK: The result

  func live(in state: LuaState) throws(Failure) -> LiveChainlet {
    guard classReference != 0 else {
      throw failure("\(declaration.file) does not declare \(declaration.name) when it is evaluated in a state of its own")
    }
    let reference = classReference
    let module = chain
    do throws(LuaError) {
      return try state.hostSection { stack in
        stack.setTop(0)
        var live = LiveChainlet(classReference: reference, moduleReference: module)
        live.run = LiveHost.keepMethod("run", of: reference, stack)
        live.initialize = LiveHost.keepMethod("init", of: reference, stack)
        live.save = LiveHost.keepMethod("save", of: reference, stack)
        live.restore = LiveHost.keepMethod("restore", of: reference, stack)
        live.close = LiveHost.keepMethod("close", of: reference, stack)
        live.runBatch = LiveHost.keepMethod("run_batch", of: reference, stack)
        return live
      }
    } catch { throw failure(error, in: state) }
  }

  /// Keeps a method of a class, looking at what it extends too; 0 when there is none.
  private static func keepMethod(_ name: String, of reference: Int32, _ stack: LuaStack) -> Int32 {
    let top = stack.top
    defer { stack.setTop(top) }
    stack.push(kept: reference)
    for _ in 0..<RecordReader.deepest {
      if stack.rawGet(-1, field: name) == .function { return stack.keep() }
      stack.pop()
      guard stack.pushMetatable(of: -1), stack.rawGet(-1, field: "__index") == .table else { return 0 }
      stack.replace(at: top + 1)
      stack.setTop(top + 1)
    }
    return 0
  }
}
