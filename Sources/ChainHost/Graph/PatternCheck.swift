import ChainBase
import LuaBridge

/// Defaults and configured values must match the patterns of their types: Lua itself looks, as it will at run time.
struct PatternCheck {
  let host: PlanningHost
  let state: LuaState

  init(_ host: PlanningHost, _ state: LuaState) {
    self.host = host
    self.state = state
  }

  func run() throws(LuaError) {
    for record in host.records {
      let declaration = record.declaration
      try check(declaration.input, "input", declaration.name, declaration.place)
      if let output = declaration.output { try check(output, "output", declaration.name, declaration.place) }
    }
    for field in host.configuration.schema {
      guard let value = host.configuration.values.first(where: { $0.name == field.name })?.value else { continue }
      if let problem = try mismatch(value, field.type) {
        host.add(Problem("the configured value does not fit: \(problem)", chainlet: "chain.config", field: field.name))
      }
    }
  }

  private func check(_ type: ChainType, _ path: String, _ chainlet: String, _ place: SourcePlace) throws(LuaError) {
    if let value = type.defaultValue, let problem = try mismatch(value, type) {
      host.add(
        Problem("the default does not fit its type: \(problem)", place: place, chainlet: chainlet, field: path),
        pointingAt: path.split(separator: ".").map(String.init) + ["default"])
    }
    switch type.kind {
    case .list(let item), .map(let item), .optional(let item): try check(item, path, chainlet, place)
    case .record(let fields):
      for field in fields { try check(field.type, "\(path).\(field.name)", chainlet, place) }
    case .union(let members):
      for member in members { try check(member, path, chainlet, place) }
    case .stream(let item, let result):
      try check(item, path, chainlet, place)
      if let result { try check(result, path, chainlet, place) }
    default: break
    }
  }

  /// What of a value misses a pattern.
  private func mismatch(_ value: ChainValue, _ type: ChainType) throws(LuaError) -> String? {
    switch (type.kind, value) {
    case (.string, .string(let text)):
      guard let pattern = type.pattern, try !finds(pattern, in: text) else { return nil }
      return "expected a string that matches \"\(pattern)\", got \(ValueCheck.describe(value))"
    case (.optional(let inner), _): return try mismatch(value, inner)
    case (.list(let item), .list(let items)):
      for value in items { if let problem = try mismatch(value, item) { return problem } }
    case (.map(let item), .record(let fields)):
      for field in fields { if let problem = try mismatch(field.value, item) { return problem } }
    case (.record(let declared), .record(let fields)):
      for field in fields {
        guard let type = declared.first(where: { $0.name == field.name })?.type else { continue }
        if let problem = try mismatch(field.value, type) { return problem }
      }
    default: break
    }
    return nil
  }

  /// Bounded: a pattern can look for longer than anybody waits.
  private func finds(_ pattern: String, in text: String) throws(LuaError) -> Bool {
    try state.hostSection { stack in
      guard stack.pushLibrary("string"), stack.pushMetatable(of: -1) else { return }
      stack.rawGet(-1, field: "__index")
      stack.rawGet(-1, field: "find")
      for _ in 0..<3 { stack.remove(at: -2) }
      stack.push(text: text)
      stack.push(text: pattern)
    }
    do throws(BoundedCallError) {
      try state.callBounded(arguments: 2, seconds: 1)
    } catch { return false }
    return try state.hostSection { stack in
      defer { stack.pop() }
      return stack.type(at: -1) == .number
    }
  }
}
