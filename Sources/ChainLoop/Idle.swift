import CUV

/// A uv_idle: while it is active the loop does not sleep, and calls it once a round, between timers and I/O. It costs
/// no system call to start, and unlike a timer of 0 ms it cannot keep the loop from its I/O. The loop's thread only.
final class Idle {
  private var handle = HandleMemory(uv_idle_t.self)
  private let action: () -> Void

  init(on loop: UnsafeMutablePointer<uv_loop_t>, action: @escaping () -> Void) {
    self.action = action
    handle.belongs(to: self)
    uv_idle_init(loop, handle.raw)
  }

  func start() {
    uv_idle_start(handle.raw) { owner(of: $0!.pointee.data, as: Idle.self).action() }
  }

  func stop() { uv_idle_stop(handle.raw) }

  func close() { handle.close() }
}
