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
  private let kinds = Monitor<[ResourceKind]>([])
  private let generations = Monitor<[UInt64: Generation]>([:])
  let timers: HostTimers
  let registry: ResourceRegistry
  let counters: NativeCounters

  /// Starts the lanes. Any thread.
  /// - Parameters:
  ///   - lanes: threads that run chainlets, each with states of its own; at least 1.
  ///   - environment: the real one, unless a simulation drives the host.
  ///   - log: called on a lane with every line that chainlets print or log; must not block.
  public init(
    lanes: Int = 1, environment: any Environment = RealEnvironment(), log: @escaping @Sendable (LogLine) -> Void = { _ in }
  ) {
    self.environment = environment
    timers = HostTimers(environment: environment)
    registry = ResourceRegistry(environment: environment, timers: timers)
    let counters = NativeCounters()
    self.counters = counters
    self.lanes = (0..<max(1, lanes)).map { Lane(index: $0, environment: environment, counters: counters, log: log) }
    for lane in self.lanes { lane.start() }
  }

  /// Plans the graph of an entry file and makes its states on every lane. Any thread.
  /// - Throws: a `Failure` of code `invalid_graph` that lists every problem, or what an `init` failed with.
  public func load(_ file: String, _ options: LoadOptions = LoadOptions()) async throws(Failure) -> Chain {
    let options = completed(options)
    return try await load(options.source(file), options)
  }

  /// As `load`, for a graph whose files are given as text by their paths; `entry` is one of them.
  public func load(files: [String: String], entry: String = "graph.lua", _ options: LoadOptions = LoadOptions()) async throws(Failure) -> Chain {
    let options = completed(options)
    return try await load(options.source(files, entry: entry), options)
  }

  /// Gives chainlets a module of Swift functions for `require`; graphs that are loaded afterwards have it. Any thread.
  /// A module of the same name is replaced.
  public func add(_ module: PrimitiveModule) {
    modules.withLock { modules in
      modules.removeAll { $0.name == module.name }
      modules.append(module)
    }
  }

  /// Gives graphs a kind of resource; those that are loaded afterwards have it. Any thread. One of the same name is replaced.
  public func add(_ kind: ResourceKind) {
    kinds.withLock { kinds in
      kinds.removeAll { $0.name == kind.name }
      kinds.append(kind)
    }
  }

  /// The options of a load, with what this host was given.
  private func completed(_ options: LoadOptions) -> LoadOptions {
    var options = options
    options.modules = modules.withLock { $0 } + options.modules
    options.kinds = kinds.withLock { $0 } + options.kinds
    return options
  }

  private func load(_ source: GraphSource, _ options: LoadOptions) async throws(Failure) -> Chain {
    try await load(read(source, options))
  }

  /// The first half of `load`: every file is read and every resource opened, no state is made yet. Any thread.
  package func read(_ file: String, _ options: LoadOptions = LoadOptions()) async throws(Failure) -> ReadGraph {
    let options = completed(options)
    return try await read(options.source(file), options)
  }

  private func read(_ planning: GraphSource, _ options: LoadOptions) async throws(Failure) -> ReadGraph {
    let planned: Result<Graph, Failure> = await withCheckedContinuation { continuation in
      environment.runOnWorker {
        do throws(Failure) {
          continuation.resume(returning: .success(try GraphLoader.load(planning)))
        } catch { continuation.resume(returning: .failure(error)) }
      }
    }
    let graph = try planned.get()
    try options.check(graph)
    return ReadGraph(graph: graph, options: options, resources: try await open(graph, options, folder: planning.folder))
  }

  /// The second half of `load`: makes the states on every lane. It opens no file. Any thread.
  package func load(_ read: ReadGraph) async throws(Failure) -> Chain {
    let number = nextGeneration.wrappingAdd(1, ordering: .relaxed).oldValue
    let generation = Generation(
      number: number, graph: read.graph, secrets: read.options.secrets, replacements: read.options.replacements,
      modules: read.options.modules, bounds: read.options.limits, resources: read.resources)
    let results = await withTaskGroup(of: (Int, Failure?).self) { group in
      for lane in lanes { group.addTask { (lane.index, await lane.adopt(generation)) } }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }
    }
    if let failure = results.lazy.compactMap(\.1).first {
      for (lane, failed) in results where failed == nil { await lanes[lane].forget(number) }
      throw failure
    }
    generations.withLock { $0[number] = generation }
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
    for lane in lanes { lane.loop.stop() } // and with its thread the last states
    for generation in generations.withLock({ Array($0.values) }) { generation.releaseResources() }
    await registry.stop()
    timers.stop()
  }

  /// Its lanes have closed it.
  func forget(_ generation: Generation) {
    generations.withLock { $0[generation.number] = nil }
    generation.releaseResources()
  }

  func lane() -> Lane { lanes[nextLane.wrappingAdd(1, ordering: .relaxed).oldValue % lanes.count] }
  func requestID() -> UInt64 { nextRequest.wrappingAdd(1, ordering: .relaxed).oldValue }
}

/// A graph whose files have been read, and what it is to be loaded with.
package struct ReadGraph: Sendable {
  package let graph: Graph
  let options: LoadOptions
  let resources: [String: [ResourceLease]]
}

/// What `ChainHost.check` found.
public struct GraphReport: Sendable {
  /// nil when there is a problem that is no warning.
  public let graph: Graph?
  public let problems: [Problem]
}
