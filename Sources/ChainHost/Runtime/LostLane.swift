import ChainBase
import ChainLoop
import CLuaGuard
import LuaBridge

/// What is known of a lane that was given up.
struct LaneLoss: Sendable {
  /// The request whose code did not come back; 0 for a hook such as `init`, nil where it is not known.
  var request: UInt64?
  /// The chainlet in whose call the lane is stuck, and that call's CPU limit in seconds.
  var chainlet: String?
  var limit: Double?

  /// "Main did not come back from C, where nothing can end it, within 1 s after its limit of 10 s (limits.cpu)".
  var reason: String {
    guard let chainlet else { return "it did not come back from work of the host within its time" }
    let past = limit.map { " within 1 s after its limit of \(secondsText($0)) (limits.cpu)" } ?? ""
    return "\(chainlet) did not come back from a native function, where nothing can end it,\(past)"
  }

  /// What a request of that lane is told. Whoever lost the lane must not be tried again; the others may.
  func failure(for id: UInt64?) -> Failure {
    let isItsOwn = id != nil && id == request
    return Failure(
      code: isItsOwn ? Failure.Code.timeout : Failure.Code.stateLost, message: "the lane of this request was given up: \(reason)",
      details: limit.map { ["limit": "limits.cpu", "value": .number($0)] } ?? .null, chainlet: chainlet)
  }
}

/// Those who wait for an answer of a lane. When the lane is lost they are answered by whoever found it lost.
final class Promises: Sendable {
  private struct State {
    var loss: LaneLoss?
    var next: UInt64 = 1
    var waiting: [UInt64: @Sendable (LaneLoss) -> Void] = [:]
  }
  private let state = Monitor(State())

  /// Any thread. `ifLost` is called once at most: at once where the lane is lost already.
  func add(_ ifLost: @escaping @Sendable (LaneLoss) -> Void) -> UInt64 {
    let (key, loss) = state.withLock { state in
      state.next += 1
      if state.loss == nil { state.waiting[state.next] = ifLost }
      return (state.next, state.loss)
    }
    if let loss { ifLost(loss) }
    return key
  }

  /// Any thread.
  func remove(_ key: UInt64) { state.withLock { _ = $0.waiting.removeValue(forKey: key) } }

  /// Any thread. In the order in which they began to wait.
  func lose(_ loss: LaneLoss) {
    let waiting = state.withLock { state in
      defer { state.waiting = [:] }
      state.loss = loss
      return state.waiting.sorted { $0.key < $1.key }
    }
    for (_, tell) in waiting { tell(loss) }
  }
}

extension Lane {
  /// Asks the lane something and waits for the answer, which comes whatever becomes of the lane. Any thread.
  /// - Parameters:
  ///   - ifDropped: the answer of a lane that has ended.
  ///   - ifLost: the answer of one that was given up.
  ///   - body: called on the lane; gives the answer, or keeps the reply for later.
  nonisolated func ask<Value: Sendable>(
    ifDropped: Value, ifLost: @escaping @Sendable (LaneLoss) -> Value, _ body: @escaping @Sendable (Reply<Value>) -> Void
  ) async -> Value {
    await withCheckedContinuation { (continuation: CheckedContinuation<Value, Never>) in
      let reply = Reply(continuation, ifDropped: ifDropped)
      promise(reply, ifLost)
      post { [self] in asLane { body(reply) } }
    }
  }

  /// The reply is given when the lane is lost, if nobody has given it before.
  func promise<Value: Sendable>(_ reply: Reply<Value>, _ ifLost: @escaping @Sendable (LaneLoss) -> Value) {
    // Weakly: a reply that its message lets go answers by itself.
    let key = promises.add { [weak reply] loss in reply?.give(ifLost(loss)) }
    reply.whenAnswered { [promises] in promises.remove(key) }
  }

  // MARK: Being lost

  /// Whether the lane was given up: whoever works for it leaves. Any thread.
  var isLost: Bool { clg_is_lost(watch) != 0 }

  /// Any thread, once. The lane does nothing any more, and those who wait for it are answered.
  func giveUp(_ loss: LaneLoss) {
    clg_give_up(watch)
    loop.giveUp()
    promises.lose(loss)
  }

  /// The thread has come back and found its lane given up, in the midst of an event: nothing of it goes on.
  func forgetTurns() {
    runs = RunLines()
    crossings = CrossingLines()
    handOff = nil
  }

  /// The watchdog's thread, which must not be kept.
  func foundLost(inRun: Bool, request: UInt64, state: UInt) {
    var loss = LaneLoss()
    if inRun {
      let known = names.withLock { $0[state] }
      loss = LaneLoss(request: request, chainlet: known?.name, limit: known?.limit)
    }
    loopIsLost(loss)
  }

  func loopIsLost() -> Bool {
    loopIsLost(LaneLoss())
    return true
  }

  private func loopIsLost(_ loss: LaneLoss) {
    environment.runAtOnce { [self] in
      guard let told = whenLost.withLock({ $0.take() }) else { return }
      told(self, loss)
    }
  }
}
