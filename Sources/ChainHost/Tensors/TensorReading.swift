import ChainTensors
import LuaBridge

/// Lua's nested tables to tensors and back.
extension TensorArguments {
  /// How long a value of a table takes to read or write, in steps.
  private static let cost = 32

  /// A number, boolean, or nested lists of them. Without a type they are booleans, int64, or, if one is a float, float32.
  func nested(_ index: Int32, _ dtype: DType?) throws -> Tensor {
    let shape = try outline(index)
    // A table may hold the same one many times: what it comes to is looked at before its values are.
    try Tensor.checkRoom(for: shape, dtype ?? .bool)
    let target = try dtype ?? type(of: index, shape)
    return try Tensor(elements: target, shape: shape) { (builder: inout TensorBuilder) in
      try forEachValue(index, shape) { value in
        let fits = switch value {
        case .integer(let integer): builder.append(integer)
        case .number(let number): builder.append(number)
        case .flag(let flag): builder.append(flag)
        }
        guard fits else { throw wrong(index, "value \(builder.count + 1), \(value), does not fit \(target)") }
      }
    }
  }

  /// The sizes of the lists, as far as the first item of each says.
  private func outline(_ argument: Int32) throws -> [Int] {
    let top = stack.top
    defer { stack.setTop(top) }
    var (shape, index) = ([Int](), argument)
    while stack.type(at: index) == .table {
      guard shape.count < Tensor.mostDimensions else { throw wrong(argument, "nested deeper than \(Tensor.mostDimensions) lists") }
      shape.append(stack.rawLength(at: index))
      if shape.last == 0 { break }
      guard stack.ensure(4) else { throw LuaError(.memory, "stack overflow") }
      stack.rawGet(index, at: 1)
      index = stack.top
    }
    return shape
  }

  private func type(of index: Int32, _ shape: [Int]) throws -> DType {
    var hasFlags = false, hasIntegers = false, hasNumbers = false
    try forEachValue(index, shape) { value in
      switch value {
      case .integer: hasIntegers = true
      case .number: hasNumbers = true
      case .flag: hasFlags = true
      }
    }
    return hasNumbers ? .float32 : hasIntegers ? .int64 : hasFlags ? .bool : .float32
  }

  /// Gives `body` all values in order.
  private func forEachValue(_ index: Int32, _ shape: [Int], _ body: (TensorScalar) throws -> Void) throws {
    let steps = shape.reduce(1) { TensorPace.product($0, max($1, 1)) }
    try forEachValue(index, index, 0, shape, TensorPace(steps, cost: TensorArguments.cost), body)
  }

  private func forEachValue(
    _ argument: Int32, _ index: Int32, _ level: Int, _ shape: [Int], _ pace: TensorPace, _ body: (TensorScalar) throws -> Void
  ) throws {
    try pace.passed(1)
    guard stack.type(at: index) == .table else {
      guard let value = scalar(index) else {
        throw wrong(argument, "numbers or lists of them expected, got \(stack.describe(at: index))")
      }
      guard level == shape.count else { throw wrong(argument, "some of the lists hold numbers where others hold lists") }
      return try body(value)
    }
    guard level < shape.count else { throw wrong(argument, "some of the lists hold numbers where others hold lists") }
    let size = stack.rawLength(at: index)
    guard shape[level] == size else { throw wrong(argument, "a list of \(size) where the others have \(shape[level])") }
    guard stack.ensure(4) else { throw LuaError(.memory, "stack overflow") }
    for position in 0..<size {
      stack.rawGet(index, at: Int64(position + 1))
      try forEachValue(argument, stack.top, level + 1, shape, pace, body)
      stack.pop()
    }
  }

  /// Pushes the elements as nested tables.
  func pushTable(_ tensor: Tensor) throws {
    // So many bytes has a table in Lua, and so many each of its places.
    let (bytesOfTable, bytesOfPlace) = (56, 16)
    var tables = 1, places = 0
    for size in tensor.shape {
      try TensorAllowance.take(TensorPace.product(tables, bytesOfTable))
      tables = TensorPace.product(tables, size)
      try TensorAllowance.take(TensorPace.product(tables, bytesOfPlace))
      places = max(places, tables)
    }
    let pace = try TensorPace(places, cost: TensorArguments.cost)
    func push(_ level: Int, _ place: Int) throws {
      try pace.passed(1)
      guard level < tensor.rank else { return self.push(tensor.scalar(at: place)) }
      guard stack.ensure(4) else { throw LuaError(.memory, "stack overflow") }
      stack.pushTable(array: Int32(clamping: tensor.shape[level]))
      for position in 0..<tensor.shape[level] {
        try push(level + 1, place + position * tensor.strides[level])
        stack.rawSet(-2, at: Int64(position + 1))
      }
    }
    try push(0, tensor.start)
  }
}
