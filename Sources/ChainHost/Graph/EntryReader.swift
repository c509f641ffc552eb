import ChainBase
import LuaBridge

/// What the entry file returned: one chainlet, or a table of named ones.
struct EntryReader {
  let host: PlanningHost
  let stack: LuaStack

  init(_ host: PlanningHost, _ stack: LuaStack) {
    self.host = host
    self.stack = stack
  }

  struct Entrypoints {
    var list: [Graph.Entrypoint] = []
    var isSingle = false
  }

  func read(_ index: Int32) -> Entrypoints {
    let place = SourcePlace(file: host.bundle.entry, line: host.words(of: host.bundle.entry)?.lastReturn ?? 0)
    func problem(_ message: String, _ suggestion: String? = nil) {
      host.add(Problem(message, place: place, suggestion: suggestion))
    }
    let last = host.records.last?.declaration.name
    switch host.reader.kind(stack, index) {
    case .chainlet:
      guard let position = position(index) else { return Entrypoints() }
      return Entrypoints(list: [Graph.Entrypoint(name: host.records[position].declaration.name, chainlet: position)], isSingle: true)
    case .plainTable: return named(index, place)
    case .unknown, .pending: break
    case .need: problem("the file returns a chainlet with options", "return the chainlet itself: options belong to needs")
    default:
      if stack.type(at: index) == .nil {
        if host.records.isEmpty {
          problem("the file declares no chainlet and returns nothing", "declare one with chain.chainlet \"Name\" { … } and return it")
        } else {
          problem("the file returns nothing: what it returns is public", "end it with: return \(last ?? "…")")
        }
      } else {
        problem("the file must return a chainlet or a table of named ones, got \(host.reader.describe(stack, index))", last.map { "end it with: return \($0)" })
      }
    }
    return Entrypoints()
  }

  private func named(_ index: Int32, _ place: SourcePlace) -> Entrypoints {
    var result = Entrypoints()
    let (names, others) = host.reader.keys(stack, index)
    if let first = others.first {
      let name = host.records.last?.declaration.name ?? "Answer"
      host.add(Problem("entrypoints have names, got one at \(first)", place: place, suggestion: "write return { \(AuthorModule.snakeCase(name)) = \(name) }"))
    } else if names.isEmpty {
      host.add(Problem("the file returns an empty table: nothing is public", place: place, suggestion: host.records.last.map { "end it with: return \($0.declaration.name)" }))
    }
    for name in names {
      stack.rawGet(index, field: name)
      defer { stack.pop() }
      switch host.reader.kind(stack, -1) {
      case .chainlet:
        if !RecordReader.isIdentifier(name) {
          host.add(Problem("an entrypoint's name is a word of letters, digits and _, got \"\(name.prefix(60))\"", place: place))
        } else if let position = position(-1) {
          result.list.append(Graph.Entrypoint(name: name, chainlet: position))
        }
      case .unknown, .pending: break
      default: host.add(Problem("entrypoint '\(name)' is no chainlet, got \(host.reader.describe(stack, -1))", place: place))
      }
    }
    return result
  }

  private func position(_ index: Int32) -> Int? { stack.identity(at: index).flatMap { host.positions[$0] } }
}
