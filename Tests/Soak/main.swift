// Random hostile and honest scripts at once for some minutes: `soak MINUTES [SEED]`.
// Fails on a wrong end, a wrong answer, anything left behind at rest, no progress, or memory that grows.

import ChainTesting
import Foundation

let words = CommandLine.arguments.dropFirst()
guard let minutes = words.first.flatMap(Double.init), minutes > 0, words.count <= 2 else {
  note("usage: soak MINUTES [SEED]")
  exit(2)
}
let seed = words.dropFirst().first.flatMap { UInt64($0) } ?? UInt64.random(in: 0...999_999)
note("soak: \(minutes) minutes, seed \(seed)")

let attacksPerRound = 40
let mostGrowth = 0.02
let soak = Soak()
let began = ContinuousClock.now
let end = began + .seconds(minutes * 60)
watchProgress(of: soak)

var generator = SeededGenerator(seed: seed)
let honest = try await soak.start()
var memory: [Double] = []
repeat {
  await soak.round(of: attacksPerRound, honest, seed: generator.next())
  await soak.rest()
  memory.append(residentMegabytes())
  let tally = soak.tally.withLock { $0 }
  note("soak: \((ContinuousClock.now - began).components.seconds) s: \(tally.attacks) attacks, \(tally.honest) honest requests, \(memory.last ?? 0) MB")
} while ContinuousClock.now < end && soak.tally.withLock { $0.problems.isEmpty }
await soak.end(honest)

let problems = soak.tally.withLock { $0.problems }
for problem in problems.prefix(20) { note("soak: \(problem)") }
// The first quarter warms up: pools fill, and each lane has once held what it holds at most.
let growth = Growth(of: memory.dropFirst(memory.count / 4))
note("soak: memory after warm-up \(growth)")
if growth.ratio > mostGrowth { note("soak: that is more than \(Int(mostGrowth * 100)) %") }
exit(problems.isEmpty && growth.ratio <= mostGrowth ? 0 : 1)
