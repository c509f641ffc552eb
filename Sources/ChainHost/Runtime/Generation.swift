import ChainBase
import ChainLoop
import LuaBridge

/// One complete, validated, immutable set of chainlet versions. Any thread.
final class Generation: Sendable {
  let number: UInt64
  let graph: Graph
  let programs: [ChainletProgram]
  let secrets: [String: String]
  /// What takes the place of chainlets, by name.
  let replacements: [String: Replacement]

  /// What an embedder added to `require`.
  let modules: [PrimitiveModule]
  private let resources: Monitor<[String: [ResourceLease]]>

  /// - Parameter resources: by the name of the chainlet, in the order of its `uses`.
  init(
    number: UInt64, graph: Graph, secrets: [String: String], replacements: [String: Replacement], modules: [PrimitiveModule],
    bounds: OperatorLimits, resources: [String: [ResourceLease]]
  ) {
    self.number = number
    self.resources = Monitor(resources)
    self.modules = modules
    self.graph = graph
    self.secrets = secrets
    self.replacements = replacements
    programs = graph.chainlets.map { ChainletProgram($0, in: graph, bounds: bounds) }
  }

  func resources(of chainlet: String) -> [ResourceLease] { resources.withLock { $0[chainlet] ?? [] } }

  /// Its states are closed: it holds no resource any more.
  func releaseResources() {
    let dropped = resources.withLock { leases in
      defer { leases = [:] }
      return leases
    }
    _ = dropped
  }
}

/// A Swift function in the place of a chainlet: its input and output are checked against the declared types.
public typealias Replacement = @Sendable (ChainValue) throws -> ChainValue

/// A generation on one lane: the states that serve it. Confined to the lane's thread.
final class LaneGeneration {
  let generation: Generation?
  /// By the position of the chainlet in the graph; nil for those that no entrypoint reaches.
  var states: [ChainletState?] = []
  /// States that a limit has put out of service and that still have runs, by position: at most one each.
  var retired: [Int: ChainletState] = [:]
  /// Retired states that had to make room for a later one: their runs are being ended.
  var lost: [ChainletState] = []
  var isClosed = false
  /// Requests that it serves.
  var pins = 0

  init(_ generation: Generation?) { self.generation = generation }

  static var none: LaneGeneration { LaneGeneration(nil) }

  func state(of chainlet: Int) -> ChainletState? { states.indices.contains(chainlet) ? states[chainlet] : nil }
}

extension Lane {
  /// Makes the states of a generation and runs their `init`, callees before callers; `done` is called on the lane.
  func build(_ generation: Generation, done: @escaping (Result<LaneGeneration, Failure>) -> Void) {
    let key = stamp()
    building[key] = done
    StateMaker.make(generation.graph.live, of: generation, for: self) { [self] made in
      post { [self] in
        asLane {
          guard let done = building.removeValue(forKey: key) else { return }
          assemble(generation, made, done: done)
        }
      }
    }
  }

  private func assemble(
    _ generation: Generation, _ made: Result<StateMaker.Made, Failure>, done: @escaping (Result<LaneGeneration, Failure>) -> Void
  ) {
    let built = LaneGeneration(generation)
    built.states = Array(repeating: nil, count: generation.programs.count)
    do throws(Failure) {
      for state in try made.get().states {
        built.states[state.index] = state
        state.built = built
        try link(state, in: built)
      }
    } catch {
      retire(built)
      return done(.failure(error))
    }
    initialize(built, at: 0, done: done)
  }

  /// Gives a state the functions that call its needs.
  func link(_ state: ChainletState, in built: LaneGeneration) throws(Failure) {
    state.prepareBatching(key: stamp())
    let declared = state.program.declaration.needs
    let needs = UnsafeMutablePointer<Need>.allocate(capacity: max(1, declared.count))
    do throws(LuaError) {
      for (operand, need) in declared.enumerated() {
        guard let graph = built.generation?.graph, let index = graph.index(of: need.target), let target = built.states[index] else {
          throw LuaError(.runtime, "\(need.target) is not part of the graph")
        }
        (needs + operand).initialize(to: try makeNeed(need, of: state, target))
        state.needCount = operand + 1
      }
    } catch {
      throw Failure(code: Failure.Code.invalidGraph, message: "\(state.name): \(error.message)")
    }
    state.needNames = declared.map(\.name)
    state.core.pointee.needs = needs
  }

  private func makeNeed(_ need: ChainletDeclaration.Need, of state: ChainletState, _ target: ChainletState) throws(LuaError) -> Need {
    let options = CallOptions(
      timeout: need.timeout.map(nanoseconds), retries: need.retries, concurrency: need.concurrency)
    let program = target.program
    let hasInputStream = program.input.streamField != nil
    return Need(
      target: target.core, input: try SchemaLink(program.input, state.lua), output: try SchemaLink(program.output, state.lua),
      result: try program.result.map { result throws(LuaError) in try SchemaLink(result, state.lua) },
      isStream: program.isStream, options: options,
      isPlain: options.timeout == nil && options.retries == 0 && options.concurrency == nil && !program.isStream && !hasInputStream
        && program.declaration.batch == nil,
      gate: need.concurrency.map { .passRetained(NeedGate(limit: $0)) })
  }

  private func initialize(_ built: LaneGeneration, at position: Int, done: @escaping (Result<LaneGeneration, Failure>) -> Void) {
    guard let live = built.generation?.graph.live, position < live.count else { return done(.success(built)) }
    guard let state = built.states[live[position]] else { return done(.success(built)) }
    runInit(of: state) { [unowned self] failure in
      guard let failure else { return initialize(built, at: position + 1, done: done) }
      retire(built)
      done(.failure(failure))
    }
  }

  /// Runs `init` where there is one; the state is ready when it has ended well.
  func runInit(of state: ChainletState, done: @escaping (Failure?) -> Void) {
    guard state.live.initialize != 0 else {
      state.core.pointee.isReady = true
      return done(nil)
    }
    runHook(state, time: Lane.initTime) { stack in
      stack.push(kept: state.live.initialize)
      state.pushSelf(onto: stack)
      return 1
    } ended: { failure in
      if var failure {
        failure.message = "\(state.name).init failed: \(failure.message)"
        return done(failure)
      }
      state.core.pointee.isReady = true
      done(nil)
    }
  }

  /// `init` may take so long.
  private static let initTime: UInt64 = 60_000_000_000
  /// `close` may take so long, and cannot stop a closing.
  private static let closeTime: UInt64 = 1_000_000_000

  /// Runs `close` where there is one, then closes the states; nothing of the generation may be running.
  func close(_ built: LaneGeneration, done: @escaping () -> Void) {
    let closing = built.states.compactMap { $0 }.filter { $0.live.close != 0 && $0.core.pointee.isReady }
    var left = closing.count
    guard left > 0 else {
      retire(built)
      return done()
    }
    for state in closing {
      runHook(state, time: Lane.closeTime) { stack in
        stack.push(kept: state.live.close)
        state.pushSelf(onto: stack)
        return 1
      } ended: { [self] failure in
        if let failure { log(LogLine(level: .error, chainlet: state.name, request: nil, message: "close failed: \(failure.message)")) }
        left -= 1
        guard left == 0 else { return }
        retire(built)
        done()
      }
    }
  }

  private func retire(_ built: LaneGeneration) {
    built.isClosed = true
    for state in built.states { state?.close() }
    for state in built.retired.values { state.close() }
    for state in built.lost { state.close() }
    built.lost = []
    built.states = []
    built.retired = [:]
  }
}
