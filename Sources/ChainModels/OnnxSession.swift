import COnnxRuntime
import ChainBase
import ChainHost
import ChainTensors

/// A loaded model: any number of threads may run it at once.
final class OnnxSession: @unchecked Sendable {
  // Unchecked: a session may be run by several threads, and nothing else of it changes after `init`.
  let library: OnnxLibrary
  private let session: OpaquePointer
  let inputs: [ModelPort]
  let outputs: [ModelPort]
  let metadata: [(key: String, value: String)]
  /// What it runs on: `cpu`, `cuda`, `webgpu`.
  let device: String
  /// Why.
  let deviceReason: String

  struct Options: Sendable {
    var device = "auto"
    /// Threads of one run.
    var threads = 1
  }

  /// Blocks for as long as the file takes.
  init(path: String, options: Options) throws(Failure) {
    library = try OnnxLibrary.shared()
    let api = library.api
    let choice = try Device.choose(options.device, library)
    var device = "cpu"
    var reasons: [String] = []
    var opened: OpaquePointer?
    for candidate in choice {
      do throws(Failure) {
        opened = try OnnxSession.open(path, candidate, options, library)
        device = candidate.rawValue
        break
      } catch {
        if candidate == choice.last { throw error }
        reasons.append("\(candidate.rawValue) cannot be used: \(error.message)")
      }
    }
    guard let opened else { throw Failure(code: Failure.Code.failed, message: "ONNX Runtime gave no session") }
    session = opened
    self.device = device
    reasons += Device.reason(device, asked: options.device, library)
    deviceReason = reasons.joined(separator: "; ")
    do throws(Failure) {
      inputs = try OnnxSession.ports(library, opened, cort_input_count, cort_input_name, cort_input_type)
      outputs = try OnnxSession.ports(library, opened, cort_output_count, cort_output_name, cort_output_type)
      metadata = try OnnxSession.metadata(library, opened)
    } catch {
      cort_release_session(api, opened)
      throw error
    }
  }

  deinit { cort_release_session(library.api, session) }

  private static func open(_ path: String, _ device: Device, _ options: Options, _ library: OnnxLibrary) throws(Failure) -> OpaquePointer? {
    let api = library.api
    var settings: OpaquePointer?
    try library.check(cort_create_session_options(api, &settings))
    defer { cort_release_session_options(api, settings) }
    try library.check(cort_set_log_severity(api, settings, Int32(CORT_LOG_FATAL)))
    try library.check(cort_set_intra_threads(api, settings, Int32(clamping: options.threads)))
    try library.check(cort_set_inter_threads(api, settings, 1))
    // Idle threads sleep: a lane has the core.
    try library.check(cort_config(api, settings, "session.intra_op.allow_spinning", "0"))
    try library.check(cort_config(api, settings, "session.inter_op.allow_spinning", "0"))
    try device.append(to: settings, library)
    var session: OpaquePointer?
    try library.check(cort_create_session(api, library.environment, path, settings, &session))
    return session
  }

  // MARK: What it takes and gives

  private typealias Count = (UnsafePointer<cort_api>?, OpaquePointer?, UnsafeMutablePointer<Int>?) -> OpaquePointer?
  private typealias Name = (UnsafePointer<cort_api>?, OpaquePointer?, Int, OpaquePointer?, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> OpaquePointer?
  private typealias TypeOf = (UnsafePointer<cort_api>?, OpaquePointer?, Int, UnsafeMutablePointer<OpaquePointer?>?) -> OpaquePointer?

  private static func ports(_ library: OnnxLibrary, _ session: OpaquePointer, _ count: Count, _ name: Name, _ type: TypeOf) throws(Failure) -> [ModelPort] {
    let api = library.api
    var number = 0
    try library.check(count(api, session, &number))
    var ports: [ModelPort] = []
    for index in 0..<number {
      var text: UnsafeMutablePointer<CChar>?
      try library.check(name(api, session, index, library.allocator, &text))
      var info: OpaquePointer?
      try library.check(type(api, session, index, &info))
      defer { cort_release_type_info(api, info) }
      ports.append(try port(library, library.take(text), info))
    }
    return ports
  }

  private static func port(_ library: OnnxLibrary, _ name: String, _ info: OpaquePointer?) throws(Failure) -> ModelPort {
    let api = library.api
    var shape: OpaquePointer?
    try library.check(cort_as_tensor_type(api, info, &shape))
    guard let shape else { return ModelPort(name: name, dtype: nil, otherType: "no tensor", shape: []) }
    var element: Int32 = 0
    var rank = 0
    try library.check(cort_element_type(api, shape, &element))
    try library.check(cort_rank(api, shape, &rank))
    var sizes = [Int64](repeating: 0, count: rank)
    var names = [UnsafePointer<CChar>?](repeating: nil, count: rank)
    if rank > 0 {
      try library.check(cort_dimensions(api, shape, &sizes, rank))
      try library.check(cort_dimension_names(api, shape, &names, rank))
    }
    let dimensions = zip(sizes, names).map { size, name -> ModelPort.Dimension in
      if size >= 0 { return .fixed(Int(size)) }
      let text = name.map { String(cString: $0) } ?? ""
      return text.isEmpty ? .any : .named(text)
    }
    return ModelPort(name: name, dtype: DType(onnx: element), otherType: element == Int32(CORT_STRING.rawValue) ? "string" : "type \(element)", shape: dimensions)
  }

  private static func metadata(_ library: OnnxLibrary, _ session: OpaquePointer) throws(Failure) -> [(key: String, value: String)] {
    let api = library.api
    var data: OpaquePointer?
    try library.check(cort_model_metadata(api, session, &data))
    defer { cort_release_metadata(api, data) }
    var keys: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    var count: Int64 = 0
    try library.check(cort_metadata_keys(api, data, library.allocator, &keys, &count))
    defer { if let keys { cort_release_status(api, cort_free(api, library.allocator, keys)) } }
    var pairs: [(key: String, value: String)] = []
    for index in 0..<Int(count) {
      let key = library.take(keys?[index])
      var value: UnsafeMutablePointer<CChar>?
      try library.check(cort_metadata_value(api, data, library.allocator, key, &value))
      pairs.append((key, library.take(value)))
    }
    return pairs.sorted { $0.key < $1.key }
  }

  // MARK: Running

  /// What ends a run from another thread. It may be sent: setting the flag is all that is done with it, while the run holds it.
  private struct Stopper: @unchecked Sendable {
    let api: UnsafePointer<cort_api>
    let options: OpaquePointer?
    func stop() { cort_release_status(api, cort_terminate(api, options)) }
  }

  /// Runs the model on the calling thread. Inputs and outputs are not copied where the inputs lie row after row.
  /// - Parameters:
  ///   - tensors: one for each of `inputs`, checked.
  ///   - owner: held by the outputs as long as they live.
  /// - Returns: one for each of `outputs`.
  func run(_ tensors: [Tensor], _ control: RunControl, owner: (any AnyObject & Sendable)? = nil) throws -> [Tensor] {
    let api = library.api
    let contiguous = try tensors.map { try $0.contiguous() }
    var options: OpaquePointer?
    try library.check(cort_create_run_options(api, &options))
    defer { cort_release_run_options(api, options) }
    var values: [OpaquePointer?] = []
    defer { for value in values { cort_release_value(api, value) } }
    for (tensor, port) in zip(contiguous, inputs) { values.append(try value(over: tensor, port)) }
    var results = [OpaquePointer?](repeating: nil, count: outputs.count)
    let stopper = Stopper(api: api, options: options)
    try withExtendedLifetime(contiguous) {
      try withNames(inputs.map(\.name)) { inputNames in
        try withNames(outputs.map(\.name)) { outputNames in
          let status = try control.run(stop: { stopper.stop() }) {
            cort_run(api, session, options, inputNames, values, values.count, outputNames, results.count, &results)
          }
          if status != nil, control.isCancelled {
            cort_release_status(api, status)
            throw CancellationError()
          }
          try library.check(status)
        }
      }
    }
    var made: [Tensor] = []
    do {
      for (result, port) in zip(results, outputs) { made.append(try tensor(over: result, port, owner)) }
    } catch {
      for result in results.dropFirst(made.count + 1) { cort_release_value(api, result) }
      throw error
    }
    return made
  }

  private func value(over tensor: Tensor, _ port: ModelPort) throws -> OpaquePointer? {
    let shape = tensor.shape.map(Int64.init)
    var value: OpaquePointer?
    try tensor.withBytes { bytes in
      // ONNX Runtime does not write to inputs.
      let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
      try library.check(
        cort_create_tensor_over(
          library.api, library.hostMemory, start, bytes.count, shape, shape.count, tensor.dtype.onnx, &value))
    }
    return value
  }

  /// Takes a result over: it is released with the tensor.
  private func tensor(over result: OpaquePointer?, _ port: ModelPort, _ owner: (any AnyObject & Sendable)?) throws -> Tensor {
    let api = library.api
    let value = OnnxValue(self, result, owner)
    var isTensor: Int32 = 0
    try library.check(cort_is_tensor(api, result, &isTensor))
    guard isTensor != 0 else { throw Failure(code: Failure.Code.failed, message: "output '\(port.name)' is no tensor") }
    var info: OpaquePointer?
    try library.check(cort_shape_of(api, result, &info))
    defer { cort_release_shape(api, info) }
    var element: Int32 = 0
    var rank = 0
    try library.check(cort_element_type(api, info, &element))
    try library.check(cort_rank(api, info, &rank))
    var sizes = [Int64](repeating: 0, count: rank)
    if rank > 0 { try library.check(cort_dimensions(api, info, &sizes, rank)) }
    guard let dtype = DType(onnx: element) else {
      throw Failure(code: Failure.Code.failed, message: "output '\(port.name)' has elements of type \(element), which no tensor holds")
    }
    var data: UnsafeMutableRawPointer?
    try library.check(cort_tensor_data(api, result, &data))
    let shape = sizes.map(Int.init)
    let count = shape.reduce(1, *)
    guard let data, count > 0 else { return try Tensor(dtype, shape: shape) { _ in } }
    return try Tensor(dtype, shape: shape, over: data, byteCount: count * dtype.size, owner: value)
  }

  private func withNames<R>(_ names: [String], _ body: ([UnsafePointer<CChar>?]) throws -> R) throws -> R {
    let texts = names.map { Array($0.utf8CString) }
    func next(_ index: Int, _ pointers: [UnsafePointer<CChar>?]) throws -> R {
      guard index < texts.count else { return try body(pointers) }
      return try texts[index].withUnsafeBufferPointer { try next(index + 1, pointers + [$0.baseAddress]) }
    }
    return try next(0, [])
  }
}

/// A result of a run, released with the last tensor over it. It may be sent: it is only read.
private final class OnnxValue: @unchecked Sendable {
  private let session: OnnxSession
  private let value: OpaquePointer?
  /// The lease of the model.
  private let owner: (any AnyObject & Sendable)?

  init(_ session: OnnxSession, _ value: OpaquePointer?, _ owner: (any AnyObject & Sendable)?) {
    self.session = session
    self.value = value
    self.owner = owner
  }

  deinit { cort_release_value(session.library.api, value) }
}

extension DType {
  init?(onnx element: Int32) {
    switch cort_element(UInt32(bitPattern: element)) {
    case CORT_FLOAT32: self = .float32
    case CORT_UINT8: self = .uint8
    case CORT_INT8: self = .int8
    case CORT_UINT16: self = .uint16
    case CORT_INT16: self = .int16
    case CORT_INT32: self = .int32
    case CORT_INT64: self = .int64
    case CORT_BOOL: self = .bool
    case CORT_FLOAT16: self = .float16
    case CORT_FLOAT64: self = .float64
    case CORT_UINT32: self = .uint32
    case CORT_UINT64: self = .uint64
    default: return nil
    }
  }

  var onnx: Int32 {
    let element = switch self {
    case .float16: CORT_FLOAT16
    case .float32: CORT_FLOAT32
    case .float64: CORT_FLOAT64
    case .int8: CORT_INT8
    case .int16: CORT_INT16
    case .int32: CORT_INT32
    case .int64: CORT_INT64
    case .uint8: CORT_UINT8
    case .uint16: CORT_UINT16
    case .uint32: CORT_UINT32
    case .uint64: CORT_UINT64
    case .bool: CORT_BOOL
    }
    return Int32(bitPattern: element.rawValue)
  }
}
