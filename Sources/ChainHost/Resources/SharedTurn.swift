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
  private let state = Monitor<SharedTurn?>(nil)

  /// The turn whose end it waits for.
  var awaited: SharedTurn? {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}
