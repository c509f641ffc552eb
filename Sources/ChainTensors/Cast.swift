extension Tensor {
  /// The same values as elements of another type. Floats are cut toward zero and held to the range of an integer type
  /// (NaN becomes 0); what is not 0 becomes true; integers wrap around.
  public func cast(to target: DType) throws -> Tensor {
    if target == dtype { return self }
    let source = try contiguous()
    return try Tensor(target, shape: shape) { memory in
      switch dtype {
      case .float16: Tensor.convert(source.bytes, Half.self, memory, target) { $0.float }
      case .float32: Tensor.convert(source.bytes, Float.self, memory, target) { $0 }
      case .float64: Tensor.convert(source.bytes, Double.self, memory, target) { $0 }
      case .int8: Tensor.convert(source.bytes, Int8.self, memory, target) { $0 }
      case .int16: Tensor.convert(source.bytes, Int16.self, memory, target) { $0 }
      case .int32: Tensor.convert(source.bytes, Int32.self, memory, target) { $0 }
      case .int64: Tensor.convert(source.bytes, Int64.self, memory, target) { $0 }
      case .uint8: Tensor.convert(source.bytes, UInt8.self, memory, target) { $0 }
      case .uint16: Tensor.convert(source.bytes, UInt16.self, memory, target) { $0 }
      case .uint32: Tensor.convert(source.bytes, UInt32.self, memory, target) { $0 }
      case .uint64: Tensor.convert(source.bytes, UInt64.self, memory, target) { $0 }
      case .bool: Tensor.convert(source.bytes, UInt8.self, memory, target) { $0 == 0 ? UInt8(0) : 1 }
      }
    }
  }

  private static func convert<From: TensorElement, Value: BinaryFloatingPoint>(
    _ bytes: UnsafeRawBufferPointer, _: From.Type, _ memory: UnsafeMutableRawBufferPointer, _ target: DType, _ value: (From) -> Value
  ) {
    let from = bytes.assumingMemoryBound(to: From.self)
    switch target {
    case .float16: fill(memory, from) { Half(Float(value($0))) }
    case .float32: fill(memory, from) { Float(value($0)) }
    case .float64: fill(memory, from) { Double(value($0)) }
    case .int8: fill(memory, from) { Int8(clampingOrRounding: Double(value($0))) }
    case .int16: fill(memory, from) { Int16(clampingOrRounding: Double(value($0))) }
    case .int32: fill(memory, from) { Int32(clampingOrRounding: Double(value($0))) }
    case .int64: fill(memory, from) { Int64(clampingOrRounding: Double(value($0))) }
    case .uint8: fill(memory, from) { UInt8(clampingOrRounding: Double(value($0))) }
    case .uint16: fill(memory, from) { UInt16(clampingOrRounding: Double(value($0))) }
    case .uint32: fill(memory, from) { UInt32(clampingOrRounding: Double(value($0))) }
    case .uint64: fill(memory, from) { UInt64(clampingOrRounding: Double(value($0))) }
    case .bool: fill(memory, from) { value($0) != 0 }
    }
  }

  private static func convert<From: TensorElement, Value: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, _: From.Type, _ memory: UnsafeMutableRawBufferPointer, _ target: DType, _ value: (From) -> Value
  ) {
    let from = bytes.assumingMemoryBound(to: From.self)
    switch target {
    case .float16: fill(memory, from) { Half(Float(value($0))) }
    case .float32: fill(memory, from) { Float(value($0)) }
    case .float64: fill(memory, from) { Double(value($0)) }
    case .int8: fill(memory, from) { Int8(truncatingIfNeeded: value($0)) }
    case .int16: fill(memory, from) { Int16(truncatingIfNeeded: value($0)) }
    case .int32: fill(memory, from) { Int32(truncatingIfNeeded: value($0)) }
    case .int64: fill(memory, from) { Int64(truncatingIfNeeded: value($0)) }
    case .uint8: fill(memory, from) { UInt8(truncatingIfNeeded: value($0)) }
    case .uint16: fill(memory, from) { UInt16(truncatingIfNeeded: value($0)) }
    case .uint32: fill(memory, from) { UInt32(truncatingIfNeeded: value($0)) }
    case .uint64: fill(memory, from) { UInt64(truncatingIfNeeded: value($0)) }
    case .bool: fill(memory, from) { value($0) != 0 }
    }
  }

  @inline(__always) private static func fill<From, To: BitwiseCopyable>(
    _ memory: UnsafeMutableRawBufferPointer, _ from: UnsafeBufferPointer<From>, _ value: (From) -> To
  ) {
    let to = memory.assumingMemoryBound(to: To.self)
    for position in 0..<from.count { to[position] = value(from[position]) }
  }
}
