import ChainLoop

/// The turn of one run to make what others wait for; it may pass on to one of those. Any thread.
final class SharedTurn: Sendable {
  private let state: Monitor<RunMark?>

  init(of run: RunMark) { state = Monitor(run) }

  /// Nil when it is over: who waits for it is being told.
  var holder: RunMark? {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

/// A run, as those know it that wait for it, on any lane. Any thread.
package final class RunMark: Sendable {
  private struct State {
    var awaited: SharedTurn?
    var turns = CancellableQueue<@Sendable () -> Void>()
  }
  private let state = Monitor(State())

  /// The turn whose end it waits for.
  var awaited: SharedTurn? {
    get { state.withLock { $0.awaited } }
    set { state.withLock { $0.awaited = newValue } }
  }

  /// The run has a turn: `giveUp` is called when it ends with it.
  /// - Returns: the number by which `leave` knows it.
  func take(giveUp: @escaping @Sendable () -> Void) -> UInt64 { state.withLock { $0.turns.append(giveUp) } }

  func leave(_ number: UInt64) {
    let left = state.withLock { $0.turns.remove(number) }
    _ = left
  }

  /// The run has ended.
  func end() {
    for giveUp in state.withLock({ $0.turns.all }) { giveUp() }
  }
}
