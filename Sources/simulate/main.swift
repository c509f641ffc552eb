import ChainTesting

// Replays seeds of the property tests: `simulate SEED [PROPERTY]`, `simulate FIRST-LAST [PROPERTY]`.

let arguments = CommandLine.arguments.dropFirst()
let seeds = arguments.first.flatMap(SeedRange.init)
let wanted = arguments.dropFirst().first
let properties = Simulation.properties.filter { wanted == nil || $0.name == wanted }

guard let seeds, !properties.isEmpty, arguments.count <= 2 else {
  print("usage: simulate SEED|FIRST-LAST [PROPERTY]\nproperties:")
  for property in Simulation.properties { print("  \(property.name): \(property.sentence)") }
  exitProcess(2)
}
let isReplay = seeds.first == seeds.last
var failures = 0
for property in properties {
  let began = ContinuousClock.now
  for seed in seeds.first...seeds.last {
    if isReplay { print(property.story(of: seed)) }
    do throws(PropertyViolation) { try property.check(seed: seed) } catch {
      failures += 1
      print(error)
    }
  }
  print("\(property.name): seeds \(seeds.first)-\(seeds.last) in \(ContinuousClock.now - began)")
}
exitProcess(failures == 0 ? 0 : 1)
