/// Lets the walk over a large value give way now and then, in the midst of it.
package struct Pace {
  /// Gives way; false: the rest is not wanted.
  package typealias Pause = () -> Bool

  private let pause: Pause?
  /// How many entries of tables, or kilobytes of text, there may be before the next pause is due.
  private var left: Int

  /// Few enough to take far less than a millisecond, and many enough for a look at the clock to cost nothing.
  private static let entries = 64

  init(_ pause: Pause?) {
    self.pause = pause
    left = pause == nil ? .max : Pace.entries
  }

  /// After each entry of a table; false: the rest is not wanted.
  @inline(__always) mutating func goesOn() -> Bool {
    left &-= 1
    return left >= 0 || giveWay()
  }

  /// After so many bytes of a long text: a kilobyte takes about as long as an entry.
  @inline(__always) mutating func goesOn(afterBytes bytes: Int) -> Bool {
    left &-= bytes &>> 10
    return left >= 0 || giveWay()
  }

  @inline(never) private mutating func giveWay() -> Bool {
    guard let pause else { return true }
    left = pause() ? Pace.entries : 0 // once the rest is not wanted it never is
    return left > 0
  }
}
