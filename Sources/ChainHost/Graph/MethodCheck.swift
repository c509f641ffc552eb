import ChainBase
import LuaBridge

/// The methods that files assign to chainlets: hooks that are misspelt or written with a dot, needs called with a colon.
struct MethodCheck {
  let check: GraphCheck
  private var host: PlanningHost { check.host }
  private var stack: LuaStack { check.stack }

  init(_ check: GraphCheck) { self.check = check }

  /// One method and what its code says.
  private struct Method {
    var assignment: PlanningHost.Assignment
    var scan: BytecodeScan?
  }

  func run(reachable: Set<Int>) {
    var extended: Set<Int> = []
    for record in host.records { if let parent = record.parent { extended.insert(parent) } }
    for position in host.records.indices {
      let methods = host.records[position].assignments.map { Method(assignment: $0, scan: scan($0.function)) }
      assignments(position, methods)
      inherit(position)
      if !host.records[position].isRemote, !host.records[position].isBroken {
        completeness(position, isNeeded: reachable.contains(position) || !extended.contains(position), methods)
        SelfCheck(host, position, methods.compactMap { method in method.scan.map { (method.assignment, $0) } }).run()
      }
    }
  }

  private func scan(_ function: Int32) -> BytecodeScan? {
    guard function != 0 else { return nil }
    stack.push(kept: function)
    defer { stack.pop() }
    guard !stack.isNativeFunction(at: -1), let definition = stack.definition(at: -1) else { return nil }
    // The file's code holds it already, unless functions that begin in one line leave open which one it is.
    if let file = host.bundle.file(definition.file), let code = try? host.code(of: file) {
      let functions = code.functions(at: definition.line)
      if functions.count == 1 { return BytecodeScan(functions[0]) }
    }
    return try? BytecodeScan(stack.dump(stripped: false))
  }

  private func isTaken(_ function: Int32) -> Bool {
    guard function != 0 else { return false }
    stack.push(kept: function)
    defer { stack.pop() }
    return !stack.isNativeFunction(at: -1) && stack.definition(at: -1) == nil
  }

  private func problem(_ position: Int, _ method: Method, _ message: String, _ suggestion: String? = nil) {
    let name = host.records[position].declaration.name
    host.add(Problem(message, place: method.assignment.place, chainlet: name, field: method.assignment.name, suggestion: suggestion))
  }

  private func assignments(_ position: Int, _ methods: [Method]) {
    let chainlet = host.records[position].declaration.name
    var first: [String: SourcePlace] = [:]
    for method in methods {
      let name = method.assignment.name
      let isFunction = method.assignment.function != 0
      if let earlier = first[name] {
        problem(position, method, "is defined twice; the first is at \(earlier)", "rename or remove one of them")
        continue
      }
      first[name] = method.assignment.place
      if RecordReader.specKeys.contains(name) {
        problem(
          position, method, isFunction ? "'\(name)' is a key of the spec: a method cannot have this name" : "'\(name)' cannot be assigned",
          isFunction ? "give the method another name" : "write it in the declaration: chain.chainlet \"\(chainlet)\" { \(name) = … }")
      } else if ["extend", "with", "super"].contains(name) {
        problem(position, method, "every chainlet has '\(name)' already", "give it another name")
      } else if RecordReader.hooks.contains(name) {
        hook(position, method, name)
      }
      if isTaken(method.assignment.function) {
        problem(position, method, "a method cannot be taken from another chainlet", "extend it, or put the function into a local that both use")
      }
    }
  }

  private func hook(_ position: Int, _ method: Method, _ name: String) {
    let declaration = host.records[position].declaration
    if method.assignment.function == 0 {
      return problem(position, method, "\(name) must be a function, got \(method.assignment.found)", "write function \(declaration.name):\(name)(…)")
    }
    guard let scan = method.scan, !scan.isVariadic, scan.parameters.first != "self" else { return }
    var arguments = ["run": ["req"], "restore": ["saved"], "run_batch": ["reqs"]][name] ?? []
    if name == "run", case .stream = declaration.output?.kind { arguments.append("emit") }
    if scan.parameters.count <= arguments.count {
      let list = scan.parameters.isEmpty ? arguments.prefix(1).joined() : scan.parameters.joined(separator: ", ")
      problem(position, method, "\(name) is written with a dot, so it has no self", "write function \(declaration.name):\(name)(\(list))")
    }
  }

  /// Where the methods are, inherited ones too.
  private func inherit(_ position: Int) {
    if let parent = host.records[position].parent { host.records[position].declaration.methods = host.records[parent].declaration.methods }
    for assignment in host.records[position].assignments where assignment.function != 0 {
      host.records[position].declaration.methods[assignment.name] = assignment.place
    }
  }

  private func completeness(_ position: Int, isNeeded: Bool, _ methods: [Method]) {
    let declaration = host.records[position].declaration
    let has = declaration.methods
    let tried = Set(methods.map(\.assignment.name)).union(host.records[position].functionsInSpec)
    // The author's own methods are called somewhere; a misspelt hook is not.
    let called = Set(methods.flatMap { $0.scan?.ofSelf.map { $0.path[0] } ?? [] })
    var misspelt: Set<String> = []
    for method in methods where method.assignment.function != 0 {
      let name = method.assignment.name
      if RecordReader.hooks.contains(name) || called.contains(name) || RecordReader.specKeys.contains(name) { continue }
      let missing = RecordReader.hooks.filter { has[$0] == nil }
      if let hook = nearestName(to: name, among: missing) {
        misspelt.insert(hook)
        problem(position, method, "the host calls no method '\(name)', and nothing else does", "did you mean '\(hook)'?")
      }
    }
    func missing(_ message: String, _ suggestion: String?) {
      host.add(Problem(message, place: declaration.place, chainlet: declaration.name, suggestion: suggestion))
    }
    if isNeeded, has["run"] == nil, has["run_batch"] == nil, !tried.contains("run"), !misspelt.contains("run"), !misspelt.contains("run_batch") {
      missing("has no method run", "write function \(declaration.name):run(req) … end")
    }
    if has["run_batch"] != nil, declaration.batch == nil { missing("has run_batch but no batch in its spec", "write batch = { max_size = 32, max_delay = 0.002 }") }
    if declaration.batch != nil, has["run_batch"] == nil, isNeeded { missing("has batch in its spec but no method run_batch", "write function \(declaration.name):run_batch(reqs) … end") }
    if has["save"] != nil, has["restore"] == nil { missing("has save but no restore", "write function \(declaration.name):restore(saved) … end") }
    if has["restore"] != nil, has["save"] == nil { missing("has restore but no save", "write function \(declaration.name):save() … end") }
  }
}
