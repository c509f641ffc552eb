import Floors

/// A model by ONNX Runtime's C API alone.
///
/// `@unchecked Sendable` is true because one benchmark uses it, one measurement after the other.
final class FloorEngine: @unchecked Sendable {
  private let engine: OpaquePointer

  init(_ model: String, output: StaticString) throws {
    let name = UnsafeRawPointer(output.utf8Start).assumingMemoryBound(to: CChar.self) // lives as long as the program
    guard let engine = floor_open_engine(ModelFiles.engine, model, name) else {
      throw BenchFailure("the floor cannot open \(model) with \(ModelFiles.engine)")
    }
    self.engine = engine
  }

  deinit { floor_close_engine(engine) }

  func add<Element: BitwiseCopyable>(_ name: String, _ elements: [Element], shape: [Int64], onnxType: Int32) throws {
    let added = elements.withUnsafeBytes { bytes in
      floor_add_input(engine, name, onnxType, shape, shape.count, bytes.baseAddress, bytes.count)
    }
    guard added != 0 else { throw BenchFailure("the floor cannot make input '\(name)'") }
  }

  /// Nanoseconds of one call, and the first element of its output.
  func run(_ calls: Int) throws -> (nanoseconds: Double, first: Float) {
    var first: Float = 0
    let spent = floor_run_engine(engine, Int32(calls), &first)
    guard spent >= 0 else { throw BenchFailure("the floor's call failed") }
    return (spent, first)
  }
}
