import ChainBase
import ChainLoop

/// `chain.limiter`: a bucket of tokens for all lanes, filled at a steady rate. Any thread.
///
/// Who waits stands in line: each knows at once when its tokens will be there.
final class Limiter: Resource {
  /// Tokens in a second.
  let rate: Double
  /// The most that the bucket holds.
  let burst: Double
  private let environment: any Environment
  private let timers: HostTimers

  private struct State {
    /// Below zero: promised to those who wait.
    var tokens: Double
    var since: UInt64
  }
  private let state: Monitor<State>

  init(rate: Double, burst: Double, environment: any Environment, timers: HostTimers) {
    self.rate = rate
    self.burst = burst
    self.environment = environment
    self.timers = timers
    state = Monitor(State(tokens: burst, since: environment.now()))
  }

  func close() {}

  private func fill(_ state: inout State, _ now: UInt64) {
    let seconds = Double(now &- min(state.since, now)) / 1e9
    state.tokens = min(burst, state.tokens + seconds * rate)
    state.since = now
  }

  /// Takes tokens if they are there and nobody waits.
  func take(_ count: Double) -> Bool {
    let now = environment.now()
    return state.withLock { state in
      fill(&state, now)
      guard state.tokens >= count else { return false }
      state.tokens -= count
      return true
    }
  }

  /// Takes tokens, after a wait where they are not there yet. A cancelled wait gives them back.
  func wait(_ count: Double) async throws {
    let now = environment.now()
    let missing = state.withLock { state -> Double in
      fill(&state, now)
      state.tokens -= count
      return max(0, -state.tokens)
    }
    guard missing > 0 else { return }
    let answer = OnceAnswer<Void>()
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        answer.wait(continuation)
        timers.at(now &+ UInt64(min(missing / rate, 1e9) * 1e9)) { answer.give(.success(())) }
      }
    } onCancel: {
      if answer.give(.failure(CancellationError())) {
        state.withLock { $0.tokens = min(burst, $0.tokens + count) }
      }
    }
  }
}
