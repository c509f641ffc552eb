// Measures Chainrun beside the floors and peers that the documentation names; scripts/bench builds and starts it.
//   bench [NAME…]     prints one JSON object a line; fails when a limit is missed; `copy` names all that begin with `copy-`
//   bench --once      each once, briefly, nothing judged and without peers in Python

import Foundation

let benchmarks = [
  call, fanOut, fanOutPython, swiftFunction, primitive, asyncFunction, copyString, copyList, json, start, thousand,
  limits, modelsEngine, modelsOverhead, modelsBatching, modelsNeighbours, modelsSearch,
]

var names: [String] = []
var once = false
for argument in CommandLine.arguments.dropFirst() {
  if argument == "--once" { once = true } else { names.append(argument) }
}
if names.first == "--load", names.count == 2 {
  await printGrowth(loading: names[1])
  exit(0)
}
if names == ["--hoard"] {
  await printPeakOfHoarders()
  exit(0)
}
func isMeant(_ benchmark: Benchmark, by name: String) -> Bool { benchmark.name == name || benchmark.name.hasPrefix(name + "-") }
if let unknown = names.first(where: { name in !benchmarks.contains { isMeant($0, by: name) } }) {
  Output.error("bench: there is no '\(unknown)'; there are: \(benchmarks.map(\.name).joined(separator: ", "))")
  exit(2)
}

let bench = Bench(once: once)
for benchmark in benchmarks where names.isEmpty || names.contains(where: { isMeant(benchmark, by: $0) }) {
  if once && benchmark.needsPython { continue }
  do {
    try await benchmark.run(bench)
  } catch {
    Output.error("bench: \(benchmark.name): \(error)")
    exit(1)
  }
}
if !bench.missed.isEmpty {
  Output.error("bench: limits missed: \(bench.missed.joined(separator: ", "))")
  exit(1)
}
