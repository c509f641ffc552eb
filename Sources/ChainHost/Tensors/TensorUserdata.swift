import ChainBase
import ChainTensors
import LuaBridge

extension Tensor: LuaPushable, LuaReadable {
  public static var annotation: String { "chain.Tensor" }
  public static var expected: String { "tensor" }
  public func push(to stack: borrowing LuaStack) throws(LuaError) { LuaStack(stack.L).push(self) }
  public static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> Tensor {
    guard let tensor = userdata.argument(LuaStack(stack.L), at: index) else {
      throw LuaError(.runtime, "tensor expected, got \(Tensor.userdata.describe(LuaStack(stack.L), at: index))")
    }
    return tensor
  }

  /// The state is charged for the whole memory that a tensor looks into, once for all of its views, and for what each of
  /// them is beside that: the object, its shape and its strides.
  static let userdata = LuaUserdata<Tensor>(
    name: "tensor", own: 256, charge: { .init($0.memory, bytes: $0.memory.byteCount) }, methods: addMethods)

  private static let infix = ["__add", "__sub", "__mul", "__div", "__pow"]

  @Sendable private static func addMethods(_ methods: inout LuaUserdata<Tensor>.Methods) {
    for (name, _) in TensorFunctions.methods {
      let body = TensorModule.body(name)
      methods.add(name, wait: TensorModule.wait(name)) { _, stack in body(stack) }
    }
    for (event, name) in infix.map({ ($0, String($0.dropFirst(2))) }) + [("__unm", "neg"), ("__eq", "==")] {
      methods.infix(event) { TensorModule.push(name, onto: $0, state: $1) }
    }
    methods.meta("__len") { tensor, stack in
      stack.push(integer: Int64(tensor.shape.first ?? 0))
      return 1
    }
    methods.infix("__tostring") { stack in
      stack.push(text: stack.tensor(at: 1)?.description ?? userdata.describe(stack, at: 1))
      return 1
    }
    methods.infix("__close", close)
    methods.addRaw("close", close)
    methods.withFunction("pick") { TensorModule.pushPick(onto: $0, state: $1) }
    methods.indexed { stack in TensorModule.look("[]", index, stack) }
  }

  /// Closing twice does nothing.
  private static func close(_ stack: LuaStack) -> Int32 {
    guard stack.tensor(at: 1) != nil || userdata.isClosed(stack, at: 1) else {
      return stack.fail("bad argument #1 to 'close': tensor expected, got \(stack.describe(at: 1)) (call it with a colon)")
    }
    userdata.close(stack, at: 1)
    return 0
  }

  /// `x[i]`, and what stands for fields.
  private static func index(_ a: TensorArguments) throws -> Int32 {
    guard let tensor = a.stack.tensor(at: 1) else { throw LuaError(.runtime, "the tensor is closed") }
    guard a.stack.type(at: 2) == .string else {
      guard tensor.rank > 0 else { throw LuaError(.runtime, "\(tensor) has no axis to index") }
      guard a.stack.type(at: 2) == .number, let position = try? Int.read(from: a.stack, at: 2) else {
        throw LuaError(.runtime, "a tensor is indexed by positions, got \(a.stack.describe(at: 2))")
      }
      let size = tensor.shape[0], place = position < 0 ? position + size : position - 1
      guard (0..<size).contains(place) else {
        throw LuaError(.runtime, "position \(position) is out of bounds for \(tensor), which has \(size) position\(size == 1 ? "" : "s")")
      }
      return try a.give(tensor.selected(axis: 0, place))
    }
    let name = a.stack.text(at: 2) ?? ""
    switch name {
    case "dtype": a.stack.push(text: tensor.dtype.rawValue)
    case "rank": a.stack.push(integer: Int64(tensor.rank))
    case "count": a.stack.push(integer: Int64(tensor.count))
    case "shape":
      a.stack.pushTable(array: Int32(tensor.rank))
      for (axis, size) in tensor.shape.enumerated() {
        a.stack.push(integer: Int64(size))
        a.stack.rawSet(-2, at: Int64(axis + 1))
      }
    default:
      let names = TensorFunctions.methods.map(\.0) + ["dtype", "rank", "count", "shape", "close", "pick"]
      let near = nearestName(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
      throw LuaError(.runtime, "a tensor has no '\(name)'\(near)")
    }
    return 1
  }
}

extension LuaStack {
  func tensor(at index: Int32) -> Tensor? { Tensor.userdata.object(self, at: index) }
  /// Inside a host section, with six slots free.
  func push(_ tensor: Tensor) { Tensor.userdata.push(tensor, onto: self) }
}

/// What a failure says, or what an error is.
func message(of error: any Error) -> String {
  (error as? Failure)?.message ?? (error as? LuaError)?.message ?? String(describing: error)
}

extension ChainValue {
  /// A tensor, by reference: for inputs and outputs that are declared as `t.tensor(…)`.
  public static func tensor(_ tensor: Tensor) -> ChainValue { .reference(NativeReference(tensor)) }

  /// The tensor that this refers to, if it does.
  public var tensor: Tensor? {
    guard case .reference(let reference) = self else { return nil }
    return reference.object as? Tensor
  }
}
