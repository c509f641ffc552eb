/// Elements that come one by one, as numbers of other kinds, and must fit the type of the tensor that they become.
package struct TensorBuilder {
  package let dtype: DType
  private var bytes: [UInt8] = []

  /// Where the elements go instead, if it is known how many there are.
  private let memory: UnsafeMutableRawBufferPointer?
  private var written = 0

  package init(_ dtype: DType) {
    self.dtype = dtype
    memory = nil
  }

  fileprivate init(_ dtype: DType, into memory: UnsafeMutableRawBufferPointer) {
    self.dtype = dtype
    self.memory = memory
  }

  package var count: Int { written / dtype.size }

  /// False, and nothing is appended, when the element type cannot hold it.
  package mutating func append(_ value: Int64) -> Bool {
    switch dtype {
    case .float16, .float32, .float64: append(Double(value))
    case .int8: put(Int8(exactly: value))
    case .int16: put(Int16(exactly: value))
    case .int32: put(Int32(exactly: value))
    case .int64: put(value)
    case .uint8: put(UInt8(exactly: value))
    case .uint16: put(UInt16(exactly: value))
    case .uint32: put(UInt32(exactly: value))
    case .uint64: put(UInt64(exactly: value))
    case .bool: false
    }
  }

  /// A float with an integral value is taken as an integer. What a float type can only hold as an infinity is refused.
  package mutating func append(_ value: Double) -> Bool {
    switch dtype {
    case .float16:
      let half = Half(Float(value))
      return half.float.isFinite || !value.isFinite ? put(half) : false
    case .float32: return Float(value).isFinite || !value.isFinite ? put(Float(value)) : false
    case .float64: return put(value)
    case .uint64: return put(UInt64(exactly: value))
    default: return Int64(exactly: value).map { append($0) } ?? false
    }
  }

  package mutating func append(_ value: Bool) -> Bool { dtype == .bool ? put(value) : false }

  private mutating func put<Element: TensorElement>(_ element: Element?) -> Bool {
    guard let element else { return false }
    if let memory {
      guard written + dtype.size <= memory.count else { return false }
      memory.storeBytes(of: element, toByteOffset: written, as: Element.self)
    } else {
      withUnsafeBytes(of: element) { bytes.append(contentsOf: $0) }
    }
    written += dtype.size
    return true
  }

  package func tensor(shape: [Int]) throws -> Tensor {
    guard try Tensor.count(of: shape, dtype) == count else {
      throw Tensor.failure("\(count) elements do not fill \(Tensor.text(of: shape))")
    }
    return try Tensor(dtype, shape: shape) { memory in try bytes.withUnsafeBytes { try TensorPace.copy($0, to: memory) } }
  }
}

extension Tensor {
  /// A new tensor of elements that `build` appends, all of them.
  package convenience init(elements dtype: DType, shape: [Int], building build: (inout TensorBuilder) throws -> Void) throws {
    try self.init(dtype, shape: shape) { memory in
      var builder = TensorBuilder(dtype, into: memory)
      try build(&builder)
      guard builder.count * dtype.size == memory.count else {
        throw Tensor.failure("\(builder.count) elements do not fill \(Tensor.text(of: shape))")
      }
    }
  }
}
