import ChainBase
import LuaBridge

/// Plain tables that the methods of two chainlets capture: each of them has its own copy, which is seldom meant.
struct SharedTables {
  let host: PlanningHost
  let stack: LuaStack

  init(_ host: PlanningHost, _ stack: LuaStack) {
    self.host = host
    self.stack = stack
  }

  private struct Use {
    var name: String
    var file: String
    /// The line in which the function that captures it begins.
    var line: Int
    var chainlets: [Int] = []
  }

  func run(reachable: Set<Int>) {
    var uses: [UnsafeRawPointer: Use] = [:]
    var order: [UnsafeRawPointer] = []
    for position in host.records.indices where reachable.contains(position) {
      var seen: Set<UnsafeRawPointer> = []
      for assignment in host.records[position].assignments where assignment.function != 0 {
        stack.push(kept: assignment.function)
        visit(position, &seen, &uses, &order, depth: 0)
        stack.pop()
      }
    }
    for table in order {
      guard let use = uses[table], use.chainlets.count > 1 else { continue }
      let names = use.chainlets.map { host.records[$0].declaration.name }
      let place = SourcePlace(file: use.file, line: line(of: use))
      let list = names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
      host.add(
        Problem(
          "\(use.name) (\(place)) is used by \(list); each has its own", place: place,
          suggestion: "if it is never changed, say so: chain.const { … }", isWarning: true))
    }
  }

  /// The function on top, and what it captures.
  private func visit(
    _ chainlet: Int, _ seen: inout Set<UnsafeRawPointer>, _ uses: inout [UnsafeRawPointer: Use], _ order: inout [UnsafeRawPointer], depth: Int
  ) {
    guard depth < 32, stack.ensure(8), let identity = stack.identity(at: -1), seen.insert(identity).inserted,
      let definition = stack.definition(at: -1)
    else { return }
    let function = stack.top
    for number in Int32(1)...255 {
      guard let name = stack.pushUpvalue(number, of: function) else { break }
      if stack.type(at: -1) == .function, !stack.isNativeFunction(at: -1) {
        visit(chainlet, &seen, &uses, &order, depth: depth + 1)
      } else if name != "_ENV", host.reader.kind(stack, -1) == .plainTable, let table = stack.identity(at: -1),
        !host.moduleValues.contains(table), !holdsOnlyFunctions()
      {
        if uses[table] == nil {
          uses[table] = Use(name: name, file: definition.file, line: definition.line)
          order.append(table)
        }
        if uses[table]?.chainlets.contains(chainlet) == false { uses[table]?.chainlets.append(chainlet) }
      }
      stack.pop()
    }
  }

  /// A table of helpers is no data.
  private func holdsOnlyFunctions() -> Bool {
    let top = stack.top
    defer { stack.setTop(top) }
    var isEmpty = true
    stack.pushNil()
    while stack.next(top) {
      if stack.type(at: -1) != .function { return false }
      isEmpty = false
      stack.pop()
    }
    return !isEmpty
  }

  /// Where the local begins: the last one of this name above the function.
  private func line(of use: Use) -> Int {
    guard let file = host.bundle.file(use.file), let code = try? host.code(of: file) else { return use.line }
    return BytecodeScan(code).locals.last { $0.name == use.name && $0.line <= use.line }?.line ?? use.line
  }
}
