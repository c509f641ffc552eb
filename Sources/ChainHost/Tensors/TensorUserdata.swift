import ChainBase
import ChainTensors
import LuaBridge

extension Tensor: LuaPushable, LuaReadable {
  public static var expected: String { "tensor" }
  public static var annotation: String { "chain.Tensor" }
  public func push(to stack: borrowing LuaStack) throws(LuaError) { Tensor.userdata.push(self, onto: LuaStack(stack.L)) }
  public static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> Tensor {
    guard let tensor = Tensor.userdata.object(LuaStack(stack.L), at: index) else {
      throw LuaError(.runtime, "tensor expected, got \(stack.describe(at: index))")
    }
    return tensor
  }

  static let userdata = LuaUserdata<Tensor>(name: "tensor", weight: { $0.memory.byteCount })
}
