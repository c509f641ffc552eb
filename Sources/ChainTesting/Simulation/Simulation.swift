import ChainBase
import ChainHost
import ChainLoop

/// What holds for every graph, client, fault and schedule that a seed can make: the properties of the runtime, each
/// checked on a world of its own in the simulated environment.
public enum Simulation {
  /// One property.
  public struct Property: Sendable {
    /// What the command line calls it.
    public let name: String
    /// Its number in the design's list.
    public let number: Int
    public let sentence: String
    /// The most seeds of the ordinary run in release mode; few for the properties whose worlds are large.
    public let seeds: UInt64
    let draw: @Sendable (inout SeededGenerator, Scale) -> World
    let body: @Sendable (Stage) async throws -> Void

    /// Makes the world of the seed and lets it run; looks for a smaller one of the same seed if it fails.
    /// - Throws: what was seen, and how to see it again.
    public func check(seed: UInt64) throws(PropertyViolation) {
      guard let problem = problem(seed: seed, Scale()) else { return }
      for scale in Scale.smaller {
        if let smaller = self.problem(seed: seed, scale) {
          throw PropertyViolation(property: name, seed: seed, message: "\(smaller)\n\(world(seed, scale))")
        }
      }
      throw PropertyViolation(property: name, seed: seed, message: "\(problem)\n\(world(seed, Scale()))")
    }

    /// The graph and the clients that the seed makes.
    public func story(of seed: UInt64) -> String { "\(name), seed \(seed)\n\(world(seed, Scale()))" }

    private func world(_ seed: UInt64, _ scale: Scale) -> World {
      var chance = SeededGenerator(seed: SeededGenerator.mix(seed) ^ UInt64(number))
      return draw(&chance, scale)
    }

    /// A number that two runs share only if the same events happened in both.
    public func digest(seed: UInt64) throws(PropertyViolation) -> UInt64 {
      var digest: UInt64 = 0
      if let problem = problem(seed: seed, Scale(), digest: &digest) {
        throw PropertyViolation(property: name, seed: seed, message: problem)
      }
      return digest
    }

    private func problem(seed: UInt64, _ scale: Scale) -> String? {
      var digest: UInt64 = 0
      return problem(seed: seed, scale, digest: &digest)
    }

    private func problem(seed: UInt64, _ scale: Scale, digest: inout UInt64) -> String? {
      CrashNote.begin("\nthe process ended in property \(name), seed \(seed): scripts/simulate \(seed) \(name)\n")
      defer { CrashNote.end() }
      let world = world(seed, scale)
      let environment = SimulatedEnvironment(
        seed: seed, faults: world.faults, instructionsPerSlice: world.instructionsPerSlice)
      let stage = Stage(environment, world)
      do {
        let body = body
        try environment.run(limit: world.eventLimit) {
          try await stage.open()
          try await body(stage)
          try await stage.close()
        }
        digest = environment.digest
        return stage.violations.first
      } catch {
        environment.abandon()
        return stage.violations.first ?? "\(error)"
      }
    }
  }

  public static func property(_ name: String) -> Property? { properties.first { $0.name == name } }
}

/// Upper bounds on a world, so that a failing one can be made smaller.
struct Scale: Sendable {
  var clients = Int.max
  var steps = Int.max

  static let smaller = [(1, 3), (1, 8), (2, 3), (2, 8), (4, 4), (3, 16), (6, 8)].map { Scale(clients: $0, steps: $1) }
}

/// A property that did not hold.
public struct PropertyViolation: Error, CustomStringConvertible {
  public let property: String
  public let seed: UInt64
  public let message: String
  public var description: String {
    "property \(property) failed with seed \(seed); scripts/simulate \(seed) \(property) replays it\n\(message)"
  }
}

/// One seed, or a range `FIRST-LAST`.
public struct SeedRange: Sendable {
  public let first: UInt64
  public let last: UInt64
  public init?(_ text: String) {
    let parts = text.split(separator: "-", maxSplits: 1).map { UInt64($0) }
    guard let first = parts.first ?? nil, let last = parts.last ?? nil, first <= last else { return nil }
    self.first = first
    self.last = last
  }
}
