import ChainBase
import ChainTensors
import LuaBridge

/// The arguments of one call of a tensor function from Lua. Positions and axes start at 1 there, negative ones count from
/// the end; here they leave as the tensor's own.
package struct TensorArguments {
  let stack: LuaStack
  let name: String

  func isAbsent(_ index: Int32) -> Bool {
    let type = stack.type(at: index)
    return type == .none || type == .nil
  }

  func wrong(_ index: Int32, _ text: String) -> LuaError { LuaError(.runtime, "bad argument #\(index) to '\(name)': \(text)") }

  private func read<Value: LuaReadable>(_: Value.Type, _ index: Int32) throws -> Value {
    do throws(LuaError) { return try Value.read(from: stack, at: index) } catch { throw wrong(index, error.message) }
  }

  func tensor(_ index: Int32) throws -> Tensor { try read(Tensor.self, index) }
  func integer(_ index: Int32) throws -> Int { try read(Int.self, index) }
  func number(_ index: Int32) throws -> Double { try read(Double.self, index) }
  func flag(_ index: Int32) throws -> Bool { isAbsent(index) ? false : try read(Bool.self, index) }

  /// A tensor, or a single value of Lua's.
  func operand(_ index: Int32) throws -> Operand {
    if let tensor = stack.tensor(at: index) { return .tensor(tensor) }
    if let scalar = scalar(index) { return .scalar(scalar) }
    throw wrong(index, "tensor or number expected, got \(Tensor.userdata.describe(stack, at: index))")
  }

  enum Operand { case tensor(Tensor), scalar(TensorScalar) }

  func scalar(_ index: Int32) -> TensorScalar? {
    switch stack.type(at: index) {
    case .number: stack.isInteger(at: index) ? .integer(stack.integer(at: index)) : .number(stack.number(at: index))
    case .boolean: .flag(stack.boolean(at: index))
    default: nil
    }
  }

  func value(_ index: Int32) throws -> TensorScalar {
    guard let scalar = scalar(index) else { throw wrong(index, "number or boolean expected, got \(stack.describe(at: index))") }
    return scalar
  }

  func dtype(_ index: Int32, absent: DType? = nil) throws -> DType {
    if let absent, isAbsent(index) { return absent }
    let names = DType.allCases.map(\.rawValue)
    guard let text = stack.text(at: index) else {
      throw wrong(index, "the name of an element type expected (\(names.joined(separator: ", "))), got \(stack.describe(at: index))")
    }
    if let dtype = DType(rawValue: text) { return dtype }
    let near = nearestName(to: text, among: names).map { "; did you mean '\($0)'?" } ?? "; there are \(names.joined(separator: ", "))"
    throw wrong(index, "there is no element type '\(text)'\(near)")
  }

  func axis(_ index: Int32, of tensor: Tensor, absent: Int = -1) throws -> Int {
    let axis = isAbsent(index) ? absent : try integer(index)
    let place = axis < 0 ? axis + tensor.rank : axis - 1
    guard tensor.shape.indices.contains(place) else {
      throw wrong(index, "there is no axis \(axis) in \(tensor)\(tensor.rank == 0 ? "" : ", which has axes 1 to \(tensor.rank)")")
    }
    return place
  }

  /// One axis, a list of axes, or none.
  func axes(_ index: Int32, of tensor: Tensor) throws -> [Int]? {
    if isAbsent(index) { return nil }
    guard stack.type(at: index) == .table else { return [try axis(index, of: tensor)] }
    return try places(of: sizes(from: index), index, of: tensor)
  }

  /// The places of axes, which are counted from 1, or from the end when negative.
  func places(of axes: [Int], _ index: Int32, of tensor: Tensor) throws -> [Int] {
    try axes.map { axis in
      let place = axis < 0 ? axis + tensor.rank : axis - 1
      guard tensor.shape.indices.contains(place) else { throw wrong(index, "there is no axis \(axis) in \(tensor)") }
      return place
    }
  }

  /// The place of a position along an axis.
  func position(_ index: Int32, axis: Int, of tensor: Tensor) throws -> Int {
    try position(integer(index), axis: axis, of: tensor, index)
  }

  func position(_ position: Int, axis: Int, of tensor: Tensor, _ index: Int32) throws -> Int {
    let size = tensor.shape[axis]
    let place = position < 0 ? position + size : position - 1
    guard (0..<size).contains(place) else {
      throw wrong(index, "position \(position) is out of bounds for \(tensor), whose axis \(axis + 1) has \(size) position\(size == 1 ? "" : "s")")
    }
    return place
  }

  /// A list of integers: a table, or a tensor of one dimension.
  func integers(_ index: Int32) throws -> [Int] {
    if let tensor = stack.tensor(at: index) {
      guard tensor.rank == 1, !tensor.dtype.isFloat, tensor.dtype != .bool else {
        throw wrong(index, "a list of integers expected, got \(tensor)")
      }
      try TensorAllowance.take(TensorPace.product(tensor.count, 8))
      return try tensor.cast(to: .int64).withElements(of: Int64.self) { elements in
        var list: [Int] = []
        list.reserveCapacity(elements.count)
        try TensorPace(elements.count).forEachPiece(of: elements.count) { for position in $0 { list.append(Int(elements[position])) } }
        return list
      }
    }
    return try list(of: Int.self, index)
  }

  /// Sizes or axes, as one table or one after the other; no more than a tensor can have.
  func sizes(from index: Int32) throws -> [Int] {
    let isList = stack.type(at: index) == .table
    let count = isList ? stack.rawLength(at: index) : Int(stack.top - index + 1)
    guard count <= Tensor.mostDimensions else {
      throw wrong(index, "a tensor has at most \(Tensor.mostDimensions) dimensions, got \(count)")
    }
    return isList ? try integers(index) : try (0..<max(count, 0)).map { try integer(index + Int32($0)) }
  }

  /// The shape that a function takes as one argument.
  func shape(_ index: Int32) throws -> [Int] {
    stack.type(at: index) == .table ? try sizes(from: index) : try integers(index)
  }

  func tensors(_ index: Int32) throws -> [Tensor] {
    guard stack.type(at: index) == .table else { throw wrong(index, "list of tensors expected, got \(stack.describe(at: index))") }
    return try list(of: Tensor.self, index)
  }

  private func list<Element: LuaReadable>(of _: Element.Type, _ index: Int32) throws -> [Element] {
    guard stack.type(at: index) == .table else { return try read([Element].self, index) } // and is told what is wrong
    let count = stack.rawLength(at: index)
    let pace = try TensorPace(count, cost: 32)
    try TensorAllowance.take(TensorPace.product(count, MemoryLayout<Element>.stride))
    var list: [Element] = []
    list.reserveCapacity(count)
    try pace.forEachPiece(of: count) { piece in
      for position in piece {
        stack.rawGet(index, at: Int64(position + 1))
        defer { stack.pop() }
        do throws(LuaError) { list.append(try Element.read(from: stack, at: -1)) } catch {
          throw wrong(index, "item \(position + 1): \(error.message)")
        }
      }
    }
    return list
  }

  /// The bytes of a string or a blob, valid while the call runs.
  func withBytes<Result>(_ index: Int32, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    if let blob = Blob.userdata.object(stack, at: index) { return try blob.withBytes(body) }
    guard stack.type(at: index) == .string else { throw wrong(index, "bytes or blob expected, got \(stack.describe(at: index))") }
    return try body(stack.bytes(at: index))
  }

  // MARK: Results

  /// Pushes bytes that are made by `make`, if a string may have so many.
  func giveBytes(_ count: Int, of tensor: Tensor, _ make: ((UnsafeRawBufferPointer) -> Void) throws -> Void) throws -> Int32 {
    let most = LuaState.of(stack).pointee.memory.string_limit
    guard count <= most else {
      throw LuaError(.runtime, "\(name): \(tensor) has \(count) bytes, more than a string may have (\(most)); take it in parts")
    }
    try TensorAllowance.take(count)
    try make { stack.push(bytes: $0) }
    return 1
  }

  /// Pushes a tensor; one without dimensions as a Lua value.
  func give(_ tensor: Tensor) throws -> Int32 {
    if tensor.rank == 0 { push(try tensor.item()) } else { stack.push(tensor) }
    return 1
  }

  func push(_ scalar: TensorScalar) {
    switch scalar {
    case .integer(let value): stack.push(integer: value)
    case .number(let value): stack.push(number: value)
    case .flag(let value): stack.push(boolean: value)
    }
  }
}
