import CLuaGuard
import LuaBridge

/// Whether bytes are UTF-8.
enum UTF8Check {
  @inline(__always) static func isValid(_ text: UnsafeRawBufferPointer) -> Bool {
    clg_utf8_valid(text.baseAddress?.assumingMemoryBound(to: UInt8.self), text.count) != 0
  }

  static func codePoints(in text: UnsafeRawBufferPointer) -> Int {
    clg_utf8_count(text.baseAddress?.assumingMemoryBound(to: UInt8.self), text.count)
  }
}

/// What a refined type asks beyond the kind of a value.
enum ValueBounds {
  /// A pattern that needs more steps than this for one string refuses it.
  static let patternSteps = 1_000_000

  @inline(__always) static func admits(_ value: Double, _ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    if node.pointee.finite, !value.isFinite { return false }
    return !node.pointee.limited || (value >= node.pointee.leastNumber && value <= node.pointee.mostNumber)
  }

  @inline(__always) static func admits(count: Int, _ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    Int64(count) >= node.pointee.least && Int64(count) <= node.pointee.most
  }

  /// Text that is valid UTF-8.
  static func admits(
    _ text: UnsafeRawBufferPointer, _ node: UnsafeMutablePointer<SchemaNode>, _ program: SchemaProgram, _ pace: inout Pace
  ) -> Bool {
    if node.pointee.least != .min || node.pointee.most != .max {
      guard admits(count: UTF8Check.codePoints(in: text), node) else { return false }
    }
    guard node.pointee.pattern >= 0 else { return true }
    return find(program.patterns[Int(node.pointee.pattern)], in: text, &pace).found
  }

  /// Looks for a Lua pattern as `string.find` does, within a bounded number of steps.
  static func find(_ pattern: String, in text: UnsafeRawBufferPointer, _ pace: inout Pace) -> (found: Bool, problem: String?) {
    var pattern = pattern
    var problem: UnsafePointer<CChar>?
    var steps = patternSteps
    let result = pattern.withUTF8 { pattern in
      UnsafeRawBufferPointer(pattern).withMemoryRebound(to: CChar.self) { pattern in
        text.withMemoryRebound(to: CChar.self) {
          clg_pattern_find($0.baseAddress, $0.count, pattern.baseAddress, pattern.count, &steps, &problem)
        }
      }
    }
    guard pace.goesOn(afterSteps: patternSteps - steps) else { return (false, nil) }
    if result == CLG_PATTERN_LONG.rawValue { return (false, "looking for the pattern takes too many steps") }
    return (result == CLG_PATTERN_FOUND.rawValue, problem.map { String(cString: $0) })
  }
}

/// What a table's keys look like, read raw.
enum TableShape {
  /// How many entries there are; one more than `most` when there are more.
  static func count(_ stack: LuaStack, at index: Int32, atMost most: Int) -> Int {
    let top = stack.top
    var count = 0
    stack.pushNil()
    while stack.next(index) {
      count &+= 1
      guard count <= most else {
        stack.setTop(top)
        break
      }
      stack.pop()
    }
    return count
  }

  /// Whether the keys are exactly 1 to `length`.
  static func isList(_ stack: LuaStack, at index: Int32, length: Int) -> Bool {
    let base = stack.top
    var count = 0
    stack.pushNil()
    while stack.next(index) {
      count &+= 1
      guard stack.isInteger(at: base &+ 1), stack.integer(at: base &+ 1) >= 1, stack.integer(at: base &+ 1) <= Int64(length) else {
        stack.setTop(base)
        return false
      }
      stack.pop()
    }
    return count == length
  }
}
