import ChainBase
import LuaBridge

/// What `chain.store { … }` and `camera.device { … }` give while files are loaded: the kind and the options, to be read
/// from `uses`.
enum ResourceUse {
  /// Where a state's registry keeps the metatable that marks them.
  /// Its address is all that it has: nothing is ever read from it or written to it.
  nonisolated(unsafe) static let markKey = UnsafeRawPointer(UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))

  /// Pushes the constructor of an embedder's kind.
  static func pushConstructor(of kind: String, onto stack: LuaStack, state: LuaState) {
    state.push(NativeFunction { stack in
      let count = stack.top
      guard stack.ensure(6) else { return stack.fail("stack overflow") }
      stack.pushTable(array: 1, fields: 2)
      stack.push(text: kind)
      stack.rawSet(-2, field: "kind")
      stack.push(integer: Int64(count))
      stack.rawSet(-2, field: "n")
      if count > 0 {
        stack.push(copyOf: 1)
        stack.rawSet(-2, at: 1)
      }
      stack.push(keptAt: markKey)
      stack.setMetatable(of: -2)
      return 1
    }, onto: stack)
  }

  /// What is wrong with the options of a use; `path` is inside them.
  static func problems(_ use: ChainletDeclaration.Use, of kind: ResourceKind) -> [(path: [String], message: String, suggestion: String?)] {
    guard case .record(let fields) = use.options else { return [] }
    guard case .record(let declared) = kind.options(use.options).kind else { return [] }
    var problems: [(path: [String], message: String, suggestion: String?)] = []
    for field in fields {
      guard let known = declared.first(where: { $0.name == field.name }) else {
        let meant = nearestName(to: field.name, among: declared.map(\.name))
        problems.append((
          [field.name], "\(kind.written) has no option '\(field.name)'",
          meant.map { "did you mean '\($0)'?" }
            ?? (declared.isEmpty ? "it takes none" : "the options are \(declared.map(\.name).joined(separator: ", "))")
        ))
        continue
      }
      let value = ValueCheck.fitted(field.value, to: known.type)
      if let mismatch = ValueCheck.mismatch(value, known.type) { problems.append(([field.name], mismatch, known.type.doc)) }
    }
    for field in declared where field.type.defaultValue == nil && !fields.contains(where: { $0.name == field.name }) {
      if case .optional = field.type.kind { continue }
      if case .any = field.type.kind { continue }
      problems.append(([], "\(kind.written) needs the option '\(field.name)'", "write \(kind.written) { \(field.name) = … }"))
    }
    return problems
  }
}
