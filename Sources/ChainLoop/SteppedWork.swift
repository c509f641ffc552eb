/// Work that is done in pieces, each when it is asked for: code that walks deep into a value keeps its place between them.
///
/// It has a thread of its own, but takes strict turns with whoever asks: one of the two stands still while the other goes on,
/// so that all of it is as if it were done by one thread.
///
/// Confined to whoever asks for the pieces.
package final class SteppedWork {
  /// Gives the turn back in the midst of the work. False: the rest is not wanted, and the work should end soon.
  package typealias Pause = () -> Bool

  private enum Turn { case asker, work, over }

  private struct State {
    var turn = Turn.asker
    var isUnwanted = false
  }

  private final class Body: @unchecked Sendable {
    // Unchecked: because of the turns it runs, and is let go, only while the asker waits.
    private var run: ((@escaping Pause) -> Void)?
    init(_ run: @escaping (@escaping Pause) -> Void) { self.run = run }
    func callAsFunction(_ pause: @escaping Pause) {
      run?(pause)
      run = nil
    }
  }

  private let state = Monitor(State())
  private var body: Body?

  /// Nothing happens before the first `step`.
  package init(_ body: @escaping (_ pause: @escaping Pause) -> Void) { self.body = Body(body) }

  deinit { end() }

  /// Does the next piece and waits for it; true when that was the last one.
  package func step() -> Bool {
    if let body = body.take() { begin(body) } else { give(unwanted: false) }
    return state.wait { $0.turn == .work ? nil : $0.turn == .over }
  }

  /// Lets the work end without the rest of it, and waits for that.
  package func end() {
    if body.take() != nil { SteppedWork.pass(to: .over, state) } // it has not begun
    give(unwanted: true)
    state.wait { $0.turn == .over ? () : nil }
  }

  private func give(unwanted: Bool) {
    state.withLock { state in
      if state.turn == .asker { state.turn = .work }
      state.isUnwanted = state.isUnwanted || unwanted
    }
    state.broadcast()
  }

  private func begin(_ body: Body) {
    state.withLock { $0.turn = .work }
    let state = state // not self, whose end ends the thread
    let hasThread = SystemThread.start(named: "chain-piece") {
      body {
        guard !state.withLock({ $0.isUnwanted }) else { return false }
        SteppedWork.pass(to: .asker, state)
        return state.wait { $0.turn == .work ? !$0.isUnwanted : nil }
      }
      SteppedWork.pass(to: .over, state)
    }
    guard !hasThread else { return }
    body { true } // the system has no thread left: then it is one piece
    SteppedWork.pass(to: .over, state)
  }

  private static func pass(to turn: Turn, _ state: Monitor<State>) {
    state.withLock { $0.turn = turn }
    state.broadcast()
  }
}
