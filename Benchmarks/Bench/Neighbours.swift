import ChainHost

/// How long an honest request waits on a lane where others spin, allocate or backtrack: p99.
func neighbours(_ bench: Bench) async throws {
  for (name, body) in [("spin", Attackers.spin), ("allocate", Attackers.allocate), ("backtrack", Attackers.backtrack)] {
    for count in [1, 3, 10] {
      try await withChain(Attackers.graph(body, count: count, limits: "cpu = 1000")) { chain in
        // One slice of 10 ms, and 5 ms.
        try await bench.measure("limits-neighbours-\(name)-\(count)", unit: "ms", limit: 15, rounds: 1) {
          try await percentile(99, of: bench.times(200), while: count, attack: chain)
        }
      }
    }
  }
}

/// Milliseconds of one of `requests` honest requests, one after the other while the attackers run.
private func percentile(_ percent: Int, of requests: Int, while attackers: Int, attack chain: Chain) async throws -> Double {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for number in 1...attackers {
      group.addTask { _ = try? await chain.run(["attack": true], .init(entry: "a\(number)")) } // ended by being cancelled
    }
    try await Task.sleep(for: .milliseconds(50))
    var spent: [Double] = []
    for n in 0..<requests {
      spent.append(
        try await nanoseconds {
          let answer = try await chain.run(["n": .integer(Int64(n))], .init(entry: "honest"))
          guard answer == .integer(Int64(n) + 1) else { throw BenchFailure("\(answer)") }
        } / 1e6)
      // Requests come at any moment of a slice.
      try await Task.sleep(for: .microseconds(500 + n * 613 % 7000))
    }
    group.cancelAll()
    try await group.waitForAll()
    return spent.sorted()[min(spent.count - 1, spent.count * percent / 100)]
  }
}
