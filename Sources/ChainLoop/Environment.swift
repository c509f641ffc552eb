/// The one seam to time, chance and threads.
///
/// The runtime never asks a clock, a random source or a thread directly, but the environment that it was made
/// with. `RealEnvironment` is libuv and the system; the simulated one in `ChainTesting` runs any number of loops
/// in a single thread under a seeded schedule and a virtual clock, so that every failure replays from its seed.
public protocol Environment: AnyObject, Sendable {
  /// Any thread. Monotonic time in nanoseconds.
  func now() -> UInt64
  /// Any thread. Nanoseconds since 1970-01-01 UTC.
  func wallClock() -> Int64
  /// Any thread. 64 random bits.
  func random() -> UInt64
  /// Makes a loop that will run `client`; nothing happens before `LaneLoop.start`.
  func makeLoop(name: String, client: any LoopClient) -> any LaneLoop
  /// Any thread. Runs blocking work away from every loop.
  func runOnWorker(_ work: @escaping @Sendable () -> Void)
  /// Any thread. Runs work that may block for long, such as loading a model, on a thread of its own.
  func runOnThread(_ work: @escaping @Sendable () -> Void)
  /// Any thread. Runs one job of an engine, away from every loop and from what `runOnWorker` is given.
  func runJob(_ work: @escaping @Sendable () -> Void)
  /// Jobs that run side by side; more wait.
  var jobsAtOnce: Int { get }
  /// Any thread. Runs short work at once, away from every loop: never behind work that waits or blocks.
  func runAtOnce(_ work: @escaping @Sendable () -> Void)
  /// Lua instructions in a slice where slices are counted and not timed; 0 where they are timed.
  var instructionsPerSlice: Int32 { get }
  /// A loop's thread. Tells a virtual clock that the event at hand took so long; a real clock knows by itself.
  func spend(nanoseconds: UInt64)
}

extension LoopClient {
  public func loopIsLost() -> Bool { false }
}

extension Environment {
  public func spend(nanoseconds: UInt64) {}
  public func runOnThread(_ work: @escaping @Sendable () -> Void) { runOnWorker(work) }
  public func runJob(_ work: @escaping @Sendable () -> Void) { runOnWorker(work) }
  public var jobsAtOnce: Int { 1 }
}

/// What a loop drives. All of it is called on the loop's own thread, never two at once.
public protocol LoopClient: AnyObject, Sendable {
  /// The loop's thread has begun.
  func loopStarted()
  /// Runs a bounded batch of ready work; true if more is left, so that the loop calls again after its I/O.
  /// `LaneLoop.requestTurns` inside a turn counts as true.
  func turn() -> Bool
  /// The time given to `LaneLoop.setTimer` has come.
  func timerFired()
  /// The last call: no message, turn or timer follows.
  func loopStopped()
  /// Any thread, and not on the loop's. In a simulation: the loop has stood still for so long that nobody should wait
  /// for it. False: the client does not do without it.
  func loopIsLost() -> Bool
}

/// One event loop on a thread of its own (or its simulated twin).
public protocol LaneLoop: AnyObject, Sendable {
  /// Any thread. Begins the loop's thread. Once; nothing happens after `stop`.
  func start()
  /// Any thread. Runs `message` on the loop's thread, in order of posting. After `stop` messages are dropped.
  func post(_ message: @escaping @Sendable () -> Void)
  /// Any thread. Ends the loop after the message at hand and waits for its thread, unless called on that thread.
  func stop()
  /// Any thread. The same without waiting: for a loop that may be lost, whose thread leaves when it comes back.
  func requestStop()
  /// Any thread. As `requestStop`, and whoever waits in `stop` does not any more: the loop is lost.
  func giveUp()
  /// The loop's thread only. Asks for `turn` calls until one returns false.
  func requestTurns()
  /// The loop's thread only. Replaces the loop's single timer; nil clears it. Monotonic nanoseconds.
  func setTimer(at deadline: UInt64?)
  /// Any thread. Whether the caller runs on this loop's thread (in the simulation: inside one of its events).
  var isCurrent: Bool { get }
  /// Any thread. For Swift's async code at the rim: jobs enqueued here run on the loop's thread.
  ///
  /// A job is never dropped, since someone may wait for its task: those that come after the loop's end run one at a
  /// time elsewhere, and `isCurrent` is true for them.
  var executor: LoopExecutor { get }
}
