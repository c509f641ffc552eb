import ChainBase
import LuaBridge

/// What the methods of one chainlet do with the names that the host puts into `self`.
struct SelfCheck {
  let host: PlanningHost
  let declaration: ChainletDeclaration
  let methods: [(assignment: PlanningHost.Assignment, scan: BytecodeScan)]

  init(_ host: PlanningHost, _ position: Int, _ methods: [(assignment: PlanningHost.Assignment, scan: BytecodeScan)]) {
    self.host = host
    declaration = host.records[position].declaration
    self.methods = methods
  }

  func run() {
    names()
    let needs = Set(declaration.needs.map(\.path))
    let uses = Set(declaration.uses.map(\.path))
    let given = Set(declaration.needs.compactMap(\.path.first) + declaration.uses.compactMap(\.path.first))
    let set = Set(methods.flatMap { $0.scan.ofSelf.filter { $0.kind == .write || $0.kind == .writeFunction }.map { $0.path[0] } })
    let known = given.union(set).union(declaration.methods.keys).union(["secrets"])
    let takesSelf = Set(methods.filter { $0.scan.parameters.first == "self" }.map(\.assignment.name))
    for (assignment, scan) in methods {
      var seen: Set<BytecodeScan.Access> = []
      for access in scan.ofSelf where seen.insert(access).inserted {
        func problem(_ message: String, _ suggestion: String?, isWarning: Bool = false) {
          host.add(
            Problem(
              message, place: SourcePlace(file: assignment.place.file, line: access.line), chainlet: declaration.name,
              field: assignment.name, suggestion: suggestion, isWarning: isWarning))
          host.pointLast(at: access.path.last ?? "self")
        }
        switch access.kind {
        case .methodCall where needs.contains(access.path) || (access.path.count == 1 && uses.contains(access.path)):
          let way = (["self"] + access.path.dropLast()).joined(separator: ".")
          problem("\(way):\(access.path.last ?? "") has a colon, but \(needs.contains(access.path) ? "a need" : "a resource") is called with a dot", "write self.\(access.name) { … }")
        case .functionCall where access.path.count == 1 && takesSelf.contains(access.path[0]) && !given.contains(access.path[0]):
          problem("self.\(access.path[0])(…) has a dot, so the method gets no self", "write self:\(access.path[0])(…)")
        case .write where given.contains(access.path[0]), .writeFunction where given.contains(access.path[0]):
          if needs.contains(access.path) || uses.contains(access.path) || access.path.count == 1 {
            problem("self.\(access.name) is given by the host and cannot be assigned", "take another name")
          }
        case .read where access.path.first == "secrets" && access.path.count == 2:
          if !declaration.secrets.contains(access.path[1]) {
            problem("the secret '\(access.path[1])' is not declared", nearestName(to: access.path[1], among: declaration.secrets).map { "did you mean '\($0)'?" } ?? "write secrets = { \"\(access.path[1])\" } in its spec")
          }
        case .read where access.path.count == 1, .methodCall where access.path.count == 1:
          if !known.contains(access.path[0]), let near = nearestName(to: access.path[0], among: known.sorted()) {
            problem("self.\(access.path[0]) is never set", "did you mean self.\(near)?", isWarning: true)
          }
        default: break
        }
      }
    }
  }

  /// Names that are taken twice.
  private func names() {
    for need in Set(declaration.needs.compactMap(\.path.first)).sorted() {
      guard let place = declaration.methods[need], !RecordReader.hooks.contains(need) else { continue }
      host.add(Problem("'\(need)' is a need and a method: each has a name of its own", place: place, chainlet: declaration.name, field: need, suggestion: "rename one of them"))
    }
    for use in Set(declaration.uses.compactMap(\.path.first)).sorted() {
      guard let place = declaration.methods[use], !RecordReader.hooks.contains(use) else { continue }
      host.add(Problem("'\(use)' is a resource and a method: each has a name of its own", place: place, chainlet: declaration.name, field: use, suggestion: "rename one of them"))
    }
  }
}
