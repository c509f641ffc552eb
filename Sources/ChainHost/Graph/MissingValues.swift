import ChainBase
import LuaBridge

/// Keys of a spec that are written but hold nothing: a name that has no value yet, which Lua drops without a word.
extension PlanningHost {
  func noteMissingValues(_ stack: LuaStack, _ index: Int32, of chainlet: String, at place: SourcePlace) {
    guard reader.kind(stack, index) == .plainTable, let words = words(of: place.file) else { return }
    look(stack, index, [], chainlet, place, words)
    for key in ["input", "needs", "uses"] {
      stack.rawGet(index, field: key)
      if reader.kind(stack, -1) == .plainTable { look(stack, -1, [key], chainlet, place, words) }
      stack.pop()
    }
  }

  private func look(_ stack: LuaStack, _ index: Int32, _ path: [String], _ chainlet: String, _ place: SourcePlace, _ words: SourceWords) {
    for key in words.keys(of: path, from: place.line) {
      guard let name = words.assignedName(key), name != "nil", !name.contains(".") else { continue }
      let field = words.name(key)
      let isMissing = stack.rawGet(index, field: field) == .nil
      stack.pop()
      guard isMissing else { continue }
      missing.append((chainlet, name, path == ["needs"]))
      add(
        Problem(
          "'\(name)' is nil here", place: place, chainlet: chainlet, field: (path + [field]).joined(separator: "."),
          suggestion: "it must be declared above"), pointingAt: path + [field])
    }
  }
}
