/// Which large crossing goes on: a few at once, one of each request, in turns; the others wait in order.
///
/// Few, since what has crossed so far takes memory, and each has a thread.
struct CrossingLines {
  private static let most = 8

  private var waiting: [LargeCrossing] = []
  /// How many of those are not wanted any more: they are swept out when they are half of all, as thousands may end at once.
  private var unwanted = 0
  private var begun: [LargeCrossing] = []
  private static let few = 64

  var isEmpty: Bool { count == 0 }
  var count: Int { waiting.count - unwanted + begun.count }

  mutating func add(_ crossing: LargeCrossing) { waiting.append(crossing) }

  mutating func remove(_ crossing: LargeCrossing) {
    guard !crossing.hasBegun else { return begun.removeAll { $0 === crossing } }
    crossing.isUnwanted = true
    unwanted += 1
    guard waiting.count <= CrossingLines.few || unwanted * 2 >= waiting.count else { return }
    waiting.removeAll(where: \.isUnwanted)
    unwanted = 0
  }

  /// Who waits to read a value of the state.
  func nextReader(of core: UnsafeMutablePointer<StateCore>) -> CallRef? {
    waiting.first { $0.holds == core && !$0.isUnwanted }?.call
  }

  /// The one whose turn it is; nil when each waits for a state that a run holds.
  mutating func next() -> LargeCrossing? {
    while begun.count < CrossingLines.most, let position = waiting.firstIndex(where: canBegin) {
      let crossing = waiting.remove(at: position)
      crossing.holds?.pointee.holder = crossing.call
      crossing.hasBegun = true
      begun.append(crossing)
    }
    guard !begun.isEmpty else { return nil }
    let crossing = begun.removeFirst()
    begun.append(crossing)
    return crossing
  }

  private func canBegin(_ crossing: LargeCrossing) -> Bool {
    guard !crossing.isUnwanted else { return false }
    let request = crossing.call.pointee.request.toOpaque()
    guard !begun.contains(where: { $0.call.pointee.request.toOpaque() == request }) else { return false }
    guard let holder = crossing.holds?.pointee.holder else { return true }
    return holder == crossing.call
  }
}
