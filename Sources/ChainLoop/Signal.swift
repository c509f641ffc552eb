import CUV

/// A uv_signal. The loop's thread only.
final class Signal {
  private var handle = HandleMemory(uv_signal_t.self)
  private let action: (Int32) -> Void

  init(_ number: Int32, on loop: UnsafeMutablePointer<uv_loop_t>, action: @escaping (Int32) -> Void) {
    self.action = action
    handle.belongs(to: self)
    uv_signal_init(loop, handle.raw)
    let status = uv_signal_start(
      handle.raw, { handle, number in owner(of: handle!.pointee.data, as: Signal.self).action(number) }, number)
    precondition(status == 0, "signal \(number) cannot be watched: \(uvMessage(status))")
  }

  func close() { handle.close() }
}

/// Signals to the process as calls on a loop that does nothing else. Whoever keeps it may stop it; it watches until
/// then, kept or not. Where the system has no descriptor left for it nothing is watched.
public final class SignalWatch: Sendable {
  private let loop: EventLoop

  init(_ numbers: [Int32], workers: WorkerPool, action: @escaping @Sendable (Int32) -> Void) {
    let client = SignalClient(numbers, action: action)
    loop = EventLoop(name: "chain-signals", client: client, workers: workers)
    client.begin(on: loop)
  }

  /// Any thread. Gives the signals back to the system. Returns when no call of the action is running, unless called by
  /// it.
  public func stop() { loop.stop() }
}

private final class SignalClient: LoopClient, @unchecked Sendable {
  // Unchecked: `signals` and `loop` belong to the loop's thread, and are set before it begins.
  private let numbers: [Int32]
  private let action: @Sendable (Int32) -> Void
  private let isWatching = Monitor(false)
  private var signals: [Signal] = []
  private var loop: EventLoop?

  init(_ numbers: [Int32], action: @escaping @Sendable (Int32) -> Void) {
    self.numbers = numbers
    self.action = action
  }

  /// Returns when the signals are watched: one that comes afterwards is not lost.
  func begin(on loop: EventLoop) {
    self.loop = loop
    loop.start()
    if loop.problem != nil { return self.loop = nil }
    isWatching.wait { $0 ? () : nil }
  }

  func loopStarted() {
    let uvLoop = loop!.uvLoop
    signals = numbers.map { Signal($0, on: uvLoop, action: action) }
    isWatching.withLock { $0 = true }
    isWatching.broadcast()
  }

  func turn() -> Bool { false }
  func timerFired() {}

  func loopStopped() {
    for signal in signals { signal.close() }
    loop = nil
  }
}
