import ChainBase

/// What is done to two elements.
public enum TensorOperator: Sendable {
  case add, subtract, multiply, divide, power, maximum, minimum
  case equal, less, lessOrEqual
  case and, or

  var givesFlags: Bool {
    switch self {
    case .equal, .less, .lessOrEqual, .and, .or: true
    default: false
    }
  }
}

/// What is done to one element.
public enum TensorFunction: Sendable {
  case negate, absolute, exponential, logarithm, squareRoot, hyperbolicTangent, sigmoid, relu, floor, ceiling, round
}

extension Tensor {
  // MARK: Two operands

  /// Element by element; a dimension of size 1, or that one of them lacks, is spread over the other's.
  ///
  /// The result has the type that holds both (the float one, if one is a float); a quotient or power of integers is
  /// float32; comparisons give bools. Integers wrap around.
  public static func apply(_ operation: TensorOperator, _ a: Tensor, _ b: Tensor) throws -> Tensor {
    let shape = try broadcastShape(a.shape, b.shape, "\(operation)")
    let common = try DType.common(a.dtype, b.dtype)
    return try apply(operation, a, b, shape, common)
  }

  /// With a single value, which takes the tensor's type: a float with integers makes float32 of both, an integer with
  /// bools int64.
  public static func apply(_ operation: TensorOperator, _ a: Tensor, _ scalar: TensorScalar, scalarFirst: Bool = false) throws -> Tensor {
    let common: DType = switch scalar {
    case .number where !a.dtype.isFloat: .float32
    case .integer where a.dtype == .bool: .int64
    default: a.dtype
    }
    let other = try Tensor(filling: [], with: scalar, common)
    return try scalarFirst ? apply(operation, other, a, a.shape, common) : apply(operation, a, other, a.shape, common)
  }

  private static func apply(_ operation: TensorOperator, _ a: Tensor, _ b: Tensor, _ shape: [Int], _ common: DType) throws -> Tensor {
    var worked = common
    switch operation {
    case .divide, .power: if !common.isFloat { worked = .float32 }
    case .and, .or: worked = .bool
    default: break
    }
    let result = operation.givesFlags ? DType.bool : worked == .bool ? .int64 : worked
    if worked == .bool { worked = operation.givesFlags ? .uint8 : .int64 }
    if worked == .float16 { worked = .float32 }
    let isLogic = operation == .and || operation == .or
    let left = try (isLogic ? a.cast(to: .bool) : a).cast(to: worked).spread(to: shape)
    let right = try (isLogic ? b.cast(to: .bool) : b).cast(to: worked).spread(to: shape)
    let value = try worked.work(BinaryWork(operation: operation, a: left, b: right, shape: shape))
    return try value.cast(to: result)
  }

  private func spread(to shape: [Int]) throws -> Tensor { self.shape == shape ? self : try repeated(to: shape) }

  static func broadcastShape(_ a: [Int], _ b: [Int], _ name: String) throws -> [Int] {
    if a == b { return a }
    let rank = Swift.max(a.count, b.count)
    let first = [Int](repeating: 1, count: rank - a.count) + a
    let second = [Int](repeating: 1, count: rank - b.count) + b
    return try zip(first, second).map { one, other in
      guard one == other || one == 1 || other == 1 else {
        throw failure("\(name): \(text(of: a)) and \(text(of: b)) do not fit: \(one) and \(other) differ, and neither is 1")
      }
      return one == 1 ? other : one
    }
  }

  // MARK: One operand

  /// Element by element. Of integers, what is not whole is float32; halves are worked out as floats.
  public func mapped(_ function: TensorFunction) throws -> Tensor {
    switch function {
    case .negate, .absolute, .relu:
      if dtype == .bool { return try cast(to: .int64).mapped(function) }
      if dtype == .float16 { return try cast(to: .float32).mapped(function).cast(to: .float16) }
      return try dtype.work(SignWork(function: function, source: contiguous()))
    case .floor where !dtype.isFloat, .ceiling where !dtype.isFloat, .round where !dtype.isFloat: return self
    default:
      let worked = try cast(to: dtype.real).contiguous()
      let value = try worked.dtype.work(real: FunctionWork(function: function, source: worked))
      return dtype == .float16 ? try value.cast(to: .float16) : value
    }
  }

  /// Held between two bounds, either of which may be left out.
  public func clipped(_ least: TensorScalar?, _ most: TensorScalar?) throws -> Tensor {
    var result = self
    if let least { result = try Tensor.apply(.maximum, result, least) }
    if let most { result = try Tensor.apply(.minimum, result, most) }
    return result
  }

  /// Where the condition holds the first's elements, else the second's.
  public static func choose(where condition: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
    let common = try DType.common(a.dtype, b.dtype)
    let shape = try broadcastShape(condition.shape, broadcastShape(a.shape, b.shape, "where"), "where")
    let (yes, no) = (try a.cast(to: common).repeated(to: shape).contiguous(), try b.cast(to: common).repeated(to: shape).contiguous())
    let flags = try condition.cast(to: .bool).repeated(to: shape).contiguous()
    return try Tensor(common, shape: shape) { memory in
      switch common.size {
      case 1: try choose(UInt8.self, flags, yes, no, memory)
      case 2: try choose(UInt16.self, flags, yes, no, memory)
      case 4: try choose(UInt32.self, flags, yes, no, memory)
      default: try choose(UInt64.self, flags, yes, no, memory)
      }
    }
  }

  /// `Word` is as large as an element.
  private static func choose<Word: FixedWidthInteger>(
    _: Word.Type, _ flags: Tensor, _ yes: Tensor, _ no: Tensor, _ memory: UnsafeMutableRawBufferPointer
  ) throws {
    let (to, flags) = (memory.assumingMemoryBound(to: Word.self), flags.bytes)
    let (yes, no) = (yes.bytes.assumingMemoryBound(to: Word.self), no.bytes.assumingMemoryBound(to: Word.self))
    try TensorPace(to.count).forEachPiece(of: to.count) { piece in
      for position in piece { to[position] = flags[position] != 0 ? yes[position] : no[position] }
    }
  }
}

/// Two operands of one type, spread to the shape of the result.
private struct BinaryWork: NumberWork {
  let operation: TensorOperator
  let a: Tensor
  let b: Tensor
  let shape: [Int]

  func run<Element: Number>(_: Element.Type) throws -> Tensor {
    if operation.givesFlags {
      return try Tensor(.bool, shape: shape) { memory in
        let to = memory.assumingMemoryBound(to: Bool.self)
        switch operation {
        case .equal: try loop(to) { (x: Element, y: Element) in x == y }
        case .less: try loop(to) { (x: Element, y: Element) in x < y }
        case .lessOrEqual: try loop(to) { (x: Element, y: Element) in x <= y }
        case .and: try loop(to) { (x: Element, y: Element) in Element.multiply(x, y).double != 0 }
        default: try loop(to) { (x: Element, y: Element) in x.double != 0 || y.double != 0 }
        }
      }
    }
    return try Tensor(Element.dtype, shape: shape) { memory in
      let to = memory.assumingMemoryBound(to: Element.self)
      switch operation {
      case .add: try loop(to) { Element.add($0, $1) }
      case .subtract: try loop(to) { Element.subtract($0, $1) }
      case .multiply: try loop(to) { Element.multiply($0, $1) }
      case .maximum: try loop(to) { Element.maximum(of: $0, $1) }
      case .minimum: try loop(to) { Element.minimum(of: $0, $1) }
      default: try real(memory)
      }
    }
  }

  /// Quotients and powers: operands were made floats.
  private func real(_ memory: UnsafeMutableRawBufferPointer) throws {
    if a.dtype == .float64 { try real(memory, Double.self) } else { try real(memory, Float.self) }
  }

  private func real<Element: Real>(_ memory: UnsafeMutableRawBufferPointer, _: Element.Type) throws {
    let to = memory.assumingMemoryBound(to: Element.self)
    if operation == .divide { try loop(to) { (x: Element, y: Element) in x / y } } else { try loop(to, cost: 16) { Element.power($0, $1) } }
  }

  @inline(__always) private func loop<Element: Number, Result>(
    _ memory: UnsafeMutableBufferPointer<Result>, cost: Int = 1, _ body: (Element, Element) -> Result
  ) throws {
    guard var to = memory.baseAddress else { return }
    let walk = StridedWalk(shape, a.strides, b.strides)
    let first = a.memory.base.assumingMemoryBound(to: Element.self) + a.offset
    let second = b.memory.base.assumingMemoryBound(to: Element.self) + b.offset
    let (stepA, stepB) = (walk.stepA, walk.stepB)
    try walk.forEachRow(TensorPace(walk.steps, cost: cost)) { startA, startB, length in
      let (x, y) = (first + startA, second + startB)
      switch (stepA, stepB) { // each a loop of its own, which the compiler makes wide
      case (1, 1): for position in 0..<length { to[position] = body(x[position], y[position]) }
      case (1, 0):
        let value = y.pointee
        for position in 0..<length { to[position] = body(x[position], value) }
      case (0, 1):
        let value = x.pointee
        for position in 0..<length { to[position] = body(value, y[position]) }
      default: for position in 0..<length { to[position] = body(x[position &* stepA], y[position &* stepB]) }
      }
      to += length
    }
  }
}

private struct SignWork: NumberWork {
  let function: TensorFunction
  let source: Tensor

  func run<Element: Number>(_: Element.Type) throws -> Tensor {
    try source.mapContiguous { (from: UnsafeBufferPointer<Element>, to: UnsafeMutableBufferPointer<Element>, piece) in
      let zero = Element(false)
      switch function {
      case .negate: for position in piece { to[position] = Element.subtract(zero, from[position]) }
      case .absolute:
        for position in piece { to[position] = from[position] < zero ? Element.subtract(zero, from[position]) : from[position] }
      default: for position in piece { to[position] = from[position] < zero ? zero : from[position] }
      }
    }
  }
}

private struct FunctionWork: RealWork {
  let function: TensorFunction
  let source: Tensor

  func run<Element: Real>(_: Element.Type) throws -> Tensor {
    try source.mapContiguous(cost: 8) { (from: UnsafeBufferPointer<Element>, to: UnsafeMutableBufferPointer<Element>, piece) in
      switch function {
      case .exponential: for position in piece { to[position] = Element.exponential(from[position]) }
      case .logarithm: for position in piece { to[position] = Element.logarithm(from[position]) }
      case .squareRoot: for position in piece { to[position] = from[position].squareRoot() }
      case .hyperbolicTangent: for position in piece { to[position] = Element.hyperbolicTangent(from[position]) }
      case .floor: for position in piece { to[position] = from[position].rounded(.down) }
      case .ceiling: for position in piece { to[position] = from[position].rounded(.up) }
      case .round: for position in piece { to[position] = from[position].rounded(.toNearestOrEven) }
      default: for position in piece { to[position] = 1 / (1 + Element.exponential(-from[position])) }
      }
    }
  }
}

extension Tensor {
  /// A new tensor of the same shape and type, from the elements of this contiguous one, piece by piece.
  func mapContiguous<Element: TensorElement>(
    cost: Int = 1, _ body: (UnsafeBufferPointer<Element>, UnsafeMutableBufferPointer<Element>, Range<Int>) -> Void
  ) throws -> Tensor {
    try Tensor(Element.dtype, shape: shape) { memory in
      let (from, to) = (bytes.assumingMemoryBound(to: Element.self), memory.assumingMemoryBound(to: Element.self))
      try TensorPace(count, cost: cost).forEachPiece(of: count) { body(from, to, $0) }
    }
  }
}
