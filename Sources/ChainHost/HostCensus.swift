/// What tests ask a host at rest.
extension ChainHost {
  /// What each lane holds. Any thread; before `shutdown`.
  package func census() async -> [LaneCensus] {
    var all: [LaneCensus] = []
    for lane in lanes {
      all.append(await withCheckedContinuation { continuation in
        lane.post { lane.asLane { continuation.resume(returning: lane.census()) } }
      })
    }
    return all
  }

  /// Any thread, at rest, before `shutdown`.
  package func memoryWithoutPools() async -> Int {
    var bytes = 0
    for lane in lanes {
      bytes += await withCheckedContinuation { continuation in
        lane.post { lane.asLane { continuation.resume(returning: lane.memoryWithoutPools()) } }
      }
    }
    return bytes
  }
}
