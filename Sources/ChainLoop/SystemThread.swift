import CLoopThread
import CUV

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Threads of our own, made all alike: named, with a small stack, deaf to signals.
package enum SystemThread {
  /// Deep enough for Lua's C levels and Swift's async frames, and only touched pages cost memory.
  package static let stackBytes = 2 << 20
  /// For libraries of others, which expect what the system gives a program's first thread.
  package static let largeStackBytes = 8 << 20

  private final class Start {
    let name: String
    let body: () -> Void
    init(name: String, body: @escaping () -> Void) {
      self.name = name
      self.body = body
    }
  }

  /// Any thread. Runs `body` on a new thread that nobody joins. False if the system has no thread left.
  package static func start(
    named name: String, stackBytes: Int = SystemThread.stackBytes, _ body: @escaping @Sendable () -> Void
  ) -> Bool {
    var options = uv_thread_options_t()
    options.flags = UInt32(UV_THREAD_HAS_STACK_SIZE.rawValue)
    options.stack_size = stackBytes
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    var thread = uv_thread_t()
    // The new thread inherits its maker's mask, so that no signal can hit it before it has one of its own.
    let status = withBlockedSignals {
      uv_thread_create_ex(
        &thread, &options,
        { argument in
          let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
          clt_thread_name(start.name)
          start.body()
        }, start.toOpaque())
    }
    guard status == 0 else {
      start.release()
      return false
    }
    pthread_detach(thread)
    return true
  }

  /// Blocks every signal but those that a fault of the thread itself raises: a blocked fault kills without a report.
  private static func withBlockedSignals<Result>(_ body: () -> Result) -> Result {
    var blocked = sigset_t()
    var former = sigset_t()
    sigfillset(&blocked)
    for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS] { sigdelset(&blocked, fault) }
    pthread_sigmask(SIG_SETMASK, &blocked, &former)
    defer { pthread_sigmask(SIG_SETMASK, &former, nil) }
    return body()
  }
}
