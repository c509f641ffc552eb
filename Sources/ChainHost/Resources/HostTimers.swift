import ChainLoop

/// Times to come of what belongs to no lane: grace periods of resources, delays of batches, tokens of limiters. One loop for
/// a host, begun with the first of them. Any thread.
package final class HostTimers: LoopClient, @unchecked Sendable {
  // Unchecked: `queue` and `actions` are touched on the loop's thread alone, what others touch is behind the monitor.
  private let environment: any Environment
  private let door = Monitor(Door())
  /// The numbers of actions.
  private var queue = TimerQueue<UInt64>()
  /// Those of the cancelled are gone; their numbers stay in the queue until there are many.
  private var actions: [UInt64: @Sendable () -> Void] = [:]
  private static let fewCancelled = 64

  private struct Door {
    var loop: (any LaneLoop)?
    var isStopped = false
    var nextNumber: UInt64 = 0
  }

  package init(environment: any Environment) { self.environment = environment }

  /// Calls `action` on the timers' thread at a time; never after `stop`.
  /// - Returns: the number by which it can be cancelled.
  @discardableResult package func at(_ time: UInt64, _ action: @escaping @Sendable () -> Void) -> UInt64 {
    let loop = openLoop()
    let number = door.withLock { door in
      defer { door.nextNumber += 1 }
      return door.nextNumber
    }
    loop?.post { [self] in
      actions[number] = action
      queue.add(at: time, number)
      if queue.first == time { loop?.setTimer(at: time) }
    }
    return number
  }

  /// Lets an action go that has not been called yet. It may be called once more meanwhile.
  package func cancel(_ number: UInt64) {
    door.withLock { $0.loop }?.post { [self] in
      actions[number] = nil
      if queue.count > 2 * actions.count + HostTimers.fewCancelled { queue.removeAll { actions[$0] == nil } }
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
  package func loopStopped() {
    queue = TimerQueue()
    actions = [:]
  }

  package func timerFired() {
    let now = environment.now()
    while let due = queue.popDue(now) { actions.removeValue(forKey: due)?() }
    if let first = queue.first { door.withLock { $0.loop }?.setTimer(at: first) }
  }
}
