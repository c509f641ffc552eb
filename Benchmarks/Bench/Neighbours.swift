import ChainHost

/// How long an honest request waits on a lane where others spin, allocate or backtrack, in long runs or in many short
/// ones, or while they are ended: p99.
func neighbours(_ bench: Bench) async throws {
  let bodies = [
    ("spin", Attackers.spin), ("allocate", Attackers.allocate), ("backtrack", Attackers.backtrack), ("burst", Attackers.burst),
    ("unwind", Attackers.unwind),
  ]
  for (name, body) in bodies {
    for count in [1, 3, 10] {
      try await withChain(Attackers.graph(body, count: count, limits: "cpu = 1000")) { chain in
        // One slice of 10 ms, and 5 ms.
        try await bench.measure("limits-neighbours-\(name)-\(count)", unit: "ms", limit: 15, rounds: 1) {
          try await slowest(of: bench.times(200), while: count, attack: chain)
        }
      }
    }
  }
}

/// Milliseconds of honest requests while the attackers run: p99.
private func slowest(of requests: Int, while attackers: Int, attack chain: Chain) async throws -> Double {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for number in 1...attackers {
      group.addTask { _ = try? await chain.run(["attack": true], .init(entry: "a\(number)")) } // ended by being cancelled
    }
    try await Task.sleep(for: .milliseconds(50))
    // Requests come at any moment of a slice.
    let waited = try await slowest(of: requests, on: chain) { .microseconds(500 + $0 * 613 % 7000) }
    group.cancelAll()
    try await group.waitForAll()
    return waited / 1e6
  }
}

/// Nanoseconds of requests to the entrypoint `honest`, one after the other with a pause between two: p99.
func slowest(of requests: Int, on chain: Chain, pause: (Int) -> Duration) async throws -> Double {
  var spent: [Double] = []
  for n in 0..<requests {
    spent.append(
      try await nanoseconds {
        let answer = try await chain.run(["n": .integer(Int64(n))], .init(entry: "honest"))
        guard answer == .integer(Int64(n) + 1) else { throw BenchFailure("\(answer)") }
      })
    try await Task.sleep(for: pause(n))
  }
  return spent.sorted()[min(spent.count - 1, spent.count * 99 / 100)]
}
