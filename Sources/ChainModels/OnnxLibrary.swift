import COnnxRuntime
import ChainBase
import ChainLoop

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// ONNX Runtime, opened at run time: from `ORT_LIBRARY`, the cache folder that `scripts/models` fills, or the system's
/// loader. Once in a process.
final class OnnxLibrary: @unchecked Sendable {
  // Unchecked: nothing changes after `init`, and ONNX Runtime's environment may be used by any thread.
  let api: UnsafePointer<cort_api>
  let version: String
  /// Where it was found.
  let path: String
  let environment: OpaquePointer
  /// The memory of the host, where tensors of ours lie.
  let hostMemory: OpaquePointer
  let allocator: OpaquePointer
  /// `CPUExecutionProvider`, `CUDAExecutionProvider`, …
  let providers: [String]

  private static let opened = Monitor<OnnxLibrary?>(nil)

  /// - Throws: a `Failure` that says where it was looked for and what installs it.
  static func shared() throws(Failure) -> OnnxLibrary {
    if let library = opened.withLock({ $0 }) { return library }
    let library = try open()
    return opened.withLock { opened in
      if let first = opened { return first } // another thread was quicker; ours stays open, unused
      opened = library
      return library
    }
  }

  private static func open() throws(Failure) -> OnnxLibrary {
    let (api, version, path) = try load()
    return try OnnxLibrary(api: api, version: version, path: path)
  }

  /// Has the loader map the library, and no more: a second time is free.
  static func load() throws(Failure) -> (api: UnsafePointer<cort_api>, version: String, path: String) {
    var tried: [String] = []
    for path in candidates() {
      var library = cort_library()
      var text = [CChar](repeating: 0, count: 1024)
      if cort_open(path, &library, &text, text.count) != 0, let api = library.api {
        return (api, String(cString: library.version), path)
      }
      tried.append(text.withUnsafeBufferPointer { String(decoding: $0.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) })
    }
    throw Failure(
      code: Failure.Code.unavailable,
      message: "ONNX Runtime is not installed; scripts/models installs it, and ORT_LIBRARY names another "
        + "libonnxruntime.so (tried: \(tried.joined(separator: "; ")))", retry: false)
  }

  private static func candidates() -> [String] {
    if let path = getenv("ORT_LIBRARY").map({ String(cString: $0) }), !path.isEmpty { return [path] }
    #if canImport(Darwin)
      let name = "libonnxruntime.dylib"
    #else
      let name = "libonnxruntime.so"
    #endif
    return ["\(CacheFolder.path)/models/onnxruntime/\(name)", name]
  }

  private init(api: UnsafePointer<cort_api>, version: String, path: String) throws(Failure) {
    self.api = api
    self.version = version
    self.path = path
    var environment: OpaquePointer?
    var memory: OpaquePointer?
    var allocator: OpaquePointer?
    try OnnxLibrary.check(api, cort_create_env(api, Int32(CORT_LOG_FATAL), "chainrun", &environment))
    try OnnxLibrary.check(api, cort_cpu_memory(api, Int32(CORT_ARENA), Int32(CORT_MEMORY_DEFAULT), &memory))
    try OnnxLibrary.check(api, cort_default_allocator(api, &allocator))
    guard let environment, let memory, let allocator else {
      throw Failure(code: Failure.Code.unavailable, message: "ONNX Runtime \(version) gave no environment")
    }
    self.environment = environment
    hostMemory = memory
    self.allocator = allocator
    var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    var count: Int32 = 0
    try OnnxLibrary.check(api, cort_available_providers(api, &names, &count))
    providers = (0..<Int(count)).compactMap { position in names?[position].map { String(cString: $0) } }
    cort_release_status(api, cort_release_providers(api, names, count))
  }

  /// - Throws: what a status says; nil is success.
  func check(_ status: OpaquePointer?) throws(Failure) { try OnnxLibrary.check(api, status) }

  static func check(_ api: UnsafePointer<cort_api>, _ status: OpaquePointer?) throws(Failure) {
    guard let status else { return }
    let message = String(cString: cort_message(api, status))
    cort_release_status(api, status)
    throw Failure(code: Failure.Code.failed, message: "ONNX Runtime: \(message.split(separator: "\n").joined(separator: " "))")
  }

  /// A text that ONNX Runtime allocated.
  func take(_ text: UnsafeMutablePointer<CChar>?) -> String {
    guard let text else { return "" }
    defer { cort_release_status(api, cort_free(api, allocator, text)) }
    return String(cString: text)
  }
}

/// Where `scripts/setup` and `scripts/models` put what they fetch and build.
enum CacheFolder {
  static var path: String {
    func variable(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    return variable("CHAINRUN_CACHE") ?? ((variable("XDG_CACHE_HOME") ?? "\(variable("HOME") ?? "")/.cache") + "/chainrun")
  }
}
