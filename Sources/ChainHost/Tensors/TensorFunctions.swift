import ChainBase
import ChainTensors
import LuaBridge

/// What scripts can do with tensors: functions of the module `tensor`, and those whose first argument is a tensor also as
/// methods. Each pushes its results and returns their number.
package enum TensorFunctions {
  package typealias Body = @Sendable (TensorArguments) throws -> Int32

  /// Functions of the module alone.
  package static let constructors: [(String, Body)] = [
    ("new", { a in
      let dtype = a.isAbsent(2) ? nil : try a.dtype(2)
      if let tensor = a.stack.tensor(at: 1) { return push(try dtype.map { try tensor.cast(to: $0) } ?? tensor, a) }
      return push(try a.nested(1, dtype), a)
    }),
    ("zeros", { a in push(try Tensor(filling: a.shape(1), with: 0, try a.dtype(2, absent: .float32)), a) }),
    ("ones", { a in push(try Tensor(filling: a.shape(1), with: 1, try a.dtype(2, absent: .float32)), a) }),
    ("full", { a in
      let value = try a.value(2)
      return push(try Tensor(filling: a.shape(1), with: value, try a.dtype(3, absent: dtype(of: value))), a)
    }),
    ("range", range),
    ("from_bytes", { a in
      let (dtype, shape) = (try a.dtype(2), try a.shape(3))
      return push(try a.withBytes(1) { try Tensor(dtype, shape: shape, bytes: $0) }, a)
    }),
    ("from_npy", { a in push(try a.withBytes(1) { try Tensor(npy: $0) }, a) }),
    ("concat", { a in
      let tensors = try a.tensors(1)
      guard let first = tensors.first else { throw a.wrong(1, "the list is empty") }
      return push(try Tensor.concatenated(tensors, axis: a.axis(2, of: first, absent: 1)), a)
    }),
    ("stack", { a in
      let tensors = try a.tensors(1)
      let axis = a.isAbsent(2) ? 1 : try a.integer(2)
      guard let rank = tensors.first?.rank else { throw a.wrong(1, "the list is empty") }
      let place = axis < 0 ? axis + rank + 1 : axis - 1
      guard (0...rank).contains(place) else { throw a.wrong(2, "the new axis is one of 1 to \(rank + 1), got \(axis)") }
      return push(try Tensor.stacked(tensors, axis: place), a)
    }),
    ("where", { a in
      let (yes, no) = (try chosen(a, 2), try chosen(a, 3))
      return try a.give(Tensor.choose(where: a.tensor(1), yes, no))
    }),
    ("is", { a in
      a.stack.push(boolean: a.stack.tensor(at: 1) != nil)
      return 1
    }),
  ]

  /// Functions of two operands, either of which may be a number.
  static let operators: [(String, TensorOperator, swapped: Bool)] = [
    ("add", .add, false), ("sub", .subtract, false), ("mul", .multiply, false), ("div", .divide, false), ("pow", .power, false),
    ("maximum", .maximum, false), ("minimum", .minimum, false), ("eq", .equal, false), ("lt", .less, false),
    ("le", .lessOrEqual, false), ("gt", .less, true), ("ge", .lessOrEqual, true), ("both", .and, false), ("either", .or, false),
  ]

  static let elementwise: [(String, TensorFunction)] = [
    ("neg", .negate), ("abs", .absolute), ("exp", .exponential), ("log", .logarithm), ("sqrt", .squareRoot),
    ("tanh", .hyperbolicTangent), ("sigmoid", .sigmoid), ("relu", .relu), ("floor", .floor), ("ceil", .ceiling), ("round", .round),
  ]

  static let reductions: [(String, TensorReduction)] = [("sum", .sum), ("mean", .mean), ("max", .maximum), ("min", .minimum)]

  /// All that have a tensor first.
  package static let methods: [(String, Body)] =
    operators.map { name, operation, swapped in (name, { @Sendable a in try apply(operation, a, swapped: swapped) }) }
    + elementwise.map { name, function in (name, { @Sendable a in try a.give(a.tensor(1).mapped(function)) }) }
    + reductions.map { name, reduction in
      (name, { @Sendable a in
        let tensor = try a.tensor(1)
        return try a.give(tensor.reduced(reduction, axes: a.axes(2, of: tensor), keeping: a.flag(3)))
      })
    }
    + TensorShapes.methods + TensorScores.methods

  static func apply(_ operation: TensorOperator, _ a: TensorArguments, swapped: Bool = false) throws -> Int32 {
    switch (try a.operand(swapped ? 2 : 1), try a.operand(swapped ? 1 : 2)) {
    case (.tensor(let one), .tensor(let other)): try a.give(Tensor.apply(operation, one, other))
    case (.tensor(let tensor), .scalar(let scalar)): try a.give(Tensor.apply(operation, tensor, scalar))
    case (.scalar(let scalar), .tensor(let tensor)): try a.give(Tensor.apply(operation, tensor, scalar, scalarFirst: true))
    default: throw a.wrong(1, "tensor expected, got \(a.stack.describe(at: 1))")
    }
  }

  static func push(_ tensor: Tensor, _ a: TensorArguments) -> Int32 {
    a.stack.push(tensor)
    return 1
  }

  private static func chosen(_ a: TensorArguments, _ index: Int32) throws -> Tensor {
    switch try a.operand(index) {
    case .tensor(let tensor): tensor
    case .scalar(let scalar): try Tensor(filling: [], with: scalar, dtype(of: scalar))
    }
  }

  private static func dtype(of scalar: TensorScalar) -> DType {
    switch scalar {
    case .integer: .int64
    case .number: .float32
    case .flag: .bool
    }
  }

  /// As Lua's `for`: first, last (included), step.
  @Sendable private static func range(_ a: TensorArguments) throws -> Int32 {
    let first = try a.value(1), last = try a.number(2)
    let step: TensorScalar = a.isAbsent(3) ? 1 : try a.value(3)
    guard step.double != 0, step.double.isFinite, first.double.isFinite, last.isFinite else {
      throw a.wrong(3, "first, last and step must be finite, and the step not 0")
    }
    let count = ((last - first.double) / step.double + 1e-9).rounded(.down) + 1
    guard count < 0x1p40 else { throw LuaError.noMemory }
    let size = count > 0 ? Int(count) : 0
    var isWhole = true
    for case .number in [first, step] { isWhole = false }
    return push(try Tensor(counting: size, from: first, step: step, try a.dtype(4, absent: isWhole ? .int64 : .float32)), a)
  }
}
