import CUV

/// A uv_async: the one handle that other threads may touch. Several sends before the loop wakes are one call.
final class WakeUp: @unchecked Sendable {
  // Unchecked: `send` is libuv's thread-safe call, and the mailbox's lock keeps it apart from `close`.
  private var handle = HandleMemory(uv_async_t.self)
  private let action: () -> Void

  /// The loop's thread only. `action` runs there.
  init(on loop: UnsafeMutablePointer<uv_loop_t>, action: @escaping () -> Void) {
    self.action = action
    handle.belongs(to: self)
    let status = uv_async_init(loop, handle.raw) { owner(of: $0!.pointee.data, as: WakeUp.self).action() }
    precondition(status == 0, "a loop found no descriptor to be woken by: \(uvMessage(status))")
  }

  /// Any thread, before `close`.
  func send() { uv_async_send(handle.raw) }

  /// The loop's thread only.
  func close() { handle.close() }
}
