import LuaBridge

/// The modules that `require` gives beside `chain` and Lua's own libraries.
enum BuiltInModule {
  /// Pushes a module; false, and nothing, when there is none of that name.
  static func push(_ name: String, onto stack: LuaStack, of state: LuaState) -> Bool {
    switch name {
    case "json":
      return (try? JSONModule.push(onto: stack, state: state)) != nil
    default: return false
    }
  }
}
