// Random hostile and honest scripts at once for some minutes: `soak MINUTES [SEED]`.
// Fails on a wrong end, a wrong answer, anything left behind at rest, no progress, or memory that grows.
// Loads and releases of graphs that share a model: `soak models [ROUNDS]`.

import ChainLoop
import ChainTesting
import Foundation

ProcessMemory.returnLargeBlocks() // as chainrun does
let words = CommandLine.arguments.dropFirst()
if words.first == "models", words.count <= 2, let rounds = words.dropFirst().first.map({ Int($0) }) ?? 10_000, rounds >= 100 {
  do { exit(try await loadsOfOneModel(rounds: rounds) ? 0 : 1) } catch {
    note("soak: \(error)")
    exit(1)
  }
}
guard let minutes = words.first.flatMap(Double.init), minutes > 0, words.count <= 2 else {
  note("usage: soak MINUTES [SEED], soak models [ROUNDS, 100 or more]")
  exit(2)
}
let seed = words.dropFirst().first.flatMap { UInt64($0) } ?? UInt64.random(in: 0...999_999)
note("soak: \(minutes) minutes, seed \(seed)")

let attacksPerRound = 40
let soak = Soak()
let began = ContinuousClock.now
let end = began + .seconds(minutes * 60)
watchProgress(of: soak)

var generator = SeededGenerator(seed: seed)
let honest = try await soak.start()
var memory: [Double] = []
var inUse: [Double] = []
await soak.warmUp(honest, seed: generator.next())
repeat {
  await soak.round(of: attacksPerRound, honest, seed: generator.next())
  await soak.rest()
  memory.append(residentMegabytes())
  inUse.append(await soak.megabytesInUse())
  let tally = soak.tally.withLock { $0 }
  note("soak: \((ContinuousClock.now - began).components.seconds) s: \(tally.attacks) attacks, \(tally.honest) honest requests of at most \(tally.longestWait / .milliseconds(1)) ms, \(memory.last ?? 0) MB, \(inUse.last ?? 0) MB in use")
} while ContinuousClock.now < end && soak.tally.withLock { $0.problems.isEmpty }
await soak.end(honest)

let problems = soak.tally.withLock { $0.problems }
for problem in problems.prefix(20) { note("soak: \(problem)") }
// The first half warms up: pools fill, and each lane has once held what it holds at most.
var isFlat = true
for (what, figures, most) in [("in use", inUse, Growth.most), ("resident", memory, Growth.mostResident(minutes: minutes))] {
  let growth = Growth(of: figures.dropFirst(figures.count / 2))
  note("soak: memory \(what) after warm-up \(growth)")
  if growth.ratio <= most { continue }
  note("soak: that is more than \(Int((most * 100).rounded())) %")
  isFlat = false
}
exit(problems.isEmpty && isFlat ? 0 : 1)
