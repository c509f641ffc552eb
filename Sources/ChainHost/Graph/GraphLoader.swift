import ChainBase
import CLuaGuard
import LuaBridge

/// Plans a graph: evaluates its files once, where nothing has an effect, and checks what they declare.
package enum GraphLoader {
  /// The graph, or all that is wrong with it.
  package struct Outcome {
    /// nil when there is a problem that is no warning.
    package var graph: Graph?
    /// Errors first, then warnings, each in the order of files and lines.
    package var problems: [Problem]
    /// What the plan was made with. Letting it go takes a while; whoever waits for the graph need not wait for that.
    package var remains: AnyObject?

    /// - Throws: a `Failure` of code `invalid_graph` whose message lists every problem.
    package func result() throws(Failure) -> Graph {
      guard let graph else { throw .invalidGraph(problems.filter { !$0.isWarning }) }
      return graph
    }
  }

  /// - Throws: a `Failure` of code `invalid_graph` whose message lists every problem.
  package static func load(_ source: GraphSource) throws(Failure) -> Graph { try check(source).result() }

  /// The planning state may make so many bytes before its garbage is looked for: all of it goes in a moment.
  private static let uncollected = 16 << 20

  package static func check(_ source: GraphSource) -> Outcome {
    do throws(GraphFiles.Missing) {
      let files = try source.files.open(limit: source.bounds.source ?? ChainletDeclaration.Limits().source)
      do throws(LuaError) {
        return try plan(source, files.entry, files.find)
      } catch { return Outcome(graph: nil, problems: [Problem("the graph cannot be planned: \(error.message)")]) }
    } catch { return Outcome(graph: nil, problems: [Problem(error.message, suggestion: error.suggestion)]) }
  }

  private static func plan(
    _ source: GraphSource, _ entry: GraphFiles.Text, _ find: @escaping (String) -> Result<GraphFiles.Text, GraphFiles.Missing>
  ) throws(LuaError) -> Outcome {
    let state = try LuaState(memoryLimit: source.memoryLimit)
    state.core.pointee.loading = 1
    let host = PlanningHost(source, entry: entry, find: find)
    try open(state, host)
    clg_wake_collector(state.core, uncollected)
    do throws(BoundedCallError) {
      try state.callBounded(arguments: 1, seconds: source.timeLimit)
    } catch {
      let (message, place): (String, SourcePlace?) =
        switch error {
        case .raised(let error): (error.message, nil)
        case .noMemory(let place): ("loading the files takes more than \(byteText(source.memoryLimit)) of memory", place)
        case .longString(let place): ("loading the files makes a string longer than \(byteText(state.stringLimit))", place)
        case .tooLong(let place):
          (
            "loading does not end: the files ran for \(RecordReader.number(source.timeLimit)) s; is there a loop at the top of a file?",
            place
          )
        case .waited: ("the file waits while it is loaded", nil)
        }
      host.add(Problem(message, place: place ?? SourcePlace(file: entry.path, line: 0)))
      try state.hostSection { _ = $0.push(kept: host.unknownReference) }
    }
    try PatternCheck(host, state).run()
    return try state.hostSection { stack in
      let result = stack.top
      let check = GraphCheck(host, stack)
      let graph = check.run(entryResult: result)
      stack.setTop(0)
      let problems = host.problems.inReadingOrder()
      guard problems.allSatisfy(\.isWarning), var graph else { return Outcome(graph: nil, problems: problems) }
      graph.warnings = problems
      return Outcome(graph: graph, problems: problems, remains: state)
    }
  }

  /// Opens the module, and leaves `require` and the mark of the entry file on the stack.
  private static func open(_ state: LuaState, _ host: PlanningHost) throws(LuaError) {
    // What stands for the value of something that had a problem: whatever is done with it gives it again.
    let unknown = """
      local unknown, mark = {}, { __metatable = false }
      mark.__index = function() return unknown end
      mark.__call, mark.__unm, mark.__concat, mark.__add, mark.__sub, mark.__mul, mark.__div =
        mark.__index, mark.__index, mark.__index, mark.__index, mark.__index, mark.__index, mark.__index
      mark.__newindex = function() end
      mark.__len = function() return 0 end
      mark.__lt = function() return false end
      mark.__le = mark.__lt
      return setmetatable(unknown, mark), mark
      """
    try state.hostSection { stack throws(LuaError) in
      if let message = Array(unknown.utf8).withUnsafeBytes({ stack.pushChunk($0, name: "unknown", mode: "t") }) {
        throw LuaError(.syntax, message)
      }
    }
    try state.call(arguments: 0, results: 2)
    try state.hostSection { stack in
      let identity = stack.identity(at: -1)
      _ = stack.keep()
      host.setUnknown(stack.keep(), identity: identity)
      stack.pushRealGlobals()
      state.push(NativeFunction { PlanningNatives.refuse("print", $0) }, onto: stack)
      stack.rawSet(-2, field: "print")
      stack.setTop(0)
    }
    host.chain = try AuthorModule.open(in: state, host: host) { PlanningNatives.push(to: $0, state: state, host: host) }
    try state.hostSection { stack in
      stack.pushRealGlobals()
      _ = stack.rawGet(-1, field: "require")
      stack.remove(at: -2)
      stack.push(lightUserdata: LiveHost.entryMark)
    }
  }
}
