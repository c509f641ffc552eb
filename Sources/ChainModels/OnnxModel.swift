import ChainBase
import ChainHost
import ChainLoop
import ChainTensors

/// A model that ONNX Runtime runs, as a resource. Any thread.
final class OnnxModel: Resource {
  struct Options: Sendable {
    var session = OnnxSession.Options()
    var batch: BatchOptions?
    /// What the author expects, by name.
    var inputs: [ChainValue.Field] = []
    var outputs: [ChainValue.Field] = []
    var warmUp: ChainValue = .null
  }

  struct BatchOptions: Sendable {
    var maxSize = 32
    /// Nanoseconds.
    var maxDelay: UInt64 = 2_000_000
    /// The value that fills up an input, by name.
    var padding: [String: Double] = [:]
  }

  /// What a call brings; its lease lives as long as its tensors.
  struct Call: Sendable {
    var tensors: [Tensor]
    var lease: ResourceLease?
  }

  private let session: OnnxSession
  private let environment: any Environment
  private let size: Int
  private let batcher: Batcher<Call, [Tensor]>?
  private let runs = Monitor(0)

  var inputs: [ModelPort] { session.inputs }
  var outputs: [ModelPort] { session.outputs }
  var metadata: [(key: String, value: String)] { session.metadata }
  var device: String { session.device }
  var deviceReason: String { session.deviceReason }
  var bytes: Int { size }

  /// Blocks for as long as the file takes, and the warm-up.
  init(_ file: ModelFile, _ options: Options, _ context: ResourceContext) throws {
    environment = context.environment
    size = file.bytes
    let session = try OnnxSession(path: file.path, options: options.session)
    self.session = session
    try Expectation.check(options.inputs, session.inputs, "input")
    try Expectation.check(options.outputs, session.outputs, "output")
    let runs = runs
    batcher = try options.batch.map { batch in
      try OnnxModel.check(batch, session)
      // As many as keep all cores busy; other devices run one after the other anyway.
      let atOnce = session.device == "cpu" ? context.environment.jobsAtOnce / max(1, options.session.threads) : 1
      return Batcher(
        environment: context.environment, timers: context.timers, maxSize: batch.maxSize, maxDelay: batch.maxDelay, atOnce: atOnce
      ) { calls, control in
        try OnnxModel.run(calls, control, session, batch.padding, runs)
      }
    }
    if let tensors = try WarmUp.tensors(options.warmUp, session.inputs) { _ = try session.run(tensors, RunControl()) }
  }

  /// The session goes with the last reference, which a run or an output may still have.
  func close() {}

  /// Runs of the engine, and what batching made of the calls.
  var counts: BatchCounts {
    var counts = batcher?.counts ?? BatchCounts()
    counts.runs = runs.withLock { $0 }
    return counts
  }

  // MARK: Calls

  /// Checks the tensors of a call, and puts them in the order of the inputs. On a lane: quick.
  func arranged(_ given: [String: Tensor]) throws(Failure) -> [Tensor] {
    var named: [String: (size: Int, port: String)] = [:]
    var tensors: [Tensor] = []
    for port in inputs {
      guard let tensor = given[port.name] else {
        throw Failure(code: Failure.Code.badInput, message: "input '\(port.name)' is missing: \(port.text)", status: 500)
      }
      try port.check(tensor, &named)
      if batcher != nil, let first = tensors.first, first.shape[0] != tensor.shape[0] {
        throw Failure(
          code: Failure.Code.badInput,
          message: "input '\(port.name)': a batch puts rows together, so expected \(first.shape[0]) as in '\(inputs[0].name)', got \(ModelPort.text(tensor))",
          status: 500)
      }
      tensors.append(tensor)
    }
    return tensors
  }

  /// Runs a call away from the lane; with batching, together with others.
  func run(_ call: Call) async throws -> [Tensor] {
    if let batcher { return try await batcher.submit(call) }
    let (session, runs) = (session, runs)
    return try await EngineJob.run(environment) { control in
      runs.withLock { $0 += 1 }
      return try session.run(call.tensors, control, owner: call.lease)
    }
  }

  // MARK: Batches

  private static func check(_ batch: BatchOptions, _ session: OnnxSession) throws(Failure) {
    for (what, ports) in [("input", session.inputs), ("output", session.outputs)] {
      for port in ports where port.shape.isEmpty || port.isFixed(0) {
        throw Failure(code: Failure.Code.failed, message: "batch: \(what) '\(port.name)' is \(port.text): its first dimension is fixed, so calls cannot be put together")
      }
    }
    for (name, value) in batch.padding {
      guard let port = session.inputs.first(where: { $0.name == name }) else {
        throw Failure(code: Failure.Code.failed, message: "batch.pad: the model has no input '\(name)'; it has \(session.inputs.map(\.name).joined(separator: ", "))")
      }
      guard RaggedBatch.canFill(port.dtype, with: value) else {
        throw Failure(code: Failure.Code.failed, message: "batch.pad.\(name): \(value) is no \(port.dtype?.rawValue ?? port.otherType)")
      }
    }
  }

  private static func run(
    _ calls: [Call], _ control: RunControl, _ session: OnnxSession, _ padding: [String: Double], _ runs: Monitor<Int>
  ) throws -> [[Tensor]] {
    // Calls that cannot be put together run one group after the other.
    var groups: [RaggedBatch.Key: [Int]] = [:]
    var order: [RaggedBatch.Key] = []
    for (position, call) in calls.enumerated() {
      let key = RaggedBatch.key(call.tensors, session.inputs, padded: Set(padding.keys))
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(position)
    }
    var results = [[Tensor]](repeating: [], count: calls.count)
    for key in order {
      let positions = groups[key] ?? []
      let batch = try RaggedBatch(positions.map { calls[$0].tensors }, session.inputs, padding: padding)
      runs.withLock { $0 += 1 }
      let outputs = try session.run(batch.inputs, control, owner: Leases(positions.compactMap { calls[$0].lease }))
      for (position, own) in zip(positions, try batch.split(outputs, session.outputs)) { results[position] = own }
    }
    return results
  }

  /// What the outputs of a batch hold.
  private final class Leases: Sendable {
    let leases: [ResourceLease]
    init(_ leases: [ResourceLease]) { self.leases = leases }
  }
}

/// `inputs = { input_ids = { dtype = "int64", shape = { "batch", 128 } } }`: what the author expects of a model, compared
/// with what it declares before anything serves.
enum Expectation {
  static func check(_ expected: [ChainValue.Field], _ ports: [ModelPort], _ what: String) throws(Failure) {
    for field in expected {
      guard let port = ports.first(where: { $0.name == field.name }) else {
        throw Failure(code: Failure.Code.failed, message: "the model has no \(what) '\(field.name)'; it has \(ports.map { "'\($0.name)' \($0.text)" }.joined(separator: ", "))")
      }
      var fits = true
      var text: [String] = []
      if case .string(let dtype)? = field.value["dtype"] {
        fits = port.dtype?.rawValue == dtype
        text.append(dtype)
      }
      if case .list(let sizes)? = field.value["shape"] {
        text.append("[\(sizes.map(name).joined(separator: ", "))]")
        fits = fits && sizes.count == port.shape.count && zip(sizes, port.shape).allSatisfy { size, dimension in
          guard case .integer(let expected) = size, case .fixed(let actual) = dimension else { return true }
          return Int(expected) == actual
        }
      }
      guard fits else {
        throw Failure(code: Failure.Code.failed, message: "\(what) '\(field.name)': expected \(text.joined(separator: " ")), the model has \(port.text)")
      }
    }
  }

  private static func name(_ size: ChainValue) -> String {
    switch size {
    case .integer(let size): String(size)
    case .string(let name): name
    default: "?"
    }
  }
}

/// `warm_up = true`, or `warm_up = { input_ids = { 1, 128 } }`: one run of zeros before anything serves.
enum WarmUp {
  static func tensors(_ given: ChainValue, _ ports: [ModelPort]) throws -> [Tensor]? {
    if given == .null || given == .boolean(false) { return nil }
    return try ports.map { port in
      guard let dtype = port.dtype else { throw Failure(code: Failure.Code.failed, message: "warm_up: input '\(port.name)' is \(port.otherType)") }
      var shape = port.shape.map { dimension in
        if case .fixed(let size) = dimension { return size }
        return 1
      }
      if case .list(let sizes)? = given[port.name] {
        shape = sizes.map { size in
          if case .integer(let size) = size { return Int(clamping: size) }
          return 1
        }
      }
      let tensor = try Tensor(dtype, shape: shape) { memory in
        memory.initializeMemory(as: UInt8.self, repeating: 0)
      }
      var named: [String: (size: Int, port: String)] = [:]
      try port.check(tensor, &named)
      return tensor
    }
  }
}
