import LuaBridge

/// What editors are told of a native function.
@usableFromInline enum Annotation {
  @usableFromInline static func function<each Argument: LuaReadable, Result: LuaPushable>(
    _: (repeat (each Argument).Type), _: Result.Type, _ names: [String]
  ) -> String {
    var types: [String] = []
    repeat types.append((each Argument).annotation)
    let result = Result.annotation
    return "fun(\(list(types, names)))" + (result == "nil" ? "" : ": \(result)")
  }

  static func stream<each Argument: LuaReadable, Element: LuaPushable>(
    _: (repeat (each Argument).Type), _: Element.Type, _ names: [String]
  ) -> String {
    var types: [String] = []
    repeat types.append((each Argument).annotation)
    return "fun(\(list(types, names))): fun(): \(Element.annotation)?"
  }

  private static func list(_ types: [String], _ names: [String]) -> String {
    types.enumerated().map { position, type in
      let name = names.indices.contains(position) ? names[position] : "a\(position + 1)"
      return type.hasSuffix("?") ? "\(name)?: \(type.dropLast())" : "\(name): \(type)"
    }.joined(separator: ", ")
  }
}
