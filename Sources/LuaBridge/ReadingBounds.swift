import CLuaGuard

/// What a list or table that a native function takes may hold in all, the tables inside it counted: one table may be in it
/// any number of times, and each time it is copied.
private enum ReadingBounds {
  static let values = 200_000
  static let bytes = 16 << 20
}

extension LuaStack {
  /// Reads `count` values that lie in a table; the outermost table sets what may be read.
  func reading<Result>(_ count: Int, _ body: () throws(LuaError) -> Result) throws(LuaError) -> Result {
    let state = LuaState.of(self)
    if state.pointee.reading.depth == 0 {
      state.pointee.reading.values = Int64(ReadingBounds.values)
      state.pointee.reading.bytes = Int64(ReadingBounds.bytes)
    }
    state.pointee.reading.depth += 1
    defer { state.pointee.reading.depth -= 1 }
    try countRead(values: count)
    return try body()
  }

  /// Counts what is copied, and bounds it if it lies in a table.
  package func countRead(values: Int = 0, bytes: Int = 0) throws(LuaError) {
    let state = LuaState.of(self)
    state.pointee.reading.copied &+= Int64(bytes) &+ Int64(values) &* Int64(TakenArguments.valueBytes)
    guard state.pointee.reading.depth > 0 else { return }
    state.pointee.reading.values -= Int64(values)
    state.pointee.reading.bytes -= Int64(bytes)
    guard state.pointee.reading.values >= 0, state.pointee.reading.bytes >= 0 else {
      throw LuaError(
        .runtime, "too large: at most \(ReadingBounds.values) values and \(ReadingBounds.bytes) bytes of text in all; give many numbers as a tensor")
    }
  }
}
