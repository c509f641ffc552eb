import ChainBase
import ChainLoop

/// `chain.limiter`: a bucket of tokens for all lanes, filled at a steady rate. Any thread.
///
/// Who waits stands in line. The first takes its tokens when the bucket has them, and one timer says when that is; when it
/// leaves, those behind it come forward.
final class Limiter: Resource {
  /// Tokens in a second.
  let rate: Double
  /// The most that the bucket holds.
  let burst: Double
  private let environment: any Environment
  private let timers: HostTimers

  private struct Place {
    let count: Double
    let answer: OnceAnswer<Void>
  }

  private struct State {
    var tokens: Double
    var since: UInt64
    var line = CancellableQueue<Place>()
    /// When the line is looked at next, if anybody stands in it.
    var timer: (number: UInt64, time: UInt64)?
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

  /// Takes tokens if they are there and nobody waits.
  func take(_ count: Double) -> Bool {
    let now = environment.now()
    return state.withLock { take(count, now, &$0) }
  }

  /// Takes tokens, after a wait where they are not there yet or others wait. A cancelled wait takes none.
  func wait(_ count: Double) async throws {
    let now = environment.now()
    let place = state.withLock { state -> (number: UInt64, answer: OnceAnswer<Void>)? in
      if take(count, now, &state) { return nil }
      defer { setTimer(&state, now) }
      let answer = OnceAnswer<Void>()
      return (state.line.append(Place(count: count, answer: answer)), answer)
    }
    guard let (number, answer) = place else { return }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { answer.wait($0) }
    } onCancel: {
      if answer.give(.failure(CancellationError())) { serve { $0.line.remove(number) } }
    }
  }

  private func take(_ count: Double, _ now: UInt64, _ state: inout State) -> Bool {
    fill(&state, now)
    guard state.line.isEmpty, state.tokens >= count else { return false }
    state.tokens -= count
    return true
  }

  private func fill(_ state: inout State, _ now: UInt64) {
    guard now > state.since else { return }
    let filled = min(burst, state.tokens + Double(now - state.since) / 1e9 * rate)
    guard filled != state.tokens || filled == burst else { return } // too little yet for a number of this size
    state.tokens = filled
    state.since = now
  }

  /// Makes a change, and gives tokens to those whose turn has come.
  private func serve(after change: (inout State) -> Void) {
    let now = environment.now()
    let served = state.withLock { state in
      change(&state)
      fill(&state, now)
      var served: [Place] = []
      while let first = state.line.first, first.count <= state.tokens {
        state.tokens -= first.count
        if let place = state.line.popFirst() { served.append(place) }
      }
      setTimer(&state, now)
      return served
    }
    // One that was cancelled just now gives its tokens back.
    let unused = served.reduce(0) { $0 + ($1.answer.give(.success(())) ? 0 : $1.count) }
    if unused > 0 { serve { $0.tokens = min(burst, $0.tokens + unused) } }
  }

  /// Sees to it that the first in line is looked at when its tokens are there. Inside the lock, so that the last change of
  /// the line sets the last timer; a timer that is too early sets the next.
  private func setTimer(_ state: inout State, _ now: UInt64) {
    guard let first = state.line.first else {
      if let timer = state.timer.take() { timers.cancel(timer.number) }
      return
    }
    let seconds = min(max(0, first.count - state.tokens) / rate, 1e9)
    let time = moment(UInt64((seconds * 1e9).rounded(.up)), after: now)
    if let timer = state.timer {
      if timer.time <= time { return }
      timers.cancel(timer.number)
    }
    let number = timers.at(time) { [weak self] in
      self?.serve { if $0.timer?.time == time { $0.timer = nil } }
    }
    state.timer = (number, time)
  }
}
