import ChainBase
import ChainLoop
import CLuaGuard
import LuaBridge

/// One thread, one loop, one Lua state for each chainlet.
///
/// A plain class confined to its loop's thread: everything but `post` and `executor` is called there.
/// `@unchecked Sendable` is true because other threads hold it only to post to its loop.
final class Lane: LoopClient, @unchecked Sendable {
  let index: Int
  let environment: any Environment
  let watch: UnsafeMutablePointer<clg_watch>
  private(set) var loop: (any LaneLoop)!
  /// In which async primitives run.
  private(set) var nativeTasks: LoopTasks!
  /// Where chainlets' `print` and `chain.log` go.
  let log: @Sendable (LogLine) -> Void
  let counters: NativeCounters

  // The scheduler's
  var runs = RunLines()
  var handOff: CallRef?
  /// Large crossings, and when the piece of the one that is at hand is over.
  var crossings = CrossingLines()
  var pieceEnd: UInt64 = 0
  var now: UInt64 = 0
  /// When this turn is over, and whose it is, since when.
  var turnEnd: UInt64 = 0
  var current: UnsafeMutablePointer<RunLine>?
  var currentSince: UInt64 = 0
  var timers = TimerQueue<LaneTimer>()
  var nextStamp: UInt64 = 1
  var watchesDeadlocks = false
  /// The simulated time, which advances with the instructions that run.
  let virtualClock: UnsafeMutablePointer<UInt64>
  private var calls = CallMemory()

  var armedTimer: UInt64?
  /// How many timers there may be before stale ones are swept out.
  var timerLimit = 1024

  /// Those who wait for answers of this lane.
  let promises = Promises()
  /// Who is told when it is lost, and when its thread has come back from that. Once each.
  let whenLost = Monitor<(@Sendable (Lane, LaneLoss) -> Void)?>(nil)
  let whenReturned = Monitor<(@Sendable (Lane) -> Void)?>(nil)
  /// Chainlets and their CPU limits by the addresses of their states: for the watchdog, which may follow no pointer.
  let names = Monitor<[UInt: (name: String, limit: Double)]>([:])

  // What it serves
  var requests: [UInt64: Request] = [:]
  /// Streamed requests whose calls have ended while the outside still takes items.
  var ending: [UInt64: Request] = [:]
  var generations: [UInt64: LaneGeneration] = [:]
  /// Generations that are being built here: who waits for that. And those that could not be.
  var arriving: [UInt64: [(Result<Void, Failure>) -> Void]] = [:]
  var failing: [UInt64: Failure] = [:]
  /// Requests whose generation is being built here.
  var held: [Held] = []
  /// Who waits for states that workers make.
  var building: [UInt64: (Result<LaneGeneration, Failure>) -> Void] = [:]
  /// What is done when its timer comes.
  var postponed: [UInt64: () -> Void] = [:]
  var isStopping = false
  /// States that are to be built again when their timer comes.
  var rebuilds: [UInt64: Rebuild] = [:]
  /// Chainlets that run batches, by their numbers in timers.
  var batchings: [UInt64: Batching] = [:]
  /// Retired states whose last call has left.
  var emptied: [ChainletState] = []
  var report: ErrorReport?
  var channels: [Int32: StreamChannel] = [:]
  var channelCount: Int32 = 0
  /// Streams whose last handle was collected: they are closed in an event of its own.
  var forgotten: [Int32] = []
  /// Streams whose calls have ended, to be closed in this event, the next one last.
  var orphaned: [StreamChannel] = []
  var isClosingOrphaned = false
  /// Queues of calls are about to go on, in an event that has been asked for.
  var startsSoon = false
  var jsonBuffer = ByteBuffer()
  var idleWaiters: [() -> Void] = []
  var looksForIdle = false
  /// Runs outside of any request: `init`, `close`, background work.
  var hookCalls: [CallRef] = []
  /// Generations that are being built here, or closed.
  var changes = 0
  /// What calls belong to that are in no use.
  private(set) var hooks: Request!
  var ended = false
  private var entered = 0

  init(index: Int, environment: any Environment, counters: NativeCounters, log: @escaping @Sendable (LogLine) -> Void) {
    self.counters = counters
    self.index = index
    self.environment = environment
    self.log = log
    watch = .allocate(capacity: 1)
    // All of its bytes: Swift does not see the atomics.
    UnsafeMutableRawPointer(watch).initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<clg_watch>.size)
    virtualClock = .allocate(capacity: 1)
    virtualClock.initialize(to: 0)
    watch.pointee.instructions = environment.instructionsPerSlice
    if environment.instructionsPerSlice > 0 { watch.pointee.clock = virtualClock }
    loop = environment.makeLoop(name: "lane-\(index)", client: self)
    nativeTasks = LoopTasks(executor: loop.executor)
    hooks = Request.outside()
  }

  deinit {
    for call in calls.all { call.pointee.extra?.release() }
    virtualClock.deallocate()
    watch.deallocate()
  }

  func start() { loop.start() }

  /// Runs `message` on the lane's thread. Any thread.
  func post(_ message: @escaping @Sendable () -> Void) { loop.post(message) }

  // MARK: LoopClient

  func loopStarted() {
    watch.pointee.wall = { context in
      guard let context else { return 0 }
      return Unmanaged<Lane>.fromOpaque(context).takeUnretainedValue().environment.wallClock()
    }
    watch.pointee.wall_context = Unmanaged.passUnretained(self).toOpaque()
    // Called while the lane is attached, and so while its loop keeps it.
    watch.pointee.on_lost = { context, inRun, owner, state in
      guard let context else { return }
      Unmanaged<Lane>.fromOpaque(context).takeUnretainedValue()
        .foundLost(inRun: inRun != 0, request: owner, state: UInt(bitPattern: state))
    }
    watch.pointee.lost_context = Unmanaged.passUnretained(self).toOpaque()
    if watch.pointee.instructions == 0 { clg_attach(watch) }
  }

  func loopStopped() {
    ended = true
    nativeTasks.end()
    // What comes now comes too late; and what waits for it holds states, which hold their lane.
    (building, rebuilds, postponed, emptied) = ([:], [:], [:], [])
    if watch.pointee.instructions == 0 { clg_detach(watch) }
    guard isLost else { return }
    letGo()
    whenReturned.withLock { $0.take() }?(self)
  }

  /// The thread of a lost lane ends: what it held goes, without a word to Lua. States keep their lane, so that nothing
  /// would go by itself.
  private func letGo() {
    for call in calls.all {
      endCrossing(of: call)
      call.pointee.extra?.release()
      call.pointee.extra = nil
    }
    crossings = CrossingLines()
    (requests, ending, channels) = ([:], [:], [:])
    (arriving, generations) = ([:], [:])
    (held, hookCalls, idleWaiters, orphaned) = ([], [], [], [])
  }

  func turn() -> Bool {
    guard !isLost else { return false }
    enter()
    defer { leave() }
    return runTurn()
  }

  func timerFired() {
    guard !isLost else { return }
    enter()
    defer { leave() }
    fireTimers()
    wakeLoop()
  }

  /// Runs a message's work as the lane: the watchdog knows its thread and the clock is fresh.
  func asLane(_ body: () -> Void) {
    guard !isLost else { return }
    enter()
    defer { leave() }
    body()
    wakeLoop()
  }

  /// How code on the lane's executor, and so on its thread, gives an answer: at once, or in an event of its own.
  func comeBack(_ body: () -> Void) {
    if isEntered { return body() }
    if !ended { asLane(body) }
  }

  /// Whether the lane's own code is on the stack: a turn, a timer or a message.
  var isEntered: Bool { entered > 0 }

  private func enter() {
    entered += 1
    guard entered == 1 else { return }
    if watch.pointee.instructions == 0 { clg_turn_begins(watch) } else { clg_enter(watch) }
    now = environment.now()
    virtualClock.pointee = now
  }

  private func leave() {
    entered -= 1
    guard entered == 0 else { return }
    if watch.pointee.instructions == 0 { clg_turn_ends(watch) } else { clg_enter(nil) }
  }

  // MARK: Memory of calls

  /// A call without a coroutine.
  func blankCall(_ core: UnsafeMutablePointer<StateCore>) -> CallRef { calls.take(core, .passUnretained(hooks)) }

  func reuse(_ call: CallRef) { calls.give(call) }

  /// Calls that are not blank: in use, or in the pool of a state.
  var callsInUse: Int { calls.inUse }
  var memoryOfCalls: (kept: Int, reserved: Int) { calls.size }

  /// A number that is used once: for tickets and serials.
  @inline(__always) func stamp() -> UInt64 {
    nextStamp &+= 1
    return nextStamp
  }
}
