import ChainHost
import Foundation

/// What the limits promise, and what they cost.
let limits = Benchmark("limits") { bench in
  try await overshoot(bench)
  try await neighbours(bench)
  try await plainLua(bench)
  try await laneEvents(bench)
}

/// How far over its limit a run gets before it is ended, in time and in memory, and how soon its chainlet serves again.
private func overshoot(_ bench: Bench) async throws {
  let bodies = [
    ("spin", Attackers.spin), ("allocate", Attackers.allocate), ("backtrack", Attackers.backtrack), ("sort", Attackers.sort),
  ]
  for (name, body) in bodies {
    for (limit, code) in [("time", "timeout"), ("cpu", "cpu_limit")] {
      try await withChain(Attackers.graph(body, limits: "\(limit) = 0.1")) { chain in
        try await bench.measure("limits-overshoot-\(limit)-\(name)", unit: "ms", limit: 100, rounds: 1) {
          // The worst of them: a limit is a promise.
          var worst = 0.0
          for _ in 0..<bench.times(5) {
            let spent = try await nanoseconds { try await Attackers.attack(chain, endsBy: code) }
            worst = max(worst, spent / 1e6 - 100)
          }
          return worst
        }
      }
    }
  }
  try await withChain(Attackers.graph(Attackers.fill, limits: #"memory = "16MB""#)) { chain in
    try await bench.measure("limits-rebuild", unit: "ms", limit: 5) {
      try await Attackers.attack(chain, endsBy: "memory_limit")
      return try await nanoseconds { _ = try await chain.run(["attack": false], .init(entry: "a1")) } / 1e6
    }
  }
  let program = URL(fileURLWithPath: CommandLine.arguments[0])
  try await bench.measure("limits-memory", unit: "ratio", limit: 1.25, rounds: 1) {
    guard let line = try output(of: program, ["--hoard"]).first, let ratio = Double(line) else { throw BenchFailure("no figure") }
    return ratio
  }
}

/// In a process of its own: ten chainlets fill their 16 MB at once. Prints what the most resident memory rose by, against
/// the sum of their limits.
func printPeakOfHoarders() async {
  let count = 10
  let host = ChainHost()
  do {
    let chain = try await host.load(files: ["graph.lua": Attackers.graph(Attackers.hoard, count: count, limits: #"memory = "16MB""#)])
    let before = memoryFigure("VmRSS")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 1...count { group.addTask { try await Attackers.attack(chain, number: number, endsBy: "memory_limit") } }
      try await group.waitForAll()
    }
    Output.line(String((memoryFigure("VmHWM") - before) / Double(count * 16)))
    await host.shutdown()
  } catch {
    Output.error("bench: \(error)")
    exit(1)
  }
}

/// Megabytes, as the kernel says them of this process.
private func memoryFigure(_ name: String) -> Double {
  let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
  let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
  return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0) / 1024
}
