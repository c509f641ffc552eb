import ChainTesting
import Testing

/// The properties of the runtime, on worlds that seeds draw. A failure prints its seed; `scripts/simulate SEED PROPERTY`
/// shows it again.
@Suite("Properties, on the simulated environment", .serialized)
struct PropertyTests {
  #if DEBUG
  /// Debug builds are slow: a sample.
  static func seeds(_ property: Simulation.Property) -> UInt64 { max(2, property.seeds / 25) }
  #else
  static func seeds(_ property: Simulation.Property) -> UInt64 { property.seeds }
  #endif

  @Test("holds for every seed", arguments: Simulation.properties.map(\.name))
  func holds(name: String) throws {
    let property = try #require(Simulation.property(name))
    for seed in 1...PropertyTests.seeds(property) { try property.check(seed: seed) }
  }

  @Test("a seed replays exactly", arguments: [1, 2, 3] as [UInt64])
  func replays(seed: UInt64) throws {
    let property = try #require(Simulation.property("outcomes"))
    #expect(try property.digest(seed: seed) == property.digest(seed: seed))
  }
}
