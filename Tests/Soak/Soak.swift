import ChainBase
import ChainHost
import ChainLoop
import ChainTesting
import HostileScripts

/// Rounds of random attacks, several at once and each beside honest requests; between two rounds everything rests and the
/// memory is looked at.
final class Soak: Sendable {
  struct Tally: Sendable {
    var attacks = 0
    var honest = 0
    /// Of an honest request.
    var longestWait = Duration.zero
    var problems: [String] = []
  }

  let tally = Monitor(Tally())
  private let host = ChainHost(lanes: 2)
  private static let attackers = 3
  private static let clients = 4
  /// A lane that stands still for 10 s is lost.
  private static let longestWait = Duration.seconds(5)
  /// Seconds after which an attack is worth a line.
  private static let slow = 10

  /// One round of so many random attacks.
  func round(of attacks: Int, _ honest: HonestChain, seed: UInt64) async {
    var generator = SeededGenerator(seed: seed)
    await round(of: (0..<attacks).compactMap { _ in Attack.all.randomElement(using: &generator) }, honest, seed: generator.next())
  }

  /// All attacks, each in a crowd: afterwards each lane, and each library that is opened at first use, holds what it holds at
  /// most.
  func warmUp(_ honest: HonestChain, seed: UInt64) async { await round(of: Attack.all, honest, seed: seed, crowd: Soak.attackers) }

  private func round(of attacks: [Attack], _ honest: HonestChain, seed: UInt64, crowd: Int? = nil) async {
    var generator = SeededGenerator(seed: seed)
    let queue = Monitor(attacks[...])
    let seeds = (0..<Soak.attackers + Soak.clients).map { _ in generator.next() }
    let working = Monitor(Soak.attackers)
    await withTaskGroup(of: Void.self) { group in
      for (index, seed) in seeds.enumerated() {
        group.addTask { [self] in
          var generator = SeededGenerator(seed: seed)
          if index < Soak.attackers {
            while let attack = queue.withLock({ $0.popFirst() }) { await run(attack, crowd, &generator) }
            working.withLock { $0 -= 1 }
          } else {
            while working.withLock({ $0 > 0 }) {
              let begun = ContinuousClock.now
              var problem = await honest.ask(&generator)
              let waited = ContinuousClock.now - begun
              if waited > Soak.longestWait { problem = problem ?? "took \(waited)" }
              count(problem.map { "an honest request: \($0)" }) {
                $0.honest += 1
                $0.longestWait = max($0.longestWait, waited)
              }
            }
          }
        }
      }
    }
  }

  func start() async throws -> HonestChain { try await HonestChain(on: host) }

  func end(_ honest: HonestChain) async {
    await honest.close()
    await host.shutdown()
  }

  /// What is allocated, in megabytes, at rest. Pages of calls that have gone back are not.
  func megabytesInUse() async -> Double {
    Double((ProcessMemory.bytesInUse - (await host.memoryOfCalls().reserved)) / 1000) / 1000
  }

  /// Nothing is left behind while nobody asks; garbage that waits for a collection is no growth.
  func rest() async {
    _ = await host.memoryWithoutPools()
    for (lane, census) in await host.census().enumerated() where !census.isAtRest {
      count("lane \(lane) is not at rest: \(census)") { _ in }
    }
  }

  /// Loads the attack's graph; one attack, or a crowd of them that shares the state and its limits; then the attacker must
  /// serve again.
  private func run(_ attack: Attack, _ wanted: Int?, _ generator: inout SeededGenerator) async {
    let crowd = wanted ?? (Bool.random(using: &generator) ? 1 : Int.random(in: 2...3, using: &generator))
    do throws(Failure) {
      let chain = try await host.load(files: ["graph.lua": attack.graph])
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<crowd {
          group.addTask { [self] in
            let began = ContinuousClock.now
            judge(await attack.run(on: chain), of: attack, crowd)
            let seconds = (ContinuousClock.now - began).components.seconds
            if seconds >= Soak.slow { note("soak: \(attack.name) (\(crowd) at once) took \(seconds) s") }
          }
        }
      }
      let after = try await chain.run(["attack": false], .init(entry: "attacker"))
      count(after == "ALIVE" ? nil : "\(attack.name): afterwards it answered \(after)") { _ in }
      await chain.close()
    } catch where error.code == Failure.Code.invalidGraph {
      judge(.failure(error), of: attack, 1)
    } catch { count("\(attack.name): afterwards: \(error)") { _ in } }
  }

  private func judge(_ end: Result<String, Failure>, of attack: Attack, _ crowd: Int) {
    var problem = attack.problem(of: end)
    // Runs that share a state share its memory and its kills.
    if crowd > 1, case .failure(let failure) = end, Attack.limitCodes.contains(failure.code) || failure.code == Failure.Code.stateLost {
      problem = nil
    }
    count(problem.map { "\(attack.name) (\(crowd) at once): \($0)" }) { $0.attacks += 1 }
  }

  private func count(_ problem: String?, _ change: (inout Tally) -> Void) {
    tally.withLock { tally in
      change(&tally)
      if let problem { tally.problems.append(problem) }
    }
  }
}
