/// What a lane does at a time to come.
struct LaneTimer {
  enum Purpose: UInt8 {
    /// The wait with this ticket is over.
    case wake
    /// The call with this serial has run out of its time.
    case deadline
    /// A failed call with this ticket is tried again.
    case retry
    /// Look for calls that wait for themselves.
    case deadlocks
    /// A state whose rebuild failed is built again.
    case rebuild
    /// The batch with this number has waited long enough for more items.
    case batch
  }

  var purpose: Purpose
  var call: CallRef?
  /// A ticket or a serial, by purpose.
  var stamp: UInt64
}

extension TimerQueue<LaneTimer> {
  mutating func add(at time: UInt64, _ purpose: LaneTimer.Purpose, _ call: CallRef?, stamp: UInt64) {
    add(at: time, LaneTimer(purpose: purpose, call: call, stamp: stamp))
  }
}
