import ChainBase
import ChainTensors

/// A named input or output of a model.
struct ModelPort: Sendable, Equatable {
  enum Dimension: Sendable, Equatable {
    case fixed(Int)
    /// Any size; the same name is the same size in one call.
    case named(String)
    case any
  }

  var name: String
  /// nil for what no tensor of ours holds: strings, sequences.
  var dtype: DType?
  /// What ONNX calls the element where `dtype` is nil.
  var otherType: String = ""
  var shape: [Dimension]

  /// `int64 [batch, 128]`
  var text: String { "\(dtype?.rawValue ?? otherType) [\(shape.map(ModelPort.text).joined(separator: ", "))]" }

  static func text(_ dimension: Dimension) -> String {
    switch dimension {
    case .fixed(let size): String(size)
    case .named(let name): name
    case .any: "?"
    }
  }

  static func text(_ tensor: Tensor) -> String { "\(tensor.dtype) [\(tensor.shape.map(String.init).joined(separator: ", "))]" }

  /// - Parameter named: sizes of named dimensions so far, and where they came from; noted here.
  /// - Throws: what does not fit, expected and actual.
  func check(_ tensor: Tensor, _ named: inout [String: (size: Int, port: String)]) throws(Failure) {
    guard let dtype else {
      throw Failure(code: Failure.Code.badInput, message: "input '\(name)' is \(otherType), which no tensor holds", status: 500)
    }
    guard tensor.dtype == dtype, tensor.shape.count == shape.count else { throw mismatch(tensor) }
    guard tensor.shape.first != 0 else { // some operators end the process
      throw Failure(
        code: Failure.Code.badInput, message: "input '\(name)': expected at least one row, got \(ModelPort.text(tensor))", status: 500)
    }
    for (size, dimension) in zip(tensor.shape, shape) {
      switch dimension {
      case .any: break
      case .fixed(let expected): guard size == expected else { throw mismatch(tensor) }
      case .named(let dimension):
        if let known = named[dimension], known.size != size {
          throw Failure(
            code: Failure.Code.badInput,
            message: "input '\(name)': expected \(text), got \(ModelPort.text(tensor)); \(dimension) is \(known.size) in '\(known.port)'",
            status: 500)
        }
        named[dimension] = (size, name)
      }
    }
  }

  private func mismatch(_ tensor: Tensor) -> Failure {
    Failure(
      code: Failure.Code.badInput, message: "input '\(name)': expected \(text), got \(ModelPort.text(tensor))", status: 500)
  }
}
