import ChainBase
import ChainHost
import ChainTensors
import LuaBridge

/// Models for chains: `host.add(Models.kind)`, then `uses = { encoder = chain.model { path = "model.onnx" } }`.
public enum Models {
  /// `chain.model`: what its `engine` opens.
  public static let kind = ResourceKind(
    "model", doc: "A model that an engine runs.", by: "engine", ("onnx", onnx), ("tokenizer", TokenizerKind.kind))

  /// ONNX Runtime runs it. The engine's library is opened with the first model.
  private static let onnx = ResourceKind(
    "model", doc: "A model that an engine runs.", options: { _ in options }, label: { label($0) },
    identify: { given, context throws(Failure) in
      var digest = try ModelFile(path(given), folder: context.folder).digest()
      guard case .record(let fields) = given else { return digest }
      digest.add(sized: Array("\(fields.filter { $0.name != "path" })".utf8))
      return digest
    }, face: face
  ) { given, context in
    let file = try ModelFile(path(given), folder: context.folder)
    context.progress("loading \(file.path) (\((file.bytes + 500_000) / 1_000_000) MB)")
    let began = context.now()
    let model = try OnnxModel(file, read(given), context)
    context.progress("ready on \(model.device) (\(model.deviceReason)) after \((context.now() - began) / 1_000_000) ms")
    return model
  }

  /// Whether ONNX Runtime can be used, and which it is; else why not.
  public static func onnxRuntime() -> Result<String, Failure> {
    do throws(Failure) {
      let library = try OnnxLibrary.shared()
      return .success("ONNX Runtime \(library.version) (\(library.path); \(library.providers.joined(separator: ", ")))")
    } catch { return .failure(error) }
  }

  /// Loads the engine's library, if there is one, for a process that will not be able to map executable memory. It takes
  /// some 5 ms; the 30 that setting the engine up takes are the first model's.
  package static func preload() { _ = try? OnnxLibrary.load() }

  // MARK: Options

  static func optional(_ kind: ChainType.Kind, min: Double? = nil, doc: String) -> ChainType {
    var type = ChainType(kind)
    type.min = min
    type.doc = doc
    return ChainType(.optional(type))
  }

  private static let ports = ChainType.Kind.map(ChainType(.record([
    ChainType.Field(name: "dtype", type: ChainType(.optional(ChainType(.enumeration(DType.allCases.map(\.rawValue)))))),
    ChainType.Field(name: "shape", type: ChainType(.optional(ChainType(.list(ChainType(.union([ChainType(.integer), ChainType(.string)]))))))),
  ])))

  static let options = ChainType(.record([
    ChainType.Field(name: "batch", type: optional(.record([
      ChainType.Field(name: "max_delay", type: optional(.number, min: 0, doc: "seconds")),
      ChainType.Field(name: "max_size", type: optional(.integer, min: 1, doc: "calls in one run")),
      ChainType.Field(name: "pad", type: optional(.map(ChainType(.number)), doc: "the value that fills up an input, by name")),
    ]), doc: "calls run together")),
    ChainType.Field(name: "device", type: optional(.enumeration(["auto", "cpu", "cuda", "webgpu"]), doc: "what it runs on")),
    ChainType.Field(name: "inputs", type: optional(ports, doc: "what you expect of its inputs")),
    ChainType.Field(name: "outputs", type: optional(ports, doc: "what you expect of its outputs")),
    ChainType.Field(name: "path", type: ChainType(.string)),
    ChainType.Field(name: "threads", type: optional(.integer, min: 1, doc: "threads of one run")),
    ChainType.Field(name: "warm_up", type: ChainType(.any)),
  ]))

  static func path(_ given: ChainValue) -> String {
    if case .string(let path)? = given["path"] { return path }
    return ""
  }

  static func label(_ given: ChainValue) -> String { "\"\(path(given))\"" }

  static func read(_ given: ChainValue) -> OnnxModel.Options {
    var options = OnnxModel.Options()
    if case .string(let device)? = given["device"] { options.session.device = device }
    if case .integer(let threads)? = given["threads"] { options.session.threads = Int(clamping: threads) }
    if case .record(let ports)? = given["inputs"] { options.inputs = ports }
    if case .record(let ports)? = given["outputs"] { options.outputs = ports }
    options.warmUp = given["warm_up"] ?? .null
    guard let given = given["batch"] else { return options }
    var batch = OnnxModel.BatchOptions()
    if case .integer(let size)? = given["max_size"] { batch.maxSize = Int(clamping: size) }
    if let delay = given["max_delay"].flatMap(number) { batch.maxDelay = UInt64(min(delay, 1e6) * 1e9) }
    if case .record(let fields)? = given["pad"] {
      for field in fields { batch.padding[field.name] = number(field.value) }
    }
    options.batch = batch
    return options
  }

  private static func number(_ value: ChainValue) -> Double? {
    switch value {
    case .integer(let integer): Double(integer)
    case .number(let number): number
    default: nil
    }
  }

  // MARK: In Lua

  private static func model(_ resource: any Resource) throws(LuaError) -> OnnxModel {
    guard let model = resource as? OnnxModel else { throw LuaError(.runtime, "the resource is no model") }
    return model
  }

  private static let face: ResourceFace = {
    var face = ResourceFace()
    face.call = .leased { lease, stack in
      let model = try model(lease.resource)
      let call = OnnxModel.Call(tensors: try model.arranged(try tensors(stack, model)), lease: lease)
      return {
        let outputs = try await model.run(call)
        return { stack in
          guard stack.ensure(8) else { throw LuaError(.memory, "stack overflow") }
          stack.pushTable(fields: Int32(clamping: outputs.count))
          for (tensor, port) in zip(outputs, model.outputs) {
            try tensor.push(to: stack)
            stack.rawSet(-2, field: port.name)
          }
          return 1
        }
      }
    }
    face.field = { resource, name, stack in
      let model = try model(resource)
      switch name {
      case "inputs": try PlainValue.push(.list(model.inputs.map(describe)), onto: stack)
      case "outputs": try PlainValue.push(.list(model.outputs.map(describe)), onto: stack)
      case "metadata": try PlainValue.push(.record(model.metadata.map { ChainValue.Field($0.key, .string($0.value)) }), onto: stack)
      case "device": try PlainValue.push(.string(model.device), onto: stack)
      default: return false
      }
      return true
    }
    face.add("stats", doc: "Runs of the engine, calls in batches, and the most of them in one.",
      "fun(self: chain.Model): { runs: integer, items: integer, largest: integer }", .plain { resource, stack in
      let counts = try model(resource).counts
      try PlainValue.push([
        "items": .integer(Int64(counts.items)), "largest": .integer(Int64(counts.largest)), "runs": .integer(Int64(counts.runs)),
      ], onto: stack)
      return 1
    })
    return face
  }()

  private static func describe(_ port: ModelPort) -> ChainValue {
    .record([
      ChainValue.Field("dtype", .string(port.dtype?.rawValue ?? port.otherType)), ChainValue.Field("name", .string(port.name)),
      ChainValue.Field("shape", .list(port.shape.map { dimension in
        if case .fixed(let size) = dimension { return .integer(Int64(size)) }
        return .string(ModelPort.text(dimension))
      })),
    ])
  }

  /// The table of tensors at 2.
  private static func tensors(_ stack: LuaStack, _ model: OnnxModel) throws -> [String: Tensor] {
    let names = model.inputs.map(\.name)
    guard stack.type(at: 2) == .table else {
      throw LuaError(.runtime, "a model takes a table of tensors, got \(stack.describe(at: 2)); write self.encoder { \(names.first ?? "input") = … }")
    }
    var tensors: [String: Tensor] = [:]
    try stack.forEachField(at: 2) { name, index throws(LuaError) in
      guard names.contains(name) else {
        let meant = nearestName(to: name, among: names).map { "; did you mean '\($0)'?" } ?? "; it has \(names.joined(separator: ", "))"
        throw LuaError(.runtime, "the model has no input '\(name)'\(meant)")
      }
      do throws(LuaError) { tensors[name] = try Tensor.read(from: stack, at: index) } catch {
        throw LuaError(.runtime, "input '\(name)': \(error.message)")
      }
    }
    return tensors
  }
}
