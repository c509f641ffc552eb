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
  /// Nanoseconds that its runs took since it last waited for its turn.
  var debt: UInt64 = 0
  /// Runs of it have taken more than their share.
  var wasSlow = false

  /// What a request may take before others come first.
  static let share: UInt64 = 1_000_000

  init(of owner: Request) { self.owner = .passUnretained(owner) }
}

/// Whose turn it is. Requests take turns, and within a request its runs.
///
/// A request that has taken more than its share stands in the slow line, of which one run goes on in each turn of the
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

  @inline(__always) mutating func add(_ call: CallRef) {
    let line = call.pointee.request._withUnsafeGuaranteedRef { $0.line }
    assert(call.pointee.nextReady == nil && line.pointee.last != call, "a run stands in line twice")
    if let last = line.pointee.last { last.pointee.nextReady = call } else { line.pointee.first = call }
    line.pointee.last = call
    count &+= 1
    if !line.pointee.isListed { list(line) }
  }

  /// The request that waits longest goes on.
  @inline(__always) mutating func takeFast() -> UnsafeMutablePointer<RunLine>? { fast.removeFirst() }

  /// The one of those in debt; it has paid by waiting.
  mutating func takeSlow() -> UnsafeMutablePointer<RunLine>? {
    guard let line = slow.removeFirst() else { return nil }
    line.pointee.debt = 0
    return line
  }

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
  @inline(__always) mutating func putBack(_ line: UnsafeMutablePointer<RunLine>) {
    line.pointee.isListed = false
    if line.pointee.first != nil { list(line) }
  }

  @inline(__always) private mutating func list(_ line: UnsafeMutablePointer<RunLine>) {
    line.pointee.isListed = true
    if line.pointee.debt > RunLine.share { slow.append(line) } else { fast.append(line) }
  }
}
