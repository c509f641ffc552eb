extension Tensor {
  /// The same values as elements of another type. Floats are cut toward zero and held to the range of an integer type
  /// (NaN becomes 0); what is not 0 becomes true; integers wrap around.
  public func cast(to target: DType) throws -> Tensor {
    if target == dtype { return self }
    let source = try contiguous()
    return try Tensor(target, shape: shape) { memory in
      switch dtype {
      case .float16: try Tensor.convert(source.bytes, Half.self, memory, target) { $0.float }
      case .float32: try Tensor.convert(source.bytes, Float.self, memory, target) { $0 }
      case .float64: try Tensor.convert(source.bytes, Double.self, memory, target) { $0 }
      case .int8: try Tensor.convert(source.bytes, Int8.self, memory, target) { $0 }
      case .int16: try Tensor.convert(source.bytes, Int16.self, memory, target) { $0 }
      case .int32: try Tensor.convert(source.bytes, Int32.self, memory, target) { $0 }
      case .int64: try Tensor.convert(source.bytes, Int64.self, memory, target) { $0 }
      case .uint8: try Tensor.convert(source.bytes, UInt8.self, memory, target) { $0 }
      case .uint16: try Tensor.convert(source.bytes, UInt16.self, memory, target) { $0 }
      case .uint32: try Tensor.convert(source.bytes, UInt32.self, memory, target) { $0 }
      case .uint64: try Tensor.convert(source.bytes, UInt64.self, memory, target) { $0 }
      case .bool: try Tensor.convert(source.bytes, UInt8.self, memory, target) { $0 == 0 ? UInt8(0) : 1 }
      }
    }
  }

  private static func convert<From: TensorElement, Value: BinaryFloatingPoint>(
    _ bytes: UnsafeRawBufferPointer, _: From.Type, _ memory: UnsafeMutableRawBufferPointer, _ target: DType, _ value: (From) -> Value
  ) throws {
    let from = bytes.assumingMemoryBound(to: From.self)
    switch target {
    case .float16: try fill(memory, from) { Half(Float(value($0))) }
    case .float32: try fill(memory, from) { Float(value($0)) }
    case .float64: try fill(memory, from) { Double(value($0)) }
    case .int8: try fill(memory, from) { Int8(clampingOrRounding: Double(value($0))) }
    case .int16: try fill(memory, from) { Int16(clampingOrRounding: Double(value($0))) }
    case .int32: try fill(memory, from) { Int32(clampingOrRounding: Double(value($0))) }
    case .int64: try fill(memory, from) { Int64(clampingOrRounding: Double(value($0))) }
    case .uint8: try fill(memory, from) { UInt8(clampingOrRounding: Double(value($0))) }
    case .uint16: try fill(memory, from) { UInt16(clampingOrRounding: Double(value($0))) }
    case .uint32: try fill(memory, from) { UInt32(clampingOrRounding: Double(value($0))) }
    case .uint64: try fill(memory, from) { UInt64(clampingOrRounding: Double(value($0))) }
    case .bool: try fill(memory, from) { value($0) != 0 }
    }
  }

  private static func convert<From: TensorElement, Value: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, _: From.Type, _ memory: UnsafeMutableRawBufferPointer, _ target: DType, _ value: (From) -> Value
  ) throws {
    let from = bytes.assumingMemoryBound(to: From.self)
    switch target {
    case .float16: try fill(memory, from) { Half(Float(value($0))) }
    case .float32: try fill(memory, from) { Float(value($0)) }
    case .float64: try fill(memory, from) { Double(value($0)) }
    case .int8: try fill(memory, from) { Int8(truncatingIfNeeded: value($0)) }
    case .int16: try fill(memory, from) { Int16(truncatingIfNeeded: value($0)) }
    case .int32: try fill(memory, from) { Int32(truncatingIfNeeded: value($0)) }
    case .int64: try fill(memory, from) { Int64(truncatingIfNeeded: value($0)) }
    case .uint8: try fill(memory, from) { UInt8(truncatingIfNeeded: value($0)) }
    case .uint16: try fill(memory, from) { UInt16(truncatingIfNeeded: value($0)) }
    case .uint32: try fill(memory, from) { UInt32(truncatingIfNeeded: value($0)) }
    case .uint64: try fill(memory, from) { UInt64(truncatingIfNeeded: value($0)) }
    case .bool: try fill(memory, from) { value($0) != 0 }
    }
  }

  @inline(__always) private static func fill<From, To: BitwiseCopyable>(
    _ memory: UnsafeMutableRawBufferPointer, _ from: UnsafeBufferPointer<From>, _ value: (From) -> To
  ) throws {
    let to = memory.assumingMemoryBound(to: To.self)
    let isHalf = From.self == Half.self || To.self == Half.self
    try TensorPace(from.count, cost: isHalf ? 4 : 2).forEachPiece(of: from.count) { piece in
      for position in piece { to[position] = value(from[position]) }
    }
  }
}
