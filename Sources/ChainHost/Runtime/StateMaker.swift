import ChainBase
import ChainLoop

/// Evaluates the files of chainlets in states of their own: on workers, several at once, so that a lane that serves is not
/// held up by a load, nor by a state that is made again.
enum StateMaker {
  /// States that nobody has used yet, callees before callers.
  ///
  /// Unchecked: each is made by one worker, which keeps nothing of it, and then given to its lane.
  struct Made: @unchecked Sendable {
    var states: [ChainletState] = []
  }

  /// So many chainlets at least are worth a worker of their own.
  private static let leastShare = 16

  /// Calls `done` once, on some worker.
  /// - Parameter chainlets: their positions in the graph.
  /// - Returns: by `done` the states, or the failure of the first chainlet that has one.
  static func make(
    _ chainlets: [Int], of generation: Generation, for lane: Lane, done: @escaping @Sendable (Result<Made, Failure>) -> Void
  ) {
    let shares = stride(from: 0, to: max(1, chainlets.count), by: leastShare).map { chainlets[$0..<min($0 + leastShare, chainlets.count)] }
    let finished = Monitor([Result<Made, Failure>?](repeating: nil, count: shares.count))
    for (position, share) in shares.enumerated() {
      lane.environment.runOnWorker {
        let result = makeShare(share, generation, lane)
        let all = finished.withLock { finished -> [Result<Made, Failure>]? in
          finished[position] = result
          let all = finished.compactMap { $0 }
          return all.count == shares.count ? all : nil
        }
        if let all { done(together(all)) }
      }
    }
  }

  private static func makeShare(_ share: ArraySlice<Int>, _ generation: Generation, _ lane: Lane) -> Result<Made, Failure> {
    var made = Made()
    do throws(Failure) {
      for index in share {
        let state = try ChainletState(lane: lane, program: generation.programs[index], generation: generation)
        state.index = index
        made.states.append(state)
      }
      return .success(made)
    } catch { return .failure(error) }
  }

  private static func together(_ shares: [Result<Made, Failure>]) -> Result<Made, Failure> {
    var all = Made()
    for share in shares {
      switch share {
      case .success(let made): all.states += made.states
      case .failure(let failure): return .failure(failure)
      }
    }
    return .success(all)
  }
}
