extension PrimitiveModule {
  /// The module as language servers of Lua read it: to be written to `.chainrun/NAME.lua` beside a graph, so that an editor
  /// completes and checks its functions.
  public var annotations: String {
    var blocks = ["---@meta \(name)", "---@class \(name)\nlocal \(name) = {}"]
    for primitive in primitives {
      blocks.append(PrimitiveModule.comment(primitive.doc) + "---@type \(primitive.annotation)\n\(name).\(primitive.name) = nil")
    }
    for (type, kind) in zip(resourceTypes, kinds) {
      var lines = ["---@class \(kind.name)"]
      for method in kind.face.methods {
        // A method is called with a colon: its first argument is the handle.
        let annotation = method.annotation ?? "fun()"
        let rest = annotation.dropFirst("fun(".count)
        let text = "fun(self: \(kind.name)\(rest.hasPrefix(")") ? "" : ", ")\(rest)"
        lines.append("---@field \(method.name) \(text)\(method.doc.map { " \($0)" } ?? "")")
      }
      blocks.append(lines.joined(separator: "\n"))
      blocks.append(
        PrimitiveModule.comment(type.doc)
          + "---@param options \(TypeProbe.annotation(of: kind.options(.null)))\n---@return \(kind.name)\nfunction \(name).\(type.name)(options) end")
    }
    return (blocks + ["return \(name)"]).joined(separator: "\n\n") + "\n"
  }

  private static func comment(_ doc: String?) -> String {
    (doc ?? "").split(separator: "\n").map { "--- \($0)\n" }.joined()
  }
}
