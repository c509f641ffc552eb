import ChainBase
import ChainLoop
import Synchronization

/// The embedder's face: a host of chains on one or more lanes.
///
/// ```swift
/// let host = try ChainHost(lanes: 2)
/// let chain = try await host.load("graph.lua")
/// let reply = try await chain.run(["names": ["Ada", "Grace"]])
/// ```
public final class ChainHost: Sendable {
  /// What the clock, chance and threads are.
  public let environment: any Environment
  let lanes: [Lane]
  private let nextGeneration = Atomic<UInt64>(1)
  private let nextRequest = Atomic<UInt64>(1)
  private let nextLane = Atomic<Int>(0)
  private let modules = Monitor<[PrimitiveModule]>([])

  /// Starts the lanes. Any thread.
  /// - Parameters:
  ///   - lanes: threads that run chainlets, each with states of its own; at least 1.
  ///   - environment: the real one, unless a simulation drives the host.
  ///   - log: called on a lane with every line that chainlets print or log; must not block.
  public init(
    lanes: Int = 1, environment: any Environment = RealEnvironment(), log: @escaping @Sendable (LogLine) -> Void = { _ in }
  ) {
    self.environment = environment
    self.lanes = (0..<max(1, lanes)).map { Lane(index: $0, environment: environment, log: log) }
    for lane in self.lanes { lane.start() }
  }

  /// Plans the graph of an entry file and makes its states on every lane. Any thread.
  /// - Throws: a `Failure` of code `invalid_graph` that lists every problem, or what an `init` failed with.
  public func load(_ file: String, _ options: LoadOptions = LoadOptions()) async throws(Failure) -> Chain {
    try await load(options.source(file), options)
  }

  /// As `load`, for a graph whose files are given as text by their paths; `entry` is one of them.
  public func load(files: [String: String], entry: String = "graph.lua", _ options: LoadOptions = LoadOptions()) async throws(Failure) -> Chain {
    try await load(options.source(files, entry: entry), options)
  }

  /// Gives chainlets a module of Swift functions for `require`; graphs that are loaded afterwards have it. Any thread.
  /// A module of the same name is replaced.
  public func add(_ module: PrimitiveModule) {
    modules.withLock { modules in
      modules.removeAll { $0.name == module.name }
      modules.append(module)
    }
  }

  private func load(_ source: GraphSource, _ options: LoadOptions) async throws(Failure) -> Chain {
    try await load(read(source, options))
  }

  /// The first half of `load`: every file is read, nothing is built yet. Any thread.
  package func read(_ file: String, _ options: LoadOptions = LoadOptions()) async throws(Failure) -> ReadGraph {
    try await read(options.source(file), options)
  }

  private func read(_ source: GraphSource, _ options: LoadOptions) async throws(Failure) -> ReadGraph {
    var source = source
    let modules = modules.withLock { $0 }
    source.moduleNames = Set(modules.map(\.name))
    source.modules = { name, stack, state in
      BuiltInModule.push(name, onto: stack, of: state) || BuiltInModule.pushUnusable(name, modules, onto: stack)
    }
    let planning = source
    let planned: Result<Graph, Failure> = await withCheckedContinuation { continuation in
      environment.runOnWorker {
        do throws(Failure) {
          continuation.resume(returning: .success(try GraphLoader.load(planning)))
        } catch { continuation.resume(returning: .failure(error)) }
      }
    }
    let graph = try planned.get()
    try options.check(graph)
    return ReadGraph(graph: graph, options: options, modules: modules)
  }

  /// The second half of `load`: makes the states on every lane. It opens no file. Any thread.
  package func load(_ read: ReadGraph) async throws(Failure) -> Chain {
    let number = nextGeneration.wrappingAdd(1, ordering: .relaxed).oldValue
    let generation = Generation(
      number: number, graph: read.graph, secrets: read.options.secrets, replacements: read.options.replacements,
      modules: read.modules, bounds: read.options.limits)
    let results = await withTaskGroup(of: (Int, Failure?).self) { group in
      for lane in lanes { group.addTask { (lane.index, await lane.adopt(generation)) } }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }
    }
    if let failure = results.lazy.compactMap(\.1).first {
      for (lane, failed) in results where failed == nil { await lanes[lane].forget(number) }
      throw failure
    }
    return Chain(host: self, generation: generation)
  }

  /// Everything that is wrong or doubtful in a graph, without loading it: errors first. Blocks for as long as the files
  /// take to evaluate; any thread but a lane's.
  public static func check(_ file: String, _ options: LoadOptions = LoadOptions()) -> GraphReport {
    let outcome = GraphLoader.check(options.source(file))
    return GraphReport(graph: outcome.graph, problems: outcome.problems)
  }

  /// As `check`, for a graph whose files are given as text by their paths; `entry` is one of them.
  public static func check(files: [String: String], entry: String = "graph.lua", _ options: LoadOptions = LoadOptions()) -> GraphReport {
    let outcome = GraphLoader.check(options.source(files, entry: entry))
    return GraphReport(graph: outcome.graph, problems: outcome.problems)
  }

  /// Refuses requests from now on, cancels those that run, lets background work end, runs `close` of every chainlet and
  /// ends the lanes. Whoever still asks is answered with `cancelled`. Any thread.
  public func shutdown() async {
    await withTaskGroup(of: Void.self) { group in
      for lane in lanes { group.addTask { await lane.windDown() } }
    }
    for lane in lanes { lane.loop.stop() }
  }

  func lane() -> Lane { lanes[nextLane.wrappingAdd(1, ordering: .relaxed).oldValue % lanes.count] }
  func requestID() -> UInt64 { nextRequest.wrappingAdd(1, ordering: .relaxed).oldValue }
}

/// A graph whose files have been read, and what it is to be loaded with.
package struct ReadGraph: Sendable {
  package let graph: Graph
  let options: LoadOptions
  let modules: [PrimitiveModule]
}

/// What `ChainHost.check` found.
public struct GraphReport: Sendable {
  /// nil when there is a problem that is no warning.
  public let graph: Graph?
  public let problems: [Problem]
}
