import ChainBase
import LuaBridge

/// Undefined and assigned globals, in every function of every file: Lua itself finds them only when it gets there.
struct GlobalsCheck {
  let host: PlanningHost
  let stack: LuaStack

  init(_ host: PlanningHost, _ stack: LuaStack) {
    self.host = host
    self.stack = stack
  }

  /// What exists in the sandbox's place but not in it.
  private static let leftOut: Set<String> = ["io", "package", "load", "loadfile", "dofile", "loadstring", "collectgarbage", "warn"]

  func run() {
    let known = globals()
    for file in host.bundle.files {
      do throws(BytecodeReader.Unknown) {
        guard let code = try host.code(of: file) else { continue }
        let scan = BytecodeScan(code)
        var seen: Set<BytecodeScan.Access> = []
        for access in scan.globals where seen.insert(access).inserted { check(access, file, scan, known) }
      } catch {
        host.add(Problem("globals are not checked: \(error.reason)", place: SourcePlace(file: file.path, line: 0), isWarning: true))
      }
    }
  }

  private func globals() -> [String] {
    stack.pushRealGlobals()
    defer { stack.pop() }
    return Array(Set(host.reader.keys(stack, -1).names).union(LuaState.libraries)).sorted()
  }

  private func check(_ access: BytecodeScan.Access, _ file: SourceFile, _ scan: BytecodeScan, _ known: [String]) {
    let name = access.name
    let place = SourcePlace(file: file.path, line: access.line)
    let problem: Problem
    switch access.kind {
    case .writeFunction:
      problem = Problem("cannot assign global '\(name)': globals are sealed", place: place, suggestion: "write 'local function \(name)'")
    case .write:
      problem = Problem("cannot assign global '\(name)': globals are sealed", place: place, suggestion: known.contains(name) ? "take another name" : "write 'local \(name)', or keep it in self")
    default:
      guard !known.contains(name) else { return }
      problem = Problem(undefined(name), place: place, suggestion: suggestion(name, access.line, scan, known))
    }
    // Lua may have raised the same while the file was loaded.
    host.problems.removeAll { $0.place == place && $0.message.hasPrefix(problem.message) }
    host.add(problem, pointingAt: [])
    host.pointLast(at: name)
  }

  private func undefined(_ name: String) -> String {
    GlobalsCheck.leftOut.contains(name) ? "'\(name)' is not available to chainlets" : "global '\(name)' is not defined"
  }

  private func suggestion(_ name: String, _ line: Int, _ scan: BytecodeScan, _ known: [String]) -> String? {
    if GlobalsCheck.leftOut.contains(name) { return nil }
    if let later = scan.locals.first(where: { $0.name == name && $0.line > line }) {
      return "the local '\(name)' begins only in line \(later.line): move it up"
    }
    if name == "self" { return "write the method with a colon: function X:name(…)" }
    if name == "chain" { return "write local chain = require \"chain\"" }
    if name == "t" { return "write local t = chain.types" }
    if ["json", "text", "tensor"].contains(name) { return "write local \(name) = require \"\(name)\"" }
    return nearestName(to: name, among: known + scan.locals.map(\.name)).map { "did you mean '\($0)'?" }
  }
}

extension PlanningHost {
  /// Moves the caret of the last problem to a word of its line.
  func pointLast(at word: String) {
    guard let last = problems.indices.last, let line = problems[last].excerpt?.line else { return }
    let characters = Array(line)
    let wanted = Array(word)
    let isLetter = { (c: Character) in c.isLetter || c.isNumber || c == "_" }
    guard !wanted.isEmpty, characters.count >= wanted.count else { return }
    for start in 0...(characters.count - wanted.count) where Array(characters[start..<start + wanted.count]) == wanted {
      let end = start + wanted.count
      if start > 0, isLetter(characters[start - 1]) { continue }
      if end < characters.count, isLetter(characters[end]) { continue }
      problems[last].excerpt?.column = start + 1
      return
    }
  }
}
