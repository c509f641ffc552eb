import CLuaGuard

/// Who starts when a slot, or a place behind a need's bound, is free.
///
/// There may be many slots, and thousands of inputs that do not fit and so leave theirs at once: what takes longer than a
/// turn goes on in an event of its own.
extension Lane {
  /// The next calls of the queue take the slots that are free.
  func startNext(_ core: UnsafeMutablePointer<StateCore>) {
    guard !core.pointee.isStarting else { return } // the loop below, further out, sees the slot
    let state = core.pointee.owner.takeUnretainedValue()
    let begun = now
    core.pointee.isStarting = true
    while core.pointee.mayStart, let call = state.dequeue() {
      takeSlot(call)
      startQueued(call)
      guard now &- begun < Lane.turnLength else {
        startSoon()
        break
      }
    }
    core.pointee.isStarting = false
    withExtendedLifetime(state) {}
  }

  /// The next calls behind the bound take the places that are free.
  func admitNext(_ gate: NeedGate) {
    guard !gate.isAdmitting else { return } // the loop below, further out, sees the place
    let begun = now
    gate.isAdmitting = true
    defer { gate.isAdmitting = false }
    while gate.hasPlace, let next = gate.waiting.popFirst() {
      admit(next)
      guard now &- begun < Lane.turnLength else { return startSoon() }
    }
  }

  private func startSoon() {
    guard !startsSoon else { return }
    startsSoon = true
    post { [self] in
      asLane {
        startsSoon = false
        for built in generations.values {
          for case let state? in built.states {
            startWaiting(state)
            guard !startsSoon else { return }
          }
        }
      }
    }
  }

  /// Calls of the state, and calls by it.
  private func startWaiting(_ state: ChainletState) {
    if state.core.pointee.waiting > 0 { startNext(state.core) }
    guard let needs = state.core.pointee.needs else { return }
    for operand in 0..<state.needCount {
      if let gate = needs[operand].gate?.takeUnretainedValue(), !gate.waiting.isEmpty { admitNext(gate) }
    }
  }
}
