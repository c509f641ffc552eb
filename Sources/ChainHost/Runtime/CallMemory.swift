#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The memory of one lane's calls. A call's address stays readable as long as the lane lives, since timers, queues and
/// answers on their way may still point to it; but pages that a crowd of calls has left go back to the system.
///
/// Calls lie together in slabs. Each by itself among other blocks, they would keep a page apiece from going back.
struct CallMemory: ~Copyable {
  private struct Slab {
    let calls: CallRef
    /// How many have been made since the slab was last empty; behind them nothing has been written.
    var made = 0
    var taken = 0
    var blank: CallRef?

    var isFull: Bool { taken == CallMemory.slabCount }
  }

  private static let slabBytes = 64 * 1024
  private static let slabCount = slabBytes / MemoryLayout<Call>.stride
  /// Where pages are larger than that, empty slabs keep theirs.
  private static let page = 4096
  /// Empty slabs that keep their pages, for load that comes and goes.
  private static let mostSpare = 4

  private var slabs: [Slab] = []
  /// The numbers of those that have room.
  private var open: [Int] = []
  /// Empty ones that have kept their pages.
  private var spare = 0

  var inUse: Int { slabs.reduce(0) { $0 + $1.taken } }
  /// In bytes: of the slabs that keep their pages, and of all.
  var size: (kept: Int, reserved: Int) {
    (slabs.count { $0.made > 0 } * CallMemory.slabBytes, slabs.count * CallMemory.slabBytes)
  }

  /// A blank call.
  mutating func take(_ core: UnsafeMutablePointer<StateCore>, _ request: Unmanaged<Request>) -> CallRef {
    if open.isEmpty { addSlab() }
    let number = open[open.count - 1]
    if slabs[number].taken == 0, slabs[number].made > 0 { spare -= 1 }
    let call: CallRef
    if let blank = slabs[number].blank {
      slabs[number].blank = blank.pointee.nextFree
      call = blank
    } else {
      call = slabs[number].calls + slabs[number].made
      slabs[number].made += 1
    }
    slabs[number].taken += 1
    if slabs[number].isFull { open.removeLast() }
    call.initialize(to: Call(core: core, request: request, slab: Int32(truncatingIfNeeded: number)))
    return call
  }

  /// Takes back a call that nothing runs. Whoever still points to it finds neither its ticket nor its serial.
  mutating func give(_ call: CallRef) {
    let number = Int(call.pointee.slab)
    call.pointee.phase = .idle
    call.pointee.ticket = 0
    call.pointee.serial = 0
    call.pointee.nextFree = slabs[number].blank
    slabs[number].blank = call
    if slabs[number].isFull { open.append(number) }
    slabs[number].taken -= 1
    if slabs[number].taken == 0 { emptied(number) }
  }

  /// Each call that has been made, blank ones too.
  var all: [CallRef] { slabs.flatMap { slab in (0..<slab.made).map { slab.calls + $0 } } }

  private mutating func addSlab() {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: CallMemory.slabBytes, alignment: CallMemory.page)
    open.append(slabs.count)
    slabs.append(Slab(calls: memory.bindMemory(to: Call.self, capacity: CallMemory.slabCount)))
  }

  /// Pages that have gone back read as zeros, and so as idle calls with a ticket that no wait ever has.
  private mutating func emptied(_ number: Int) {
    guard spare == CallMemory.mostSpare else { return spare += 1 }
    slabs[number].made = 0
    slabs[number].blank = nil
    madvise(slabs[number].calls, CallMemory.slabBytes, MADV_DONTNEED)
  }

  deinit {
    for slab in slabs { UnsafeMutableRawPointer(slab.calls).deallocate() }
  }
}
