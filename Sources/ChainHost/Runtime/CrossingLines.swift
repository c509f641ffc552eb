/// Which large crossing goes on: a few at once, one of each request, in turns; the others wait in order.
///
/// Few, since what has crossed so far takes memory, and each has a thread.
struct CrossingLines {
  private static let most = 8

  private var waiting: [LargeCrossing] = []
  private var begun: [LargeCrossing] = []

  var isEmpty: Bool { waiting.isEmpty && begun.isEmpty }
  var count: Int { waiting.count + begun.count }
  var all: [LargeCrossing] { begun + waiting }

  mutating func add(_ crossing: LargeCrossing) { waiting.append(crossing) }

  mutating func remove(_ crossing: LargeCrossing) {
    waiting.removeAll { $0 === crossing }
    begun.removeAll { $0 === crossing }
  }

  /// Who waits to read a value of the state.
  func nextReader(of core: UnsafeMutablePointer<StateCore>) -> CallRef? { waiting.first { $0.holds == core }?.call }

  /// The one whose turn it is; nil when each waits for a state that a run holds.
  mutating func next() -> LargeCrossing? {
    while begun.count < CrossingLines.most, let position = waiting.firstIndex(where: canBegin) {
      let crossing = waiting.remove(at: position)
      crossing.holds?.pointee.holder = crossing.call
      begun.append(crossing)
    }
    guard !begun.isEmpty else { return nil }
    let crossing = begun.removeFirst()
    begun.append(crossing)
    return crossing
  }

  private func canBegin(_ crossing: LargeCrossing) -> Bool {
    let request = crossing.call.pointee.request.toOpaque()
    guard !begun.contains(where: { $0.call.pointee.request.toOpaque() == request }) else { return false }
    guard let holder = crossing.holds?.pointee.holder else { return true }
    return holder == crossing.call
  }
}
