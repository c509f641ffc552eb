import ChainHost
import ChainLoop
import Testing

@Suite("Times of the host")
struct HostTimersTests {
  private final class Token: Sendable {}

  @Test("actions are called in the order of their times, those of one time in the order of asking", .timeLimit(.minutes(1)))
  func order() {
    let environment = RealEnvironment()
    let timers = HostTimers(environment: environment)
    defer { timers.stop() }
    let called = Monitor<[Int]>([])
    let now = environment.now() + 20_000_000
    for (number, delay) in [(5, 4), (1, 0), (3, 2), (2, 0), (4, 3)] {
      timers.at(now + UInt64(delay) * 1_000_000) {
        called.withLock { $0.append(number) }
        called.broadcast()
      }
    }
    #expect(called.wait { $0.count == 5 ? $0 : nil } == [1, 2, 3, 4, 5])
  }

  @Test("an action that is cancelled is let go, and the others are called", .timeLimit(.minutes(1)))
  func cancelled() {
    let environment = RealEnvironment()
    let timers = HostTimers(environment: environment)
    defer { timers.stop() }
    weak var last: Token?
    let called = Monitor<Bool>(false)
    for _ in 0..<1000 {
      let token = Token()
      last = token
      let number = timers.at(.max) { withExtendedLifetime(token) {} }
      timers.cancel(number)
    }
    timers.at(environment.now() + 1_000_000) {
      called.withLock { $0 = true }
      called.broadcast()
    }
    #expect(called.wait { $0 ? true : nil })
    #expect(last == nil)
  }
}
