import ChainLoop

/// Lets async code of a simulation wait for virtual time. It has a loop of its own; `stop` ends it.
final class SimulatedClock: LoopClient {
  private struct Sleeper {
    var time: UInt64
    var continuation: CheckedContinuation<Void, Never>
  }

  private let environment: SimulatedEnvironment
  private let sleepers = Monitor<[Sleeper]>([])
  private let loop = Monitor<(any LaneLoop)?>(nil)
  private let armed = Monitor<UInt64>(.max)

  init(_ environment: SimulatedEnvironment) {
    self.environment = environment
    let made = environment.makeLoop(name: "clock", client: self)
    loop.withLock { $0 = made }
    made.start()
  }

  /// Any thread.
  func sleep(nanoseconds: UInt64) async {
    await withCheckedContinuation { continuation in
      let time = environment.now() + nanoseconds
      let isFirst = sleepers.withLock { sleepers in
        sleepers.append(Sleeper(time: time, continuation: continuation))
        return sleepers.count == 1
      }
      loop.withLock { $0 }?.post { [self] in isFirst ? arm() : arm(time) }
    }
  }

  /// Any thread.
  func stop() { loop.withLock { $0.take() }?.requestStop() }

  // The clock's loop only.

  private func arm() { set(sleepers.withLock { $0.map(\.time).min() }) }

  /// One more sleeper.
  private func arm(_ time: UInt64) {
    if time < armed.withLock({ $0 }) { arm() }
  }

  private func set(_ time: UInt64?) {
    armed.withLock { $0 = time ?? .max }
    loop.withLock { $0 }?.setTimer(at: time)
  }

  func loopStarted() {}
  func turn() -> Bool { false }
  func loopStopped() {}

  func timerFired() {
    let now = environment.now()
    let due = sleepers.withLock { sleepers in
      let due = sleepers.filter { $0.time <= now }
      sleepers.removeAll { $0.time <= now }
      return due
    }
    for sleeper in due { sleeper.continuation.resume() }
    arm()
  }
}
