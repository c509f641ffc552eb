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

  /// Starts the lanes. Any thread.
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
    self.lanes = LaneTable(max(1, lanes), environment: environment, log: log, mostLost: max(0, mostLostLanes), tooManyLost: tooManyLost)
  }

  /// Lanes that were given up and whose threads have not come back. Any thread.
  public var lostLanes: Int { lanes.lostCount }

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
    let number = nextGeneration.wrappingAdd(1, ordering: .relaxed).oldValue
    let generation = Generation(
      number: number, graph: graph, secrets: options.secrets, replacements: options.replacements,
      modules: modules, bounds: options.limits)
    do throws(Failure) {
      for index in 0..<lanes.count { try await adopt(generation, onLaneAt: index) }
      // From now on a fresh lane builds it by itself; one that came in the meantime has to be told.
      lanes.register(generation)
      for index in 0..<lanes.count { try await adopt(generation, onLaneAt: index) }
    } catch {
      lanes.forget(number)
      for lane in lanes.all { await lane.forget(number) }
      throw error
    }
    return Chain(host: self, generation: generation)
  }

  private enum Adoption: Sendable { case done(Result<Void, Failure>), lost(LaneLoss) }

  /// Builds a generation on the lane of that place. If that one is lost meanwhile, on the one that replaces it.
  private func adopt(_ generation: Generation, onLaneAt index: Int) async throws(Failure) {
    while true {
      guard let lane = lanes.lane(at: index) else { throw Failure.lanesLost(lanes.lostCount, lanes.mostLost) }
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
    for lane in all { lane.loop.stop() }
  }

  /// The lane of the next request.
  func lane() throws(Failure) -> Lane {
    guard let lane = lanes.next() else { throw Failure.lanesLost(lanes.lostCount, lanes.mostLost) }
    return lane
  }
  func requestID() -> UInt64 { nextRequest.wrappingAdd(1, ordering: .relaxed).oldValue }
}

/// What `ChainHost.check` found.
public struct GraphReport: Sendable {
  /// nil when there is a problem that is no warning.
  public let graph: Graph?
  public let problems: [Problem]
}
