#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Says which seed was running when the process dies of a trap: a property may find a crash, and then nothing else
/// could say how to see it again.
enum CrashNote {
  private static let capacity = 256
  // Written by the thread that runs a simulation, read by a signal handler of the same thread.
  private nonisolated(unsafe) static let text = {
    let memory = UnsafeMutablePointer<CChar>.allocate(capacity: capacity)
    memory.initialize(repeating: 0, count: capacity)
    return memory
  }()
  private static let handlers: Void = {
    _ = text
    for signal in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT] {
      var action = sigaction()
      #if canImport(Glibc)
      action.__sigaction_handler.sa_handler = { CrashNote.write($0) }
      #else
      action.__sigaction_u.__sa_handler = { CrashNote.write($0) }
      #endif
      action.sa_flags = Int32(bitPattern: UInt32(truncatingIfNeeded: SA_RESETHAND))
      sigaction(signal, &action, nil)
    }
  }()

  static func begin(_ note: String) {
    _ = handlers
    _ = note.withCString { strncpy(text, $0, capacity - 1) }
  }

  static func end() { text[0] = 0 }

  /// The handler: after it the signal comes again, to whoever had it before or to the system.
  private static func write(_ signal: Int32) {
    if text[0] != 0 { _ = posixWrite(2, text, strlen(text)) }
  }
}

private func posixWrite(_ file: Int32, _ text: UnsafePointer<CChar>, _ count: Int) -> Int { write(file, text, count) }

/// Ends the process.
public func exitProcess(_ code: Int32) -> Never { exit(code) }
