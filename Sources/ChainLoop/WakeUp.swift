import CUV

/// A uv_async: the one handle that other threads may touch. Several sends before the loop wakes are one call.
final class WakeUp: @unchecked Sendable {
  // Unchecked: `send` is libuv's thread-safe call, and the mailbox's lock keeps it apart from `close`.
  private var handle = HandleMemory(uv_async_t.self)
  private let action: () -> Void

  /// Before the loop runs, or on its thread, where `action` runs.
  init(on loop: UnsafeMutablePointer<uv_loop_t>, action: @escaping () -> Void) throws(LoopProblem) {
    self.action = action
    handle.belongs(to: self)
    let status = uv_async_init(loop, handle.raw) { owner(of: $0!.pointee.data, as: WakeUp.self).action() }
    guard status != 0 else { return }
    handle.discard()
    throw LoopProblem(text: uvMessage(status))
  }

  /// Any thread, before `close`.
  func send() { uv_async_send(handle.raw) }

  /// The loop's thread only.
  func close() { handle.close() }
}
