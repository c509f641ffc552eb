/// What goes wrong in a simulation, and how often. All of it can happen to real threads as well: a message is never
/// lost, nor does one overtake another in the same mailbox.
public struct Faults: Sendable, Equatable {
  /// Something that happens to some, for a time of up to so many nanoseconds.
  public struct Delay: Sendable, Equatable {
    public var perThousand: UInt64
    public var longest: UInt64

    public init(perThousand: UInt64, longest: UInt64) {
      self.perThousand = perThousand
      self.longest = longest
    }

    public static let never = Delay(perThousand: 0, longest: 0)
  }

  /// Of posted messages: they come late, and so do those behind them in the same mailbox.
  public var lateMessages = Delay.never
  /// Of a loop's events: afterwards it stands still, as if the system had taken its core away.
  public var stalls = Delay.never
  /// Of jobs on workers: they take longer, in addition to their usual time.
  public var slowWork = Delay.never
  /// Of a loop's events: afterwards it never moves again, until `SimulatedEnvironment.recover`.
  public var losesPerThousand: UInt64 = 0
  /// At most so many loops are lost.
  public var mostLost = 0
  /// Only loops whose names begin so are lost.
  public var losesNamed = ""
  /// Of lost loops: they come back by themselves, after their clients have heard of it.
  public var returnsPerThousand: UInt64 = 0

  public init() {}

  public static let none = Faults()

  /// A mix of its own for each seed: each kind is off in about half of them. Lost loops are not drawn, since a test
  /// must know how to go on without one.
  public static func drawn(seed: UInt64) -> Faults {
    var generator = SeededGenerator(seed: seed ^ 0xFA17)
    var faults = Faults()
    func delay(mostOften: UInt64, longest: ClosedRange<UInt64>) -> Delay {
      let delay = Delay(perThousand: generator.within(1...mostOften), longest: generator.within(longest))
      return generator.happens(perThousand: 500) ? delay : .never
    }
    faults.lateMessages = delay(mostOften: 200, longest: 1_000...20_000_000)
    faults.stalls = delay(mostOften: 20, longest: 10_000...50_000_000)
    faults.slowWork = delay(mostOften: 300, longest: 100_000...500_000_000)
    return faults
  }
}
