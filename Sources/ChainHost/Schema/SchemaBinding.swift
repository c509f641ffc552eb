import CLuaGuard
import LuaBridge

/// A program's names in one Lua state: anchored there, with their identities, so that keys are compared by address.
///
/// Confined to the state's thread. It does not keep the state alive; it must not be used after the state is gone.
package final class SchemaBinding {
  let program: SchemaProgram
  let names: UnsafeMutablePointer<BoundName>
  /// For each record, the order in which its fields came last time out of `next`, and out of JSON.
  let tableOrder: UnsafeMutablePointer<Int32>
  let textOrder: UnsafeMutablePointer<Int32>
  /// The identity of the metatable that marks a table as an array.
  let arrayMark: UnsafeRawPointer?
  /// The sizes of the named dimensions in the message that is being read.
  let sizes: UnsafeMutablePointer<Int>
  private let sizeCount: Int
  private weak var state: LuaState?

  struct BoundName {
    /// The address of the string in this state; nil when it is too long to be interned and must be compared by content.
    var identity: UnsafeRawPointer?
    var reference: Int32
  }

  /// Lua keeps strings of up to so many bytes once in a state.
  static var longestInterned: Int { 40 }

  /// - Throws: a memory error when the names take the state over its limit.
  package init(program: SchemaProgram, state: LuaState) throws(LuaError) {
    let names = UnsafeMutablePointer<BoundName>.allocate(capacity: max(1, program.names.count))
    let tableOrder = UnsafeMutablePointer<Int32>.allocate(capacity: max(1, program.fields.count))
    let textOrder = UnsafeMutablePointer<Int32>.allocate(capacity: max(1, program.fields.count))
    for index in 0..<program.nodes.count where program.nodes.start[index].kind == .record {
      let node = program.nodes.start[index]
      for field in 0..<node.count {
        tableOrder[Int(node.first + field)] = field
        textOrder[Int(node.first + field)] = field
      }
    }
    var mark: UnsafeRawPointer?
    var bound = 0
    do throws(LuaError) {
      try state.hostSection { stack in
        for index in 0..<program.names.count {
          let bytes = program.bytes(ofName: Int32(index))
          stack.push(bytes: bytes)
          let identity = bytes.count <= SchemaBinding.longestInterned ? stack.identity(at: -1) : nil
          names[index] = BoundName(identity: identity, reference: stack.keep())
          bound += 1
        }
        JSONMarks.pushArrayMark(onto: stack)
        mark = stack.identity(at: -1)
        stack.pop() // the registry has it
      }
    } catch {
      for index in 0..<bound { state.main.release(names[index].reference) }
      names.deallocate()
      tableOrder.deallocate()
      textOrder.deallocate()
      throw error
    }
    self.program = program
    sizeCount = program.dimensionNames.count
    sizes = .allocate(capacity: max(1, sizeCount))
    self.names = names
    self.tableOrder = tableOrder
    self.textOrder = textOrder
    self.arrayMark = mark
    self.state = state
  }

  deinit {
    if let state {
      for index in 0..<program.names.count { state.main.release(names[index].reference) }
    }
    names.deallocate()
    tableOrder.deallocate()
    textOrder.deallocate()
    sizes.deallocate()
  }

  /// A new message begins.
  @inline(__always) func forgetSizes() {
    if sizeCount > 0 { sizes.update(repeating: TensorFit.unknown, count: sizeCount) }
  }

  /// What a member of a union that does not fit may have noted is put back.
  @inline(__always) func savedSizes() -> [Int] {
    sizeCount == 0 ? [] : Array(UnsafeBufferPointer(start: sizes, count: sizeCount))
  }
  @inline(__always) func restore(sizes saved: [Int]) {
    if !saved.isEmpty { saved.withUnsafeBufferPointer { if let base = $0.baseAddress { sizes.update(from: base, count: $0.count) } } }
  }
}

/// What stands for null in lists, and what marks a table as an array: the same in every program.
enum JSONMarks {
  static func isNull(_ stack: LuaStack, at index: Int32) -> Bool {
    stack.type(at: index) == .lightUserdata && stack.lightUserdata(at: index) == clg_json_null()
  }

  static func pushNull(onto stack: LuaStack) { stack.push(lightUserdata: clg_json_null()) }

  /// Pushes the metatable of arrays, made at its first use in the state.
  static func pushArrayMark(onto stack: LuaStack) {
    if stack.push(keptAt: clg_json_array_key()) == .table { return }
    stack.pop()
    stack.pushTable(fields: 2)
    stack.push(boolean: false)
    stack.rawSet(-2, field: "__metatable")
    stack.push(text: "json.array")
    stack.rawSet(-2, field: "__name")
    stack.push(copyOf: -1)
    stack.keep(at: clg_json_array_key())
  }

  static func isArray(_ stack: LuaStack, at index: Int32, mark: UnsafeRawPointer?) -> Bool {
    guard stack.pushMetatable(of: index) else { return false }
    let same = stack.identity(at: -1) == mark
    stack.pop()
    return same
  }
}
