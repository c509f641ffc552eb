import ChainBase
import ChainLoop
import CLuaGuard
import LuaBridge

/// A crossing that is too large for one event of its lane: it goes on in pieces, with the lane's other work in between.
///
/// The call whose value it is stands in the phase `crossing` meanwhile, or in the midst of its function in the wait
/// `pieces`, so that all that can end a call finds it.
final class LargeCrossing {
  let call: CallRef
  /// Where tables are read that nobody may change meanwhile: no run of this state goes on.
  let holds: UnsafeMutablePointer<StateCore>?
  /// Nor does one afterwards, before the call's own run has gone on.
  let staysHeld: Bool
  /// Where values are made.
  let writes: UnsafeMutablePointer<StateCore>?
  /// Its place among others.
  var hasBegun = false
  var isUnwanted = false
  fileprivate let work: SteppedWork
  /// Told of its end: whether the state in which values are made has no room for them.
  fileprivate let ended: (_ isOutOfMemory: Bool) -> Void

  init(
    _ call: CallRef, holds: UnsafeMutablePointer<StateCore>?, staysHeld: Bool, writes: UnsafeMutablePointer<StateCore>?,
    _ work: SteppedWork, ended: @escaping (Bool) -> Void
  ) {
    self.call = call
    self.holds = holds
    self.staysHeld = staysHeld
    self.writes = writes
    self.work = work
    self.ended = ended
  }
}

extension CrossingLimits {
  /// What crosses in one event: about a millisecond's worth, and as much text as is copied and checked in that time.
  static let share = CrossingLimits(bytes: 4 << 20, nodes: 4_096, work: 16_384)
  /// In a simulation, so that its small values go in pieces too.
  static let simulatedShare = CrossingLimits(bytes: 256, nodes: 12, work: 16_384)
  /// Of a share of so many bytes, how much is JSON text, which takes longer: its values are not counted before it is read.
  var jsonBytes: Int { bytes / 16 }

  init(_ share: WorkShare) { self.init(bytes: share.bytes, nodes: share.nodes, work: share.work) }

  func within(_ share: CrossingLimits) -> CrossingLimits {
    CrossingLimits(
      depth: depth, bytes: min(bytes, share.bytes), nodes: min(nodes, share.nodes), work: min(work, share.work), direction: direction)
  }
}

extension Lane {
  /// How long a piece takes.
  private static let pieceLength: UInt64 = 1_000_000

  /// Whether slices, and so pieces, are counted and not timed.
  var isSimulated: Bool { watch.pointee.instructions > 0 }
  var share: CrossingLimits { isSimulated ? .simulatedShare : .share }

  /// Does `body` in pieces; it calls its argument now and then, and ends soon when that says false.
  func crossInPieces(
    _ call: CallRef, holding: UnsafeMutablePointer<StateCore>?, writing: UnsafeMutablePointer<StateCore>?, staysHeld: Bool = false,
    _ body: @escaping (@escaping Pace.Pause) -> Void, ended: @escaping (_ isOutOfMemory: Bool) -> Void
  ) {
    let work = SteppedWork { [unowned self] pause in
      body { self.isSimulated || self.environment.now() >= self.pieceEnd ? pause() : true }
    }
    let crossing = LargeCrossing(call, holds: holding, staysHeld: staysHeld, writes: writing, work, ended: ended)
    if call.pointee.phase == .waiting { call.pointee.wait = .pieces } else { call.pointee.phase = .crossing }
    call.extra.crossing = crossing
    if staysHeld { holding?.pointee.holder = call } // from now on
    crossings.add(crossing)
    loop.requestTurns()
  }

  /// The next piece of the crossing whose turn it is.
  func continueCrossing() {
    guard let crossing = crossings.next() else { return }
    let (call, begun) = (crossing.call, now)
    pieceEnd = begun &+ Lane.pieceLength
    let isOver = crossing.inHostSection { crossing.work.step() }
    now = environmentNow()
    // Who made the value pays.
    if let payer = crossing.holds == call.pointee.core ? call : call.parent { clg_charge(payer.raw, now &- begun) }
    let isFull = crossing.writes?.pointee.owner.takeUnretainedValue().isOutOfMemory() ?? false
    // A native function's own work ends with its run's time: its first instruction then ends the run.
    let isSpent = crossing.staysHeld && clg_cpu_left(call.raw) == 0
    if isFull || isSpent { crossing.inHostSection { crossing.work.end() } }
    guard isOver || isFull || isSpent else { return }
    forget(crossing)
    if call.pointee.phase == .crossing { call.pointee.phase = .running }
    crossing.ended(isFull)
  }

  /// The call ends before its crossing does.
  func abandonCrossing(of call: CallRef) {
    if let crossing = endCrossing(of: call) { forget(crossing) }
  }

  /// Ends the work alone, as the thread of a lost lane does, which tells nobody.
  @discardableResult func endCrossing(of call: CallRef) -> LargeCrossing? {
    guard let crossing = call.existingExtra?.crossing else { return nil }
    crossing.inHostSection { crossing.work.end() }
    return crossing
  }

  private func forget(_ crossing: LargeCrossing) {
    crossing.call.extra.crossing = nil
    crossings.remove(crossing)
    if let core = crossing.holds, core.pointee.holder == crossing.call, !crossing.staysHeld { releaseHold(core) }
  }
}

extension LargeCrossing {
  fileprivate func inHostSection<Result>(_ body: () -> Result) -> Result {
    for core in [holds, writes] { core?.pointee.lua.pointee.memory.host += 1 }
    defer { for core in [holds, writes] { core?.pointee.lua.pointee.memory.host -= 1 } }
    return body()
  }
}

// MARK: - From state to state

extension Lane {
  /// Copies a value from state to state in pieces, onto `to`. `ended` is told why it does not fit, if it does not, by
  /// `explain`, or whether there is no memory for it.
  func copyInPieces(
    _ call: CallRef, from: LuaStack, at index: Int32, _ source: ChainletState, to: LuaStack, _ target: ChainletState,
    _ program: SchemaProgram, limits: CrossingLimits, streams: LuaToLua.StreamHook? = nil,
    explain: @escaping (@escaping Pace.Pause) -> Failure, ended: @escaping (_ failure: Failure?, _ isOutOfMemory: Bool) -> Void
  ) {
    let (fromTop, toTop) = (from.top, to.top)
    var failure: Failure?
    var hasRoom = true
    crossInPieces(call, holding: source.core, writing: target.core) { pause in
      // Made when its turn comes: many may wait.
      guard let here = OwnLink(program, source.lua), let there = OwnLink(program, target.lua) else { return hasRoom = false }
      defer { withExtendedLifetime((here, there)) {} }
      let fits = there.link.copy(from: from, at: index, here.link, to: to, limits: limits, streams: streams, pause: pause)
      if fits { return }
      from.setTop(fromTop)
      to.setTop(toTop)
      failure = explain(pause)
    } ended: { isOutOfMemory in ended(failure, isOutOfMemory || !hasRoom) }
  }
}
