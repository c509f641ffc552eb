import CLuaGuard

/// What a native function has taken of its arguments: it may keep that while Lua lets go of the values.
package struct TakenArguments {
  /// Bytes of strings and lists that were copied, roughly.
  package internal(set) var copied = 0
  /// Of objects that were taken by reference.
  package internal(set) var shared: [SharedMemory] = []

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
  /// Runs what reads the arguments of a native function, and tells what it has taken.
  package func noting<Result>(_ read: () throws -> Result) rethrows -> (Result, TakenArguments) {
    let before = core.pointee.reading.copied
    taking = TakenArguments()
    defer { taking = nil }
    let result = try read()
    var taken = taking ?? TakenArguments()
    taken.copied = Int(clamping: core.pointee.reading.copied &- before)
    return (result, taken)
  }

  func noteTaken(_ memory: SharedMemory) { taking?.shared.append(memory) }
}
