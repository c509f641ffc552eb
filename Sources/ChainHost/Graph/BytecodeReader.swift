/// Takes bytecode of Lua 5.4 apart, as `lua_dump` writes it on this machine. It reads only what this process made, and
/// still checks every step.
package struct BytecodeReader {
  /// Why a dump cannot be read: another release of Lua, or damage.
  package struct Unknown: Error { package var reason: String }

  /// One function as the compiler made it.
  struct Prototype {
    /// 0 for the main chunk.
    var line = 0
    var lastLine = 0
    var parameters = 0
    var isVariadic = false
    /// How many it needs.
    var registers = 0
    var code: [UInt32] = []
    /// Strings; nil for other constants.
    var constants: [String?] = []
    var upvalues: [String] = []
    var children: [Prototype] = []
    /// The line of each instruction.
    var lines: [Int] = []
    var locals: [Local] = []

    struct Local {
      var name: String
      var start: Int
      var end: Int
    }

    /// It and those inside that begin in a line, in the order of the text.
    func functions(at line: Int) -> [Prototype] {
      (self.line == line ? [self] : []) + children.flatMap { $0.functions(at: line) }
    }
  }

  private let bytes: [UInt8]
  private var position = 0

  static func read(_ bytes: [UInt8]) throws(Unknown) -> Prototype {
    var reader = BytecodeReader(bytes: bytes)
    try reader.header()
    _ = try reader.byte() // the number of upvalues
    return try reader.function(depth: 0)
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func byte() throws(Unknown) -> UInt8 {
    guard position < bytes.count else { throw Unknown(reason: "the bytecode ends too early") }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func skip(_ count: Int) throws(Unknown) {
    guard count >= 0, bytes.count - position >= count else { throw Unknown(reason: "the bytecode ends too early") }
    position += count
  }

  private mutating func header() throws(Unknown) {
    // Signature, version 5.4, format 0, conversion test, sizes of an instruction, an integer and a number.
    let expected: [UInt8] = [0x1B, 0x4C, 0x75, 0x61, 0x54, 0, 0x19, 0x93, 0x0D, 0x0A, 0x1A, 0x0A, 4, 8, 8]
    guard bytes.starts(with: expected) else { throw Unknown(reason: "the bytecode is of another Lua than 5.4") }
    try skip(expected.count)
    // An integer and a number that show the byte order.
    guard bytes.count >= position + 16, bytes[position] == 0x78, bytes[position + 1] == 0x56 else {
      throw Unknown(reason: "the bytecode is of another byte order")
    }
    try skip(16)
  }

  private mutating func size() throws(Unknown) -> Int {
    var value = 0
    while true {
      let next = try byte()
      guard value < 1 << 40 else { throw Unknown(reason: "a size is out of range") }
      value = value << 7 | Int(next & 0x7F)
      if next & 0x80 != 0 { return value }
    }
  }

  private mutating func count() throws(Unknown) -> Int {
    let count = try size()
    guard count <= bytes.count - position else { throw Unknown(reason: "a size is out of range") }
    return count
  }

  private mutating func string() throws(Unknown) -> String? {
    let size = try size()
    guard size > 0 else { return nil }
    let start = position
    try skip(size - 1)
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func function(depth: Int) throws(Unknown) -> Prototype {
    guard depth < 220 else { throw Unknown(reason: "functions are nested too deeply") }
    var function = Prototype()
    _ = try string() // the source; nil where it is the outer function's
    function.line = try size()
    function.lastLine = try size()
    function.parameters = Int(try byte())
    function.isVariadic = try byte() != 0
    function.registers = Int(try byte())
    let instructions = try count()
    function.code.reserveCapacity(instructions)
    for _ in 0..<instructions {
      let start = position
      try skip(4)
      function.code.append(
        UInt32(bytes[start]) | UInt32(bytes[start + 1]) << 8 | UInt32(bytes[start + 2]) << 16 | UInt32(bytes[start + 3]) << 24)
    }
    let constants = try count()
    function.constants.reserveCapacity(constants)
    for _ in 0..<constants { function.constants.append(try constant()) }
    let upvalues = try count()
    try skip(upvalues * 3)
    for _ in 0..<(try count()) { function.children.append(try self.function(depth: depth + 1)) }
    try debugInformation(&function)
    return function
  }

  private mutating func constant() throws(Unknown) -> String? {
    switch try byte() {
    case 0, 1, 17: return nil // nil, false, true
    case 3, 19: // an integer, a number
      try skip(8)
      return nil
    case 4, 20: return try string() ?? ""
    default: throw Unknown(reason: "a constant is of an unknown kind")
    }
  }

  private mutating func debugInformation(_ function: inout Prototype) throws(Unknown) {
    let count = try count()
    let steps = position..<position + count
    try skip(count)
    var absolute: [Int: Int] = [:]
    for _ in 0..<(try self.count()) {
      let instruction = try size()
      absolute[instruction] = try size()
    }
    var line = function.line
    function.lines.reserveCapacity(count)
    for (instruction, place) in steps.enumerated() {
      let step = Int8(bitPattern: bytes[place])
      line = step == -128 ? absolute[instruction] ?? line : line + Int(step)
      function.lines.append(line)
    }
    for _ in 0..<(try self.count()) {
      let name = try string() ?? "?"
      function.locals.append(Prototype.Local(name: name, start: try size(), end: try size()))
    }
    for _ in 0..<(try self.count()) { function.upvalues.append(try string() ?? "?") }
  }
}
