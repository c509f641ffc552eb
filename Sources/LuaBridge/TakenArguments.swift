import CLuaGuard

/// What a native function has taken of its arguments: it may keep that while Lua lets go of the values.
package struct TakenArguments {
  /// Bytes of strings and lists that were copied, roughly.
  package let copied: Int
  /// Of objects that were taken by reference.
  package let shared: [SharedMemory]

  package var bytes: Int { shared.reduce(copied) { $0 + $1.bytes } }

  /// Roughly what a value takes in a list of Swift's, beside its text.
  static let valueBytes = 16
}

/// Memory outside of Lua for which a state is charged while it holds objects over it: once, however many they are.
package struct SharedMemory {
  let memory: AnyObject
  package let bytes: Int

  package init(_ memory: AnyObject, bytes: Int) {
    self.memory = memory
    self.bytes = bytes
  }

  package var address: UnsafeRawPointer { UnsafeRawPointer(Unmanaged.passUnretained(memory).toOpaque()) }
}

extension LuaState {
  /// The arguments of a native function are read from now on until `stopNoting`.
  package func startNoting() {
    core.pointee.reading.copied = 0
    isNoting = true
  }

  /// What has been taken since `startNoting`; nil: nothing.
  package func stopNoting() -> TakenArguments? {
    isNoting = false
    guard core.pointee.reading.copied > 0 || !noted.isEmpty else { return nil }
    defer { noted = [] }
    return TakenArguments(copied: Int(clamping: core.pointee.reading.copied), shared: noted)
  }

  func noteTaken(_ memory: SharedMemory) {
    if isNoting { noted.append(memory) }
  }
}
