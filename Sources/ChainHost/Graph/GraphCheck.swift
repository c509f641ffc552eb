import ChainBase
import LuaBridge

/// The rules that hold between declarations, and for the methods behind them.
final class GraphCheck {
  let host: PlanningHost
  let stack: LuaStack
  /// Positions in the host's records by name: the first of several.
  var byName: [String: Int] = [:]

  init(_ host: PlanningHost, _ stack: LuaStack) {
    self.host = host
    self.stack = stack
  }

  /// Checks all and makes the graph, as far as it can be made. The value of the entry file is at `entryResult`.
  func run(entryResult: Int32) -> Graph? {
    host.checkIncomplete()
    host.checkConfiguration()
    checkNames()
    checkLevels()
    let order = checkCircles()
    checkMissingCircles()
    let entrypoints = EntryReader(host, stack).read(entryResult)
    let reachable = reach(entrypoints.list.map(\.chainlet))
    MethodCheck(self).run(reachable: reachable)
    GlobalsCheck(host, stack).run()
    SharedTables(host, stack).run(reachable: reachable)
    return Graph(
      chainlets: host.records.map(\.declaration), entrypoints: entrypoints.list, isSingle: entrypoints.isSingle,
      live: order.filter { reachable.contains($0) }, configuration: host.configuration, bundle: host.bundle, warnings: [])
  }

  private func checkNames() {
    for (position, record) in host.records.enumerated() {
      let declaration = record.declaration
      if let first = byName[declaration.name] {
        let other = host.records[first].declaration.place
        host.add(Problem("there are two chainlets of this name; the first is declared at \(other)", place: declaration.place, chainlet: declaration.name, suggestion: "rename one of them"))
      } else {
        byName[declaration.name] = position
      }
    }
  }

  /// Features that nothing runs yet, and names that clash.
  private func checkLevels() {
    var stores = StoreBounds(host.source.bounds)
    for record in host.records {
      let declaration = record.declaration
      func problem(_ message: String, _ field: [String], _ suggestion: String? = nil) {
        host.add(Problem(message, place: declaration.place, chainlet: declaration.name, field: field.joined(separator: "."), suggestion: suggestion), pointingAt: field)
      }
      for excess in host.source.bounds.excesses(of: declaration.limits) {
        problem(
          "asks for \(excess.asked), and the operator of this host allows \(excess.allowed)", ["limits", excess.name],
          "ask for that or less, or have the operator allow more")
      }
      if let file = host.bundle.file(declaration.file), file.text.count > declaration.limits.source, declaration.limits.given.contains("source") {
        problem("\(declaration.file) has \(file.text.count) bytes, more than limits.source allows (\(declaration.limits.source))", ["limits", "source"])
      }
      for use in declaration.uses {
        guard let kind = host.source.kinds.first(where: { $0.name == use.kind }) else {
          let known = host.source.kinds.map(\.written).sorted()
          problem(
            "there are no resources of the kind \(use.written) in this program", ["uses"] + use.path,
            "there are \(known.joined(separator: ", "))")
          continue
        }
        for wrong in ResourceUse.problems(use, of: kind) {
          problem(wrong.message, ["uses"] + use.path + wrong.path, wrong.suggestion)
        }
        if let excess = stores.problem(with: use) { problem(excess.message, ["uses"] + use.path + excess.path, excess.suggestion) }
      }
      if declaration.batch != nil, case .stream = declaration.output?.kind {
        problem("a chainlet with batch gives one output for each input and cannot stream", ["batch"], "take batch away, or let another chainlet stream")
      }
      if declaration.batch != nil, SchemaProgram(declaration.input).streamField != nil {
        problem("a chainlet with batch cannot take a stream as input", ["batch"])
      }
      let reserved = Set(RecordReader.hooks + ["secrets"])
      for name in Set(declaration.needs.compactMap(\.path.first)).sorted() {
        if reserved.contains(name) { problem("a need cannot be named '\(name)': \(name == "secrets" ? "self.secrets holds the secrets" : "the host calls a method of this name")", ["needs", name]) }
        if declaration.uses.contains(where: { $0.path.first == name }) { problem("'\(name)' is a need and a resource: each has a name of its own", ["uses", name]) }
      }
      for name in Set(declaration.uses.compactMap(\.path.first)).sorted() where reserved.contains(name) {
        problem("a resource cannot be named '\(name)': \(name == "secrets" ? "self.secrets holds the secrets" : "the host calls a method of this name")", ["uses", name])
      }
    }
  }

  // MARK: The order of needs

  func targets(of position: Int) -> [Int] {
    host.records[position].declaration.needs.compactMap { byName[$0.target] }
  }

  /// Callees before callers; circles are noted.
  private func checkCircles() -> [Int] {
    enum Mark { case new, open, done }
    var marks = [Mark](repeating: .new, count: host.records.count)
    var order: [Int] = []
    for start in host.records.indices where marks[start] == .new {
      // An explicit stack: needs can be nested thousands deep.
      var way: [(node: Int, next: [Int])] = [(start, targets(of: start))]
      marks[start] = .open
      while var top = way.popLast() {
        guard let next = top.next.popLast() else {
          marks[top.node] = .done
          order.append(top.node)
          continue
        }
        way.append(top)
        switch marks[next] {
        case .done: break
        case .new:
          marks[next] = .open
          way.append((next, targets(of: next)))
        case .open:
          let circle = way.map(\.node).drop { $0 != next } + [next]
          let names = circle.map { host.records[$0].declaration.name }
          host.add(
            Problem(
              "needs form a circle: \(names.joined(separator: " → "))", place: host.records[next].declaration.place, chainlet: host.records[next].declaration.name,
              field: "needs", suggestion: "a chainlet cannot wait for itself"), pointingAt: ["needs"])
        }
      }
    }
    return order
  }

  /// A need that was nil because it is declared below, and needs the one that wanted it.
  private func checkMissingCircles() {
    for missing in host.missing where missing.isNeed {
      guard let from = byName[missing.chainlet], let target = byName[missing.name], let way = way(from: target, to: from) else { continue }
      let names = [missing.chainlet] + way.map { host.records[$0].declaration.name }
      let declaration = host.records[from].declaration
      host.problems.removeAll { $0.chainlet == missing.chainlet && $0.message == "'\(missing.name)' is nil here" }
      host.add(
        Problem(
          "needs form a circle: \(names.joined(separator: " → "))", place: declaration.place, chainlet: declaration.name, field: "needs",
          suggestion: "a chainlet cannot wait for itself"), pointingAt: ["needs"])
    }
  }

  private func way(from start: Int, to end: Int) -> [Int]? {
    var before: [Int: Int] = [start: start]
    var open = [start]
    while let node = open.popLast() {
      if node == end {
        var way = [node]
        while let last = way.last, last != start, let previous = before[last] { way.append(previous) }
        return way.reversed()
      }
      for next in targets(of: node) where before[next] == nil {
        before[next] = node
        open.append(next)
      }
    }
    return nil
  }

  private func reach(_ entries: [Int]) -> Set<Int> {
    var reached: Set<Int> = []
    var open = entries
    while let position = open.popLast() {
      if reached.insert(position).inserted { open += targets(of: position) }
    }
    return reached
  }
}
