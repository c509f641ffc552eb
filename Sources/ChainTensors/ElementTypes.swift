import ChainBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What arithmetic needs of an element. Integers wrap around.
protocol Number: TensorElement, Comparable {
  init(clampingOrRounding value: Double)
  init(_ value: Bool)
  var double: Double { get }
  /// As 64 bits of an integer; for integers alone.
  var wrapped: Int64 { get }
  static func add(_ a: Self, _ b: Self) -> Self
  static func subtract(_ a: Self, _ b: Self) -> Self
  static func multiply(_ a: Self, _ b: Self) -> Self
  static func maximum(of a: Self, _ b: Self) -> Self
  static func minimum(of a: Self, _ b: Self) -> Self
}

extension Number where Self: FixedWidthInteger {
  @inline(__always) init(clampingOrRounding value: Double) {
    self = value.isNaN ? 0 : value >= Double(Self.max) ? .max : value <= Double(Self.min) ? .min : Self(value)
  }
  @inline(__always) init(_ value: Bool) { self = value ? 1 : 0 }
  @inline(__always) var double: Double { Double(self) }
  @inline(__always) var wrapped: Int64 { Int64(truncatingIfNeeded: self) }
  @inline(__always) static func add(_ a: Self, _ b: Self) -> Self { a &+ b }
  @inline(__always) static func subtract(_ a: Self, _ b: Self) -> Self { a &- b }
  @inline(__always) static func multiply(_ a: Self, _ b: Self) -> Self { a &* b }
  @inline(__always) static func maximum(of a: Self, _ b: Self) -> Self { a > b ? a : b }
  @inline(__always) static func minimum(of a: Self, _ b: Self) -> Self { a < b ? a : b }
}

extension Number where Self: BinaryFloatingPoint {
  @inline(__always) init(clampingOrRounding value: Double) { self = Self(value) }
  @inline(__always) init(_ value: Bool) { self = value ? 1 : 0 }
  @inline(__always) var double: Double { Double(self) }
  @inline(__always) var wrapped: Int64 { Int64(clampingOrRounding: double) }
  @inline(__always) static func add(_ a: Self, _ b: Self) -> Self { a + b }
  @inline(__always) static func subtract(_ a: Self, _ b: Self) -> Self { a - b }
  @inline(__always) static func multiply(_ a: Self, _ b: Self) -> Self { a * b }
  // NaN wins, as in numpy.
  @inline(__always) static func maximum(of a: Self, _ b: Self) -> Self { a > b || a.isNaN ? a : b }
  @inline(__always) static func minimum(of a: Self, _ b: Self) -> Self { a < b || a.isNaN ? a : b }
}

extension Float: Number {}
extension Double: Number {}
extension Int8: Number {}
extension Int16: Number {}
extension Int32: Number {}
extension Int64: Number {}
extension UInt8: Number {}
extension UInt16: Number {}
extension UInt32: Number {}
extension UInt64: Number {}

/// What the functions of a real number need.
protocol Real: Number, BinaryFloatingPoint {
  static func exponential(_ x: Self) -> Self
  static func logarithm(_ x: Self) -> Self
  static func hyperbolicTangent(_ x: Self) -> Self
  static func power(_ x: Self, _ y: Self) -> Self
}

extension Float: Real {
  static func exponential(_ x: Float) -> Float { expf(x) }
  static func logarithm(_ x: Float) -> Float { logf(x) }
  static func hyperbolicTangent(_ x: Float) -> Float { tanhf(x) }
  static func power(_ x: Float, _ y: Float) -> Float { powf(x, y) }
}

extension Double: Real {
  static func exponential(_ x: Double) -> Double { exp(x) }
  static func logarithm(_ x: Double) -> Double { log(x) }
  static func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
  static func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
}

/// Work that is written once for all element types in which there is arithmetic.
protocol NumberWork {
  associatedtype Result
  func run<Element: Number>(_: Element.Type) throws -> Result
}

/// The same for the two types in which real numbers are worked with.
protocol RealWork {
  associatedtype Result
  func run<Element: Real>(_: Element.Type) throws -> Result
}

extension DType {
  /// Halves and booleans have no arithmetic of their own: they are cast before.
  func work<Work: NumberWork>(_ work: Work) throws -> Work.Result {
    switch self {
    case .float32: try work.run(Float.self)
    case .float64: try work.run(Double.self)
    case .int8: try work.run(Int8.self)
    case .int16: try work.run(Int16.self)
    case .int32: try work.run(Int32.self)
    case .int64: try work.run(Int64.self)
    case .uint8: try work.run(UInt8.self)
    case .uint16: try work.run(UInt16.self)
    case .uint32: try work.run(UInt32.self)
    case .uint64: try work.run(UInt64.self)
    case .float16, .bool: throw Tensor.failure("\(self) has no arithmetic of its own: cast first")
    }
  }

  func work<Work: RealWork>(real work: Work) throws -> Work.Result {
    self == .float64 ? try work.run(Double.self) : try work.run(Float.self)
  }

  /// The type in which two are worked with together: the float among them, else the wider, else a signed one that holds
  /// both.
  static func common(_ a: DType, _ b: DType) throws -> DType {
    if a == b { return a }
    if a.isFloat || b.isFloat {
      if a.isFloat, b.isFloat { return a.size > b.size ? a : b }
      return a.isFloat ? a : b
    }
    if a == .bool { return b }
    if b == .bool { return a }
    if a.isSigned == b.isSigned { return a.size > b.size ? a : b }
    let (signed, unsigned) = a.isSigned ? (a, b) : (b, a)
    if signed.size > unsigned.size { return signed }
    switch unsigned {
    case .uint8: return .int16
    case .uint16: return .int32
    case .uint32: return .int64
    default: throw Tensor.failure("there is no integer type that holds both \(a) and \(b): cast one of them first")
    }
  }

  /// In which type sums, exponentials and the like of such elements are worked out.
  var real: DType { self == .float64 ? .float64 : .float32 }
}
