/// A single value: what stands beside a tensor in arithmetic, and what one element is when it is read.
public enum TensorScalar: Sendable, Hashable {
  case integer(Int64), number(Double), flag(Bool)

  /// As a float; true is 1.
  public var double: Double {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    case .flag(let value): value ? 1 : 0
    }
  }
}

extension TensorScalar: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral {
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .flag(value) }
}

extension TensorScalar: CustomStringConvertible {
  public var description: String {
    switch self {
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .flag(let value): "\(value)"
    }
  }
}

extension Tensor {
  /// A tensor of one value everywhere.
  public convenience init(filling shape: [Int], with value: TensorScalar, _ dtype: DType) throws {
    let one = try Tensor(elements: dtype, shape: []) { (builder: inout TensorBuilder) in
      let fits = switch value {
      case .integer(let value): builder.append(value)
      case .number(let value): builder.append(value)
      case .flag(let value): dtype == .bool ? builder.append(value) : builder.append(value ? Int64(1) : 0)
      }
      guard fits else { throw Tensor.failure("\(value) does not fit \(dtype)") }
    }
    let whole = shape.isEmpty ? one : try one.repeated(to: shape).packed()
    try self.init(dtype, shape: shape, memory: whole.memory)
  }

  /// 0, 1, … up to `count` values, `step` apart, from `start` on.
  public convenience init(counting count: Int, from start: TensorScalar = 0, step: TensorScalar = 1, _ dtype: DType) throws {
    try self.init(elements: dtype, shape: [count]) { (builder: inout TensorBuilder) in
      try TensorPace(count, cost: 4).forEachPiece(of: count) { piece in
        for position in piece {
          let fits: Bool
          if case .integer(let first) = start, case .integer(let distance) = step {
            let (way, tooFar) = distance.multipliedReportingOverflow(by: Int64(position))
            let (value, over) = first.addingReportingOverflow(way)
            fits = !tooFar && !over && builder.append(value)
          } else {
            fits = builder.append(start.double + step.double * Double(position))
          }
          guard fits else { throw Tensor.failure("the value at position \(position + 1) does not fit \(dtype)") }
        }
      }
    }
  }

  /// The element of a tensor that has one.
  public func item() throws -> TensorScalar {
    guard count == 1 else { throw Tensor.failure("\(Tensor.text(of: shape)) is not a single value") }
    return scalar(at: offset)
  }

  /// The place of the first element, for `scalar(at:)`: from one position of a dimension to the next it is `strides` on.
  package var start: Int { offset }

  /// The element at a place of the memory, counted in elements, which must be one of the tensor's.
  package func scalar(at position: Int) -> TensorScalar {
    let address = memory.base + position * dtype.size
    return switch dtype {
    case .float16: .number(Double(address.load(as: Half.self).float))
    case .float32: .number(Double(address.load(as: Float.self)))
    case .float64: .number(address.load(as: Double.self))
    case .int8: .integer(Int64(address.load(as: Int8.self)))
    case .int16: .integer(Int64(address.load(as: Int16.self)))
    case .int32: .integer(Int64(address.load(as: Int32.self)))
    case .int64: .integer(address.load(as: Int64.self))
    case .uint8: .integer(Int64(address.load(as: UInt8.self)))
    case .uint16: .integer(Int64(address.load(as: UInt16.self)))
    case .uint32: .integer(Int64(address.load(as: UInt32.self)))
    case .uint64:
      Int64(exactly: address.load(as: UInt64.self)).map { .integer($0) } ?? .number(Double(address.load(as: UInt64.self)))
    case .bool: .flag(address.load(as: UInt8.self) != 0)
    }
  }
}
