import COnnxRuntime
import ChainBase

/// What a model runs on.
enum Device: String, Sendable {
  case cpu, cuda, webgpu

  /// As ONNX Runtime lists it.
  var provider: String {
    switch self {
    case .cpu: "CPUExecutionProvider"
    case .cuda: "CUDAExecutionProvider"
    case .webgpu: "WebGpuExecutionProvider"
    }
  }

  /// What is to be tried for `device = …`, best first. Only `auto` falls back.
  static func choose(_ asked: String, _ library: OnnxLibrary) throws(Failure) -> [Device] {
    guard asked != "auto" else { return [.cuda, .webgpu].filter { library.providers.contains($0.provider) } + [.cpu] }
    guard let device = Device(rawValue: asked) else {
      throw Failure(code: Failure.Code.failed, message: "there is no device '\(asked)'; there are auto, cpu, cuda, webgpu")
    }
    guard library.providers.contains(device.provider) else {
      throw Failure(
        code: Failure.Code.failed,
        message: "device = \"\(asked)\": this ONNX Runtime (\(library.version), \(library.path)) has no \(device.provider), only "
          + "\(library.providers.joined(separator: ", ")); ORT_LIBRARY may name one that has it, and device = \"auto\" falls back to the cpu")
    }
    return [device]
  }

  /// Why it was taken.
  static func reason(_ taken: String, asked: String, _ library: OnnxLibrary) -> [String] {
    guard asked == "auto" else { return ["asked for"] }
    let missing = [Device.cuda, .webgpu].filter { !library.providers.contains($0.provider) }
    guard taken == "cpu" else { return ["the first that this ONNX Runtime has"] }
    return missing.isEmpty ? [] : ["this ONNX Runtime has no \(missing.map(\.rawValue).joined(separator: " and no "))"]
  }

  func append(to settings: OpaquePointer?, _ library: OnnxLibrary) throws(Failure) {
    let api = library.api
    switch self {
    case .cpu: break
    case .cuda:
      var cuda: UnsafeMutableRawPointer?
      try library.check(cort_create_cuda_options(api, &cuda))
      defer { cort_release_cuda_options(api, cuda) }
      try library.check(cort_append_cuda(api, settings, cuda))
    case .webgpu: try library.check(cort_append_provider(api, settings, "WebGPU", nil, nil, 0))
    }
  }
}
