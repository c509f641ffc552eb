/// What the elements of a tensor are. The raw value is the name that graphs, JSON and numpy use.
public enum DType: String, Sendable, Hashable, CaseIterable {
  case float16, float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool

  /// The bytes of one element.
  public var size: Int {
    switch self {
    case .int8, .uint8, .bool: 1
    case .float16, .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  public var isFloat: Bool {
    switch self {
    case .float16, .float32, .float64: true
    default: false
    }
  }

  /// Whether a value below zero can be held.
  public var isSigned: Bool {
    switch self {
    case .uint8, .uint16, .uint32, .uint64, .bool: false
    default: true
    }
  }
}

extension DType: CustomStringConvertible {
  public var description: String { rawValue }
}

/// A Swift type that elements of a tensor can be read as.
public protocol TensorElement: BitwiseCopyable, Sendable {
  static var dtype: DType { get }
}

extension Half: TensorElement { public static var dtype: DType { .float16 } }
extension Float: TensorElement { public static var dtype: DType { .float32 } }
extension Double: TensorElement { public static var dtype: DType { .float64 } }
extension Int8: TensorElement { public static var dtype: DType { .int8 } }
extension Int16: TensorElement { public static var dtype: DType { .int16 } }
extension Int32: TensorElement { public static var dtype: DType { .int32 } }
extension Int64: TensorElement { public static var dtype: DType { .int64 } }
extension UInt8: TensorElement { public static var dtype: DType { .uint8 } }
extension UInt16: TensorElement { public static var dtype: DType { .uint16 } }
extension UInt32: TensorElement { public static var dtype: DType { .uint32 } }
extension UInt64: TensorElement { public static var dtype: DType { .uint64 } }
extension Bool: TensorElement { public static var dtype: DType { .bool } }
