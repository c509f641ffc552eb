import ChainTensors
import LuaBridge

/// Lua's nested tables to tensors and back.
extension TensorArguments {
  /// A number, boolean, or nested lists of them. Without a type they are booleans, int64, or, if one is a float, float32.
  func nested(_ index: Int32, _ dtype: DType?) throws -> Tensor {
    var nest = Nest()
    try read(index, stack.absolute(index), 0, &nest)
    if nest.shape.isEmpty, nest.values.isEmpty { throw wrong(index, "numbers expected, got nothing") }
    let target = dtype ?? (nest.hasNumbers ? .float32 : nest.hasIntegers ? .int64 : nest.hasFlags ? .bool : .float32)
    var builder = TensorBuilder(target)
    for (place, value) in nest.values.enumerated() {
      let fits = switch value {
      case .integer(let integer): builder.append(integer)
      case .number(let number): builder.append(number)
      case .flag(let flag): builder.append(flag)
      }
      guard fits else { throw wrong(index, "value \(place + 1), \(value), does not fit \(target)") }
    }
    return try builder.tensor(shape: nest.shape)
  }

  private struct Nest {
    var shape: [Int] = []
    var values: [TensorScalar] = []
    var hasFlags = false
    var hasIntegers = false
    var hasNumbers = false
    /// The depth at which values were found.
    var rank: Int?
  }

  private func read(_ argument: Int32, _ index: Int32, _ level: Int, _ nest: inout Nest) throws {
    guard stack.ensure(4) else { throw LuaError(.memory, "stack overflow") }
    guard stack.type(at: index) == .table else {
      guard let value = scalar(index) else {
        throw wrong(argument, "numbers or lists of them expected, got \(stack.describe(at: index))")
      }
      guard nest.rank ?? level == level, level == nest.shape.count else { throw wrong(argument, "some of the lists hold numbers where others hold lists") }
      nest.rank = level
      switch value {
      case .integer: nest.hasIntegers = true
      case .number: nest.hasNumbers = true
      case .flag: nest.hasFlags = true
      }
      return nest.values.append(value)
    }
    guard level < Tensor.mostDimensions else { throw wrong(argument, "nested deeper than \(Tensor.mostDimensions) lists") }
    let size = stack.rawLength(at: index)
    if level == nest.shape.count {
      guard nest.rank == nil else { throw wrong(argument, "some of the lists hold numbers where others hold lists") }
      nest.shape.append(size)
    }
    guard nest.shape[level] == size else {
      throw wrong(argument, "a list of \(size) where the others have \(nest.shape[level])")
    }
    for position in 0..<size {
      stack.rawGet(index, at: Int64(position + 1))
      try read(argument, stack.top, level + 1, &nest)
      stack.pop()
    }
  }

  /// Pushes the elements as nested tables.
  func pushTable(_ tensor: Tensor) throws {
    // A table takes 16 bytes for each value; what is more than the state has left is refused before it is made.
    let memory = LuaState.of(stack).pointee.memory
    guard tensor.count <= 1 << 26, tensor.count * 16 <= max(memory.limit - min(memory.used, memory.limit), 0) else {
      throw LuaError.noMemory
    }
    var values: [TensorScalar] = []
    values.reserveCapacity(tensor.count)
    tensor.forEachScalar { values.append($0) }
    var next = 0
    func push(_ level: Int) throws {
      guard level < tensor.rank else {
        self.push(values[next])
        next += 1
        return
      }
      guard stack.ensure(4) else { throw LuaError(.memory, "stack overflow") }
      stack.pushTable(array: Int32(clamping: tensor.shape[level]))
      for position in 0..<tensor.shape[level] {
        try push(level + 1)
        stack.rawSet(-2, at: Int64(position + 1))
      }
    }
    try push(0)
  }
}
