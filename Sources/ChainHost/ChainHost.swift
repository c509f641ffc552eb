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
  let lanes: LaneTable
  private let nextGeneration = Atomic<UInt64>(1)
  private let nextRequest = Atomic<UInt64>(1)
  private let modules = Monitor<[PrimitiveModule]>([])
  private let kinds = Monitor<[ResourceKind]>([])
  let timers: HostTimers
  let registry: ResourceRegistry
  let counters: NativeCounters

  /// Starts the lanes. Any thread. If the system has no descriptors or threads left for them, every `load` says so.
  /// - Parameters:
  ///   - lanes: threads that run chainlets, each with states of its own; at least 1.
  ///   - environment: the real one, unless a simulation drives the host.
  ///   - mostLostLanes: a lane whose thread does not come back from native code is given up and replaced; its requests
  ///     fail. When more than this many threads are away at once, no further lane is replaced.
  ///   - tooManyLost: told once when that has happened, with a message for whoever supervises the process, which should
  ///     end. Any thread; must not block.
  ///   - log: called with every line that chainlets print or log, and with what happens to lanes; on a lane, rarely on
  ///     another thread. Must not block.
  public init(
    lanes: Int = 1, environment: any Environment = RealEnvironment(), mostLostLanes: Int = 4,
    tooManyLost: @escaping @Sendable (Failure) -> Void = { _ in }, log: @escaping @Sendable (LogLine) -> Void = { _ in }
  ) {
    self.environment = environment
    timers = HostTimers(environment: environment)
    registry = ResourceRegistry(environment: environment, timers: timers)
    counters = NativeCounters()
    self.lanes = LaneTable(
      max(1, lanes), environment: environment, counters: counters, log: log, mostLost: max(0, mostLostLanes), tooManyLost: tooManyLost)
  }

  /// Lanes that were given up and whose threads have not come back. Any thread.
  public var lostLanes: Int { lanes.lostCount }

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
        let outcome = GraphLoader.check(planning)
        continuation.resume(returning: Result { () throws(Failure) in try outcome.result() })
        withExtendedLifetime(outcome.remains) {}
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
    do throws(Failure) {
      try await adopt(generation)
      // From now on a fresh lane builds it by itself; one that came in the meantime has to be told.
      lanes.register(generation)
      try await adopt(generation)
    } catch {
      await close(generation)
      throw error
    }
    return Chain(host: self, generation: generation)
  }

  /// Builds a generation on every lane: on one first, so that code that does not come back takes one lane and not all,
  /// then on the others at once.
  private func adopt(_ generation: Generation) async throws(Failure) {
    try await adopt(generation, onLaneAt: 0)
    let results = await withTaskGroup(of: (Int, Failure?).self) { group in
      for index in 1..<max(1, lanes.count) {
        group.addTask {
          do throws(Failure) {
            try await self.adopt(generation, onLaneAt: index)
            return (index, nil)
          } catch { return (index, error) }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }
    }
    if let failure = results.lazy.compactMap(\.1).first { throw failure }
  }

  /// Closes the states of a generation on every lane; requests that run go on to their end first.
  func close(_ generation: Generation) async {
    lanes.forget(generation.number)
    for lane in lanes.all { await lane.forget(generation.number) }
    generation.releaseResources()
  }

  private enum Adoption: Sendable { case done(Result<Void, Failure>), lost(LaneLoss) }

  /// Builds a generation on the lane of that place. If that one is lost meanwhile, on the one that replaces it.
  private func adopt(_ generation: Generation, onLaneAt index: Int) async throws(Failure) {
    while true {
      guard let lane = lanes.lane(at: index) else { throw Failure.lanesLost(lanes.lostCount, lanes.mostLost) }
      if let problem = lane.loop.problem { throw Failure.cannotBegin(lane, problem) }
      let adoption = await lane.ask(ifDropped: Adoption.done(.failure(.hostStops)), ifLost: { .lost($0) }) { reply in
        lane.adopt(generation) { reply.give(.done($0)) }
      }
      switch adoption {
      case .done(let result): return try result.get()
      // The code of an `init` did not come back: it would not on another lane either.
      case .lost(let loss) where loss.request == 0: throw loss.failure(for: 0)
      case .lost: if lanes.isStopping { throw Failure.hostStops }
      }
    }
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
    let all = lanes.stop()
    await withTaskGroup(of: Void.self) { group in
      for lane in all { group.addTask { await lane.windDown() } }
    }
    for lane in all { lane.loop.stop() } // and with its thread the last states
    for generation in lanes.generations { generation.releaseResources() }
    await registry.stop()
    timers.stop()
  }

  /// The lane of the next request.
  func lane() throws(Failure) -> Lane {
    guard let lane = lanes.next() else { throw Failure.lanesLost(lanes.lostCount, lanes.mostLost) }
    return lane
  }
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
