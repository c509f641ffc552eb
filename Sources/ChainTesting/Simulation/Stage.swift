import ChainBase
import ChainHost
import ChainLoop

/// A world in the simulated environment: the host, its chains, the clients at work, and what was seen to go wrong.
final class Stage: Sendable {
  let environment: SimulatedEnvironment
  let world: World
  let clock: SimulatedClock
  private let state = Monitor(State())

  private struct State {
    var host: ChainHost?
    var chain: Chain?
    var other: Chain?
    var folder: TemporaryFolder?
    var isShutDown = false
    var isDown = false
    var violations: [String] = []
    var lines: [String] = []
    var answered: Set<String> = []
  }

  init(_ environment: SimulatedEnvironment, _ world: World) {
    self.environment = environment
    self.world = world
    clock = SimulatedClock(environment)
  }

  var violations: [String] { state.withLock { $0.violations } }
  func violation(_ text: String) { state.withLock { $0.violations.append(text) } }
  func expect(_ holds: Bool, _ text: @autoclosure () -> String) { if !holds { violation(text()) } }

  /// What the programs printed with `NOTE `, in order.
  var notes: [String] { state.withLock { $0.lines } }

  // MARK: Opening and closing

  func open() async throws {
    let host = ChainHost(lanes: world.lanes, environment: environment, mostLostLanes: 8, log: { [weak self] in self?.take($0) })
    state.withLock { $0.host = host }
    guard world.shutdownAfter == nil else { return }
    try await load()
  }

  func load() async throws {
    guard let host else { return }
    let chain = try await load(on: host)
    state.withLock { $0.chain = chain }
    if let source = world.other {
      let other = try await host.load(files: ["graph.lua": source])
      state.withLock { $0.other = other }
    }
  }

  private func load(on host: ChainHost) async throws -> Chain {
    let files = world.files.merging(["graph.lua": world.source]) { $1 }
    guard files.count > 1 else { return try await host.load(files: files) }
    let folder = try TemporaryFolder(files)
    state.withLock { $0.folder = folder }
    return try await host.load("\(folder.path)/graph.lua")
  }

  /// Where the world's files are, if they are on the disk.
  var folder: TemporaryFolder? { state.withLock { $0.folder } }

  /// Waits until nothing is left running, looks whether anything was left behind, and shuts the host down.
  func close() async throws {
    if !isShutDown {
      await rest()
      await host?.shutdown()
    }
    clock.stop()
    state.withLock { state in
      state.host = nil
      state.chain = nil
      state.other = nil
      state.folder = nil
    }
  }

  var host: ChainHost? { state.withLock { $0.host } }
  /// Whether the end has come, and not only begun.
  var isDown: Bool { state.withLock { $0.isDown } }
  var isShutDown: Bool { state.withLock { $0.isShutDown } }

  func shutdown() async {
    state.withLock { $0.isShutDown = true }
    await host?.shutdown()
    state.withLock { $0.isDown = true }
  }

  func chain(for client: Client) throws(Failure) -> Chain {
    guard let chain = state.withLock({ client.asksOther ? $0.other : $0.chain }) else {
      throw Failure(code: Failure.Code.cancelled, message: "not loaded")
    }
    return chain
  }

  /// At rest nothing is held. Background work may take its 30 s.
  func rest() async {
    guard let host else { return }
    var wait: UInt64 = 1_000_000
    var waited: UInt64 = 0
    while true {
      let census = await host.census()
      if census.allSatisfy(\.isAtRest) { return }
      guard waited < 100_000_000_000 else { return violation("not at rest, long after the last answer: \(census)") }
      await clock.sleep(nanoseconds: wait)
      waited += wait
      wait = min(wait * 2, 5_000_000_000)
    }
  }

  private func take(_ line: LogLine) {
    if line.message.hasPrefix("VIOLATION ") { violation("\(line.chainlet): \(line.message)") }
    if line.message.hasPrefix("NOTE ") { state.withLock { $0.lines.append("\(environment.now()) \(line.message.dropFirst(5))") } }
    if line.message.hasPrefix("TICK ") {
      let id = String(line.message.dropFirst(5))
      if state.withLock({ $0.answered.contains(id) }) { violation("request \(id) runs on after its answer") }
    }
  }

  // MARK: Clients

  enum Outcome: Sendable {
    case value(ChainValue)
    /// So many items of a stream, and whether it was read to its end.
    case items(Int, isWhole: Bool)
    case failure(Failure)
  }

  /// All clients at once, each at its time; returns when every one has its outcome.
  func serve(_ clients: [Client], _ body: @escaping @Sendable (Client, Outcome) -> Void) async {
    await withTaskGroup(of: Void.self) { group in
      for client in clients {
        group.addTask { [self] in
          if client.start > 0 { await clock.sleep(nanoseconds: client.start) }
          let outcome = await ask(client)
          // A reader who leaves is not told when the writer has ended.
          if case .items(_, isWhole: false) = outcome {} else { state.withLock { _ = $0.answered.insert(String(client.id)) } }
          body(client, outcome)
        }
      }
    }
  }

  /// One client, who may lose patience.
  func ask(_ client: Client) async -> Outcome {
    guard let patience = client.cancelAfter else { return await answer(client) }
    return await withTaskGroup(of: Outcome?.self) { group in
      group.addTask { [self] in await answer(client) }
      group.addTask { [self] in
        await clock.sleep(nanoseconds: patience)
        return nil
      }
      var outcome: Outcome?
      while let next = await group.next() {
        if let next { outcome = next } else { group.cancelAll() }
      }
      return outcome ?? .failure(Failure(code: Failure.Code.failed, message: "a client without an outcome"))
    }
  }

  private func answer(_ client: Client) async -> Outcome {
    do throws(Failure) {
      let chain = try chain(for: client)
      let options = Chain.RequestOptions(entry: client.entry, timeout: client.timeout)
      let input: ChainValue = ["id": .integer(Int64(client.id)), "k": .integer(Int64(client.id) * 7)]
      guard client.streams else {
        guard client.usesJSON else { return .value(try await chain.run(input, options)) }
        return .value(try ChainValue(json: try await chain.run(json: input.json, options)))
      }
      return try await read(client, chain, input, options)
    } catch { return .failure(error) }
  }

  private func read(_ client: Client, _ chain: Chain, _ input: ChainValue, _ options: Chain.RequestOptions) async throws(Failure) -> Outcome {
    let stream = client.usesJSON ? try chain.stream(json: input.json, options) : try chain.stream(input, options)
    let iterator = stream.makeAsyncIterator()
    var count = 0
    while count < client.reads ?? .max {
      if client.pause > 0 { await clock.sleep(nanoseconds: client.pause) }
      var copy = iterator
      guard let item = try await copy.next() else { return .items(count, isWhole: true) }
      count += 1
      let expected = Int64(client.id) * 7 * 1000 + Int64(count)
      let small = ChainValue.integer(expected)
      let isRight = [small, .list([ChainValue](repeating: small, count: GraphWriter.largeItem))].contains {
        item == .value($0) || item == .json($0.json)
      }
      expect(isRight, "client \(client.id) got \(item) as item \(count)")
    }
    return .items(count, isWhole: false)
  }

  // MARK: Judging

  /// Whether an outcome is one that a world of such a shape may have.
  func judge(_ client: Client, _ outcome: Outcome, allowed: Set<String>) {
    switch outcome {
    case .value(let value): judge(client, value)
    case .items: break
    case .failure(let failure):
      let isOwn = failure.message.contains("boom") || failure.message.contains("in the end") || failure.message.contains("error value is a table")
      let isStrange = failure.code == Failure.Code.failed && !isOwn && !Stage.known.contains { failure.message.contains($0) }
      let isHandedOn = failure.code == Failure.Code.badInput && failure.message.contains("the stream is")
      expect(isHandedOn || allowed.contains(failure.code) && !isStrange, "client \(client.id) got \(failure)")
    }
  }

  /// What the programs may well run into.
  private static let known = ["as many tasks as limits.tasks of", "the stream is closed", "the stream has ended", "nothing for item", "being read by another", "can start nothing more"]

  private func judge(_ client: Client, _ value: ChainValue) {
    guard !client.streams, case .record = value else { return }
    expect(value["id"] == .integer(Int64(client.id)) && value["k"] == .integer(Int64(client.id) * 7), "client \(client.id) got the answer \(value)")
    guard let chain = try? chain(for: client) else { return }
    expect(value["v"] == .integer(Int64(chain.version)), "client \(client.id) of version \(chain.version) got \(value)")
  }
}
