import LuaBridge

/// The modules that `require` gives beside `chain` and Lua's own libraries.
package enum BuiltInModule {
  /// Pushes a module; false, and nothing, when there is none of that name.
  package static func push(_ name: String, onto stack: LuaStack, of state: LuaState) -> Bool {
    switch name {
    case "json":
      return (try? JSONModule.push(onto: stack, state: state)) != nil
    case "tensor":
      TensorModule.push(onto: stack, state: state)
      return true
    case "text":
      return (try? TextModule.push(onto: stack, state: state)) != nil
    default: return false
    }
  }

  /// Pushes an embedder's module for a planning state: its functions are there, and say that they cannot be called yet.
  static func pushUnusable(_ name: String, _ modules: [PrimitiveModule], onto stack: LuaStack, of state: LuaState) -> Bool {
    guard let module = modules.first(where: { $0.name == name }) else { return false }
    stack.pushTable(fields: Int32(clamping: module.primitives.count))
    for primitive in module.primitives {
      stack.pushWait(op: Op.native.rawValue)
      stack.rawSet(-2, field: primitive.name)
    }
    for kind in module.kinds {
      ResourceUse.pushConstructor(of: kind.name, onto: stack, state: state)
      stack.rawSet(-2, field: String(kind.name.dropFirst(name.utf8.count + 1)))
    }
    return true
  }
}
