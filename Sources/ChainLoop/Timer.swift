import CUV

/// A uv_timer for a single moment in nanoseconds. libuv counts milliseconds, so that it fires up to one too late, but
/// never too early. The loop's thread only.
final class Timer {
  private var handle = HandleMemory(uv_timer_t.self)
  private let loop: UnsafeMutablePointer<uv_loop_t>
  private var deadline: UInt64 = 0
  private let action: () -> Void

  init(on loop: UnsafeMutablePointer<uv_loop_t>, action: @escaping () -> Void) {
    self.loop = loop
    self.action = action
    handle.belongs(to: self)
    uv_timer_init(loop, handle.raw)
  }

  /// Replaces the moment. False, and nothing is started, if it is there already: libuv would call a timer of 0 ms
  /// that is started again in its callback without end.
  func start(at deadline: UInt64) -> Bool {
    guard deadline > uv_hrtime() else {
      stop()
      return false
    }
    self.deadline = deadline
    // The loop's own time stands still during an event; the timeout counts from it.
    let dueMilliseconds = deadline / 1_000_000 + (deadline % 1_000_000 == 0 ? 0 : 1)
    let loopMilliseconds = uv_now(loop)
    let timeout = dueMilliseconds > loopMilliseconds ? dueMilliseconds - loopMilliseconds : 1
    uv_timer_start(handle.raw, { owner(of: $0!.pointee.data, as: Timer.self).fire() }, timeout, 0)
    return true
  }

  func stop() { uv_timer_stop(handle.raw) }

  func close() { handle.close() }

  private func fire() {
    if uv_hrtime() < deadline {
      uv_update_time(loop)
      if start(at: deadline) { return }
    }
    action()
  }
}
