import ChainBase
import ChainHost
import ChainLoop
import Testing

/// Batches of many callers on the real threads for engines.
@Suite("Batches on threads for engines")
struct BatcherTests {
  private static let environment = RealEnvironment()

  @Test("full batches run side by side, one item that fails fails alone, and each gets its own", .enabled(if: environment.jobsAtOnce > 1), .timeLimit(.minutes(1)))
  func beside() async throws {
    let timers = HostTimers(environment: Self.environment)
    defer { timers.stop() }
    // The first two runs wait for each other.
    let begun = Monitor(0)
    let batcher = Batcher<Int, Int>(environment: Self.environment, timers: timers, maxSize: 4, maxDelay: 1_000_000, atOnce: 2) { items, _ in
      begun.withLock { $0 += 1 }
      begun.broadcast()
      _ = begun.wait { $0 >= 2 ? true : nil }
      if items.contains(13) { throw Failure(code: "thirteen", message: "no") }
      return items.map { $0 * 2 }
    }
    let results = await withTaskGroup(of: (Int, Int?).self) { group in
      for item in 0..<40 { group.addTask { (item, try? await batcher.submit(item)) } }
      return await group.reduce(into: [Int: Int?]()) { $0[$1.0] = $1.1 }
    }
    for item in 0..<40 { #expect(results[item] == .some(item == 13 ? nil : item * 2)) }
    #expect(batcher.counts.items == 40 && batcher.counts.largest == 4)
  }

  @Test("a caller that is cancelled leaves; the run is told when nobody wants it any more", .timeLimit(.minutes(1)))
  func left() async throws {
    let timers = HostTimers(environment: Self.environment)
    defer { timers.stop() }
    let begun = Monitor(false)
    let batcher = Batcher<Int, Int>(environment: Self.environment, timers: timers, maxSize: 4, maxDelay: 1_000_000, atOnce: 2) { items, control in
      begun.withLock { $0 = true }
      begun.broadcast()
      while items == [1], !control.isCancelled {}
      return items
    }
    let task = Task { try await batcher.submit(1) }
    while !begun.withLock({ $0 }) { await Task.yield() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await batcher.submit(2) == 2)
  }
}
