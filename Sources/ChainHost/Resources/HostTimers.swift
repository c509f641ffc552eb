import ChainLoop

/// Times to come of what belongs to no lane: grace periods of resources, delays of batches. One loop for a host, begun
/// with the first of them. Any thread.
package final class HostTimers: LoopClient, @unchecked Sendable {
  // Unchecked: `entries` is touched on the loop's thread alone, what others touch is behind the monitor.
  private let environment: any Environment
  private let door = Monitor(Door())
  private var entries: [(time: UInt64, action: @Sendable () -> Void)] = []

  private struct Door {
    var loop: (any LaneLoop)?
    var isStopped = false
  }

  package init(environment: any Environment) { self.environment = environment }

  /// Calls `action` on the timers' thread at a time; never after `stop`.
  package func at(_ time: UInt64, _ action: @escaping @Sendable () -> Void) {
    let loop = openLoop()
    loop?.post { [self] in
      let place = entries.firstIndex { $0.time > time } ?? entries.count
      entries.insert((time, action), at: place)
      if place == 0 { loop?.setTimer(at: time) }
    }
  }

  private func openLoop() -> (any LaneLoop)? {
    door.withLock { door in
      if door.isStopped { return nil }
      if let loop = door.loop { return loop }
      let loop = environment.makeLoop(name: "timers", client: self)
      door.loop = loop
      loop.start()
      return loop
    }
  }

  /// Ends the loop; what has not come will not come.
  package func stop() {
    let loop = door.withLock { door in
      door.isStopped = true
      return door.loop.take()
    }
    loop?.stop()
  }

  // MARK: LoopClient

  package func loopStarted() {}
  package func turn() -> Bool { false }
  package func loopStopped() { entries = [] }

  package func timerFired() {
    let now = environment.now()
    while let first = entries.first, first.time <= now {
      entries.removeFirst()
      first.action()
    }
    if let first = entries.first { door.withLock { $0.loop }?.setTimer(at: first.time) }
  }
}
