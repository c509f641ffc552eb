import ChainBase
import ChainHost
import ChainLoop
import Foundation
import HostileScripts
import Testing

extension Attack: CustomTestStringConvertible {
  public var testDescription: String { name }
}

@Suite("Hostile scripts", .serialized)
struct HostileTests {
  @Test("enough of them are found") func count() { #expect(Attack.all.count >= 60) }

  @Test("ends as it must, while and after which others are served", .timeLimit(.minutes(2)), arguments: Attack.all)
  func ends(attack: Attack) async throws {
    do { try await serve(attack) } catch let failure as Failure where failure.code == Failure.Code.invalidGraph {
      check(.failure(failure), attack) // it is refused before it runs
    }
  }

  private func serve(_ attack: Attack) async throws {
    try await withChain(attack.graph) { chain in
      let finished = Monitor(false)
      async let served = serve(chain, until: finished)
      let ending = await attack.run(on: chain)
      finished.withLock { $0 = true }
      let (count, longest, problem) = await served
      #expect(problem == nil, "an honest request failed")
      #expect(count > 0)
      #expect(longest < HostileTests.longestWait, "an honest request waited for \(longest)")
      check(ending, attack)
      let after = try await chain.run(["attack": false], .init(entry: "attacker"))
      #expect(after == "ALIVE", "the attacker's chainlet serves its next request")
      #expect(try await chain.run(["n": 1234], .init(entry: "honest")) == 10)
    }
  }

  /// Many slices, for a busy machine; a lane that stands still is lost after 10 s.
  private static let longestWait = Duration.seconds(3)

  /// Honest requests, one after the other, at least one; how many, the longest, and the first that failed.
  private func serve(_ chain: Chain, until finished: Monitor<Bool>) async -> (Int, Duration, Failure?) {
    var count = 0
    var longest = Duration.zero
    repeat {
      let begun = ContinuousClock.now
      do throws(Failure) {
        guard try await chain.run(["n": 1234], .init(entry: "honest")) == 10 else {
          return (count, longest, Failure(code: "wrong", message: "another result"))
        }
        count += 1
      } catch { return (count, longest, error) }
      longest = max(longest, ContinuousClock.now - begun)
      try? await Task.sleep(for: .milliseconds(2))
    } while !finished.withLock { $0 }
    return (count, longest, nil)
  }

  private func check(_ end: Result<String, Failure>, _ attack: Attack) {
    if let problem = attack.problem(of: end) { Issue.record("\(problem)") }
  }
}
