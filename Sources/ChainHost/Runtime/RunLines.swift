import CLuaGuard

/// The ready runs of one request, in the order in which they became so, and its place among the requests of its lane.
///
/// Like a call it lives outside of reference counting; only the lane's thread touches it.
struct RunLine {
  fileprivate var first: CallRef?
  fileprivate var last: CallRef?
  fileprivate var next: UnsafeMutablePointer<RunLine>?
  fileprivate var isListed = false
  let owner: Unmanaged<Request>
  /// What it begins with is that of the last request of its entrypoint: it will be like it.
  var debt = RunDebt()
  /// What it has added itself.
  var ownDebt = RunDebt()

  init(of owner: Request) { self.owner = .passUnretained(owner) }
}

/// The time that a request has taken of its lane, in nanoseconds. It is forgiven slowly: a request that was heavy stays in
/// the slow line for some time, however short the runs are that it mixes in.
struct RunDebt {
  private var time: UInt64 = 0
  private var since: UInt64 = 0

  /// What a request may take before others come first.
  static let share: UInt64 = 1_000_000
  private static let most: UInt64 = 64_000_000
  /// A nanosecond is forgiven in so many, as a power of two.
  private static let forgiven: UInt64 = 4

  @inline(__always) mutating func add(_ spent: UInt64, at now: UInt64) {
    let pardon = (now &- since) &>> RunDebt.forgiven
    time = min(RunDebt.most, (time > pardon ? time &- pardon : 0) &+ spent)
    since = now
  }

  @inline(__always) func isTooMuch(at now: UInt64, with spent: UInt64 = 0) -> Bool {
    time &+ spent > RunDebt.share &+ (now &- since) &>> RunDebt.forgiven
  }
}

/// Whose turn it is. Requests take turns, and within a request its runs.
///
/// A request that has lately taken more than its share stands in the slow line, of which one goes on in each turn of the
/// lane: so its neighbours wait for one slice, however many runs it has and however long they are, and it for its like.
struct RunLines {
  private(set) var fast = Line()
  private(set) var slow = Line()
  /// Runs in both.
  private(set) var count = 0

  /// A queue of requests.
  struct Line {
    fileprivate var first: UnsafeMutablePointer<RunLine>?
    fileprivate var last: UnsafeMutablePointer<RunLine>?
    @inline(__always) var isEmpty: Bool { first == nil }

    @inline(__always) fileprivate mutating func append(_ line: UnsafeMutablePointer<RunLine>) {
      line.pointee.next = nil
      if let last { last.pointee.next = line } else { first = line }
      last = line
    }

    @inline(__always) fileprivate mutating func removeFirst() -> UnsafeMutablePointer<RunLine>? {
      guard let line = first else { return nil }
      first = line.pointee.next
      if first == nil { last = nil }
      return line
    }
  }

  @inline(__always) mutating func add(_ call: CallRef, at now: UInt64) {
    let line = call.pointee.request._withUnsafeGuaranteedRef { $0.line }
    assert(call.pointee.nextReady == nil && line.pointee.last != call, "a run stands in line twice")
    if let last = line.pointee.last { last.pointee.nextReady = call } else { line.pointee.first = call }
    line.pointee.last = call
    count &+= 1
    if !line.pointee.isListed { list(line, at: now) }
  }

  /// The request that waits longest goes on.
  @inline(__always) mutating func takeFast() -> UnsafeMutablePointer<RunLine>? { fast.removeFirst() }

  /// Of those in debt the one that waits longest.
  mutating func takeSlow() -> UnsafeMutablePointer<RunLine>? { slow.removeFirst() }

  /// The next run of a request that was taken out.
  @inline(__always) mutating func next(of line: UnsafeMutablePointer<RunLine>) -> CallRef? {
    guard let call = line.pointee.first else { return nil }
    line.pointee.first = call.pointee.nextReady
    call.pointee.nextReady = nil
    if line.pointee.first == nil { line.pointee.last = nil }
    count &-= 1
    return call
  }

  /// A request's turn is over; it stands in line again if it has runs left.
  @inline(__always) mutating func putBack(_ line: UnsafeMutablePointer<RunLine>, at now: UInt64) {
    line.pointee.isListed = false
    if line.pointee.first != nil { list(line, at: now) }
  }

  @inline(__always) private mutating func list(_ line: UnsafeMutablePointer<RunLine>, at now: UInt64) {
    line.pointee.isListed = true
    if line.pointee.debt.isTooMuch(at: now) { slow.append(line) } else { fast.append(line) }
  }
}
