/// Bounds the walk over a value, and lets that over a large one give way now and then, in the midst of it.
///
/// It counts the work, not the values: a union whose members are tried one after the other, and a pattern that is looked
/// for in vain, take as many units as they take time.
package struct Pace {
  /// Gives way; false: the rest is not wanted.
  package typealias Pause = () -> Bool

  private let pause: Pause?
  /// How many units there may be before the next pause is due.
  private var left: Int
  /// How many there may be after it.
  private var rest: Int
  /// The walk has taken more work than its limits allow.
  private(set) var isSpent = false
  /// A pause has said that the rest is not wanted; it never is again.
  private var isUnwanted = false

  /// Few enough to take far less than a millisecond, and many enough for a look at the clock to cost nothing.
  private static let unitsBetweenPauses = 64

  /// - Parameter pause: nil: the walk is one piece.
  init(_ limits: CrossingLimits, _ pause: Pause?) {
    self.pause = pause
    left = pause == nil ? limits.work : min(limits.work, Pace.unitsBetweenPauses)
    rest = limits.work - left
  }

  /// For what is bounded by something else.
  static var unbounded: Pace { Pace(CrossingLimits(bytes: .max, nodes: .max), nil) }

  /// After each entry of a table; false: the walk ends here.
  @inline(__always) mutating func goesOn() -> Bool {
    left &-= 1
    return left >= 0 || giveWay()
  }

  /// After so many bytes of a long text: a kilobyte takes about as long as an entry.
  @inline(__always) mutating func goesOn(afterBytes bytes: Int) -> Bool {
    left &-= bytes &>> 10
    return left >= 0 || giveWay()
  }

  /// After so many entries at once.
  @inline(__always) mutating func goesOn(afterEntries entries: Int) -> Bool {
    left &-= entries
    return left >= 0 || giveWay()
  }

  /// After so many comparisons of a name with others, 16 bytes of long ones being one.
  @inline(__always) mutating func goesOn(afterComparisons comparisons: Int) -> Bool {
    left &-= comparisons &>> 6
    return left >= 0 || giveWay()
  }

  /// After so many steps in the search for a pattern.
  mutating func goesOn(afterSteps steps: Int) -> Bool {
    left &-= steps &>> 5
    return left >= 0 || giveWay()
  }

  /// Whether others may do something in the midst of the walk.
  var isPaused: Bool { pause != nil }

  @inline(never) private mutating func giveWay() -> Bool {
    if !isSpent, !isUnwanted {
      rest += left // what is owed
      if pause == nil || rest <= 0 { isSpent = true } else if pause?() != true { isUnwanted = true }
    }
    guard !isSpent, !isUnwanted else {
      left = -1 // and so it stays
      return false
    }
    left = min(rest, Pace.unitsBetweenPauses)
    rest -= left
    return true
  }
}
