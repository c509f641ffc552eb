/// What a piece of Lua reads and sets by name: its globals, and the fields of `self`. Read from bytecode, so that no
/// second parser of Lua is needed.
package struct BytecodeScan {
  struct Access: Hashable {
    enum Kind { case read, write, writeFunction, methodCall, functionCall }
    /// One name for a global; below `self` the names one after the other: `self.tools.search`.
    var path: [String]
    var kind: Kind
    var line: Int
    var name: String { path.joined(separator: ".") }
  }

  /// A local variable and the line in which it begins.
  struct Local {
    var name: String
    var line: Int
  }

  private(set) var globals: [Access] = []
  private(set) var ofSelf: [Access] = []
  private(set) var locals: [Local] = []
  /// The names of the outermost function's parameters.
  let parameters: [String]
  let isVariadic: Bool

  /// - Throws: when the bytecode is of a format that it does not know.
  package init(_ code: [UInt8]) throws(BytecodeReader.Unknown) {
    self.init(try BytecodeReader.read(code))
  }

  init(_ function: BytecodeReader.Prototype) {
    parameters = function.locals.prefix(function.parameters).map(\.name)
    isVariadic = function.isVariadic
    scan(function)
  }

  // Opcodes of Lua 5.4.
  private enum Code {
    static let move: UInt32 = 0, loadConstant: UInt32 = 3, getUpvalue: UInt32 = 9, setUpvalue: UInt32 = 10, getUpvalueField: UInt32 = 11
    static let getTable: UInt32 = 12, getField: UInt32 = 14, setUpvalueField: UInt32 = 15, setTable: UInt32 = 16, setField: UInt32 = 18
    static let method: UInt32 = 20, call: UInt32 = 68, tailCall: UInt32 = 69, closure: UInt32 = 79
    /// Those that do not write to register A.
    static func hasTarget(_ code: UInt32) -> Bool {
      switch code {
      case 10, 15...18, 46...48, 54...66, 70...72, 75, 76, 78, 82: false
      default: true
      }
    }
  }

  /// What a register holds, as far as it is known.
  private enum Value {
    /// `self`, or a field below it.
    case ofSelf([String])
    case globals
    case text(String)
    case function
  }

  private mutating func scan(_ function: BytecodeReader.Prototype) {
    // One more than it needs: calls of methods are seen with the register behind their own.
    var registers = [Value?](repeating: nil, count: function.registers + 1)
    func value(_ register: Int) -> Value? { register < registers.count ? registers[register] : nil }
    func set(_ register: Int, _ value: Value?) { if register < registers.count { registers[register] = value } }
    if function.parameters > 0, function.locals.first?.name == "self" { set(0, .ofSelf([])) }
    func upvalue(_ index: Int) -> Value? {
      switch function.upvalues.indices.contains(index) ? function.upvalues[index] : "" {
      case "_ENV": .globals
      case "self": .ofSelf([])
      default: nil
      }
    }
    func constant(_ index: Int) -> String? { function.constants.indices.contains(index) ? function.constants[index] : nil }
    func text(_ register: Int) -> String? {
      if case .text(let text) = value(register) { return text }
      return nil
    }

    for (position, instruction) in function.code.enumerated() {
      let a = Int(instruction >> 7 & 0xFF)
      let b = Int(instruction >> 16 & 0xFF)
      let c = Int(instruction >> 24 & 0xFF)
      let isConstant = instruction >> 15 & 1 == 1
      let line = function.lines.indices.contains(position) ? function.lines[position] : function.line
      let operation = instruction & 0x7F
      var result: Value?
      switch operation {
      case Code.move: result = value(b)
      case Code.loadConstant: result = constant(Int(instruction >> 15)).map { .text($0) }
      case Code.getUpvalue: result = upvalue(b)
      case Code.getUpvalueField: result = read(upvalue(b), constant(c), line)
      case Code.getField: result = read(value(b), constant(c), line)
      case Code.getTable: result = read(value(b), text(c), line)
      case Code.setUpvalueField: write(upvalue(a), constant(b), isConstant ? nil : value(c), line)
      case Code.setField: write(value(a), constant(b), isConstant ? nil : value(c), line)
      case Code.setTable: write(value(a), text(b), isConstant ? nil : value(c), line)
      case Code.method:
        if case .ofSelf(let path) = value(b), let name = isConstant ? constant(c) : text(c) {
          ofSelf.append(Access(path: path + [name], kind: .methodCall, line: line))
        }
        set(a + 1, value(b))
      case Code.closure: result = .function
      case Code.call, Code.tailCall:
        if case .ofSelf(let path) = value(a), !path.isEmpty, !isSelf(value(a + 1)) {
          ofSelf.append(Access(path: path, kind: .functionCall, line: line))
        }
        for register in min(a, registers.count)..<registers.count { registers[register] = nil }
      default: break
      }
      if Code.hasTarget(operation) { set(a, result) }
    }
    for local in function.locals {
      // It begins after the instruction that fills it.
      let start = max(local.start - 1, 0)
      locals.append(Local(name: local.name, line: function.lines.indices.contains(start) ? function.lines[start] : function.line))
    }
    for child in function.children { scan(child) }
  }

  private func isSelf(_ value: Value?) -> Bool {
    if case .ofSelf(let path) = value { return path.isEmpty }
    return false
  }

  private mutating func read(_ table: Value?, _ name: String?, _ line: Int) -> Value? {
    guard let name else { return nil }
    switch table {
    case .globals:
      globals.append(Access(path: [name], kind: .read, line: line))
      return nil
    case .ofSelf(let path):
      ofSelf.append(Access(path: path + [name], kind: .read, line: line))
      return .ofSelf(path + [name])
    default: return nil
    }
  }

  private mutating func write(_ table: Value?, _ name: String?, _ value: Value?, _ line: Int) {
    guard let name else { return }
    var kind = Access.Kind.write
    if case .function = value { kind = .writeFunction }
    switch table {
    case .globals: globals.append(Access(path: [name], kind: kind, line: line))
    case .ofSelf(let path): ofSelf.append(Access(path: path + [name], kind: kind, line: line))
    default: break
    }
  }
}
