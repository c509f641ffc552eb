import ChainBase
import CLuaGuard
import LuaBridge

/// The calls of a chainlet with `batch = { max_size, max_delay }` in one state: they keep their slots, deadlines and
/// callers, and `run_batch` runs them together, by the same rules as a model's batches.
///
/// A call that waits for its batch is queued with its input on its own stack, so that it can leave at any moment.
final class Batching {
  /// Its number in timers.
  let key: UInt64
  var queue: BatchQueue<Waiter>
  /// Of a batch that failed: they run one by one.
  var singles: [Waiter] = []
  /// The run of `run_batch`, and whose inputs it has.
  var running: CallRef?
  var items: [Waiter] = []
  var outcomes: [Outcome] = []
  /// The limit that put the state out of service.
  var reached: Failure?

  enum Outcome {
    /// On the stack of the item.
    case returned
    case failed(Failure)
  }

  init(_ batch: ChainletDeclaration.Batch, key: UInt64) {
    self.key = key
    queue = BatchQueue(maxSize: batch.maxSize, maxDelay: nanoseconds(batch.maxDelay))
  }
}

extension Lane {
  /// A call of such a chainlet has its slot and its input.
  func addToBatch(_ call: CallRef) {
    guard let batching = call.state.batching else { return }
    call.pointee.phase = .queued
    batchings[batching.key] = batching
    take(batching.queue.add(Waiter(call, ticket: stamp()), at: now), batching, call.state)
  }

  func batchTimeCame(_ key: UInt64) {
    guard let batching = batchings[key] else { return }
    batching.queue.remove { !$0.isQueued }
    let state = batching.queue.waiting.first?.call.state
    let step = batching.queue.timeCame(at: now)
    if let state { take(step, batching, state) }
  }

  private func take(_ step: BatchQueue<Waiter>.Step, _ batching: Batching, _ state: ChainletState) {
    switch step {
    case .nothing: break
    case .wait(let time):
      timers.add(at: time, .batch, nil, stamp: batching.key)
      armTimer()
    case .run(let items): run(items.filter(\.isQueued), batching, state)
    }
  }

  private func run(_ items: [Waiter], _ batching: Batching, _ state: ChainletState) {
    guard !items.isEmpty else { return next(batching, state) }
    batching.items = items
    batching.outcomes = []
    // As long as the most patient of them has.
    let deadline = items.map(\.call.pointee.run.deadline).max() ?? .max
    batching.running = runHook(state, time: deadline == .max ? .max : deadline &- min(now, deadline)) { stack in
      stack.push(kept: state.live.runBatch)
      state.pushSelf(onto: stack)
      stack.pushTable(array: Int32(clamping: items.count))
      for (position, item) in items.enumerated() {
        let own = item.call.stack
        own.push(copyOf: -1) // it stays for another attempt
        own.move(1, to: stack)
        stack.rawSet(-2, at: Int64(position + 1))
      }
      return 2
    } returned: { [unowned self] stack, results in
      batching.outcomes = outcomes(stack, results, items, state)
    } ended: { [unowned self] failure in
      batching.running = nil
      ended(batching, items, failure, state)
    }
  }

  /// Moves what `run_batch` returned to the stacks of its items.
  private func outcomes(_ stack: LuaStack, _ results: Int32, _ items: [Waiter], _ state: ChainletState) -> [Batching.Outcome] {
    let index = stack.top - results + 1
    func refused(_ message: String) -> [Batching.Outcome] {
      let failure = Failure(code: Failure.Code.badOutput, message: "\(state.name).run_batch: \(message)", chainlet: state.name)
      return items.map { _ in .failed(failure) }
    }
    guard results > 0, stack.type(at: index) == .table, stack.ensure(8) else {
      return refused("expected a list of \(items.count) outputs, got \(results > 0 ? stack.describe(at: index) : "nothing")")
    }
    let count = stack.rawLength(at: index)
    guard count == items.count || state.program.declaration.output == nil else {
      return refused("expected \(items.count) outputs, one for each request, got \(count)")
    }
    let memory = state.core.pointee.lua
    memory.pointee.memory.host += 1
    defer { memory.pointee.memory.host -= 1 }
    return items.enumerated().map { position, item in
      stack.rawGet(index, at: Int64(position + 1))
      if state.failures.isFailure(stack, at: -1) {
        defer { stack.pop() }
        return .failed(state.failures.read(stack, at: -1, report: nil))
      }
      guard item.isQueued, item.call.stack.ensure(4) else {
        stack.pop()
        return .returned
      }
      stack.move(1, to: item.call.stack)
      return .returned
    }
  }

  /// `run_batch` has ended: each item gets what is its own. When several failed together each is run alone.
  private func ended(_ batching: Batching, _ items: [Waiter], _ failure: Failure?, _ state: ChainletState) {
    batching.items = []
    let outcomes = batching.outcomes
    batching.outcomes = []
    if let failure {
      let left = items.filter(\.isQueued)
      if left.count > 1, !state.isRetired {
        batching.singles += left
      } else {
        for item in left where item.isQueued { complete(item.call, failure: failure, results: 0) }
      }
    } else {
      for (item, outcome) in zip(items, outcomes) where item.isQueued {
        switch outcome {
        case .failed(let failure): complete(item.call, failure: failure, results: 0)
        case .returned:
          item.call.pointee.phase = .running
          complete(item.call, failure: nil, results: 1)
        }
      }
    }
    next(batching, state)
  }

  private func next(_ batching: Batching, _ state: ChainletState) {
    batching.singles.removeAll { !$0.isQueued }
    if !batching.singles.isEmpty { return run([batching.singles.removeFirst()], batching, state) }
    batching.queue.remove { !$0.isQueued }
    take(batching.queue.ended(at: now), batching, state)
  }

  /// An item has gone; a run that nobody waits for any more is ended.
  func itemLeft(_ batching: Batching) {
    guard let running = batching.running, !batching.items.isEmpty, !batching.items.contains(where: \.isQueued) else { return }
    cancel(running, Ending(code: Failure.Code.cancelled, message: "nobody waits for the batch any more"))
  }

  /// Of a call whose input is there when its state serves no more: no batch of it begins there. It may be tried again.
  func batchLoss(of call: CallRef) -> Failure? {
    call.state.isRetired ? call.state.batching.map { Lane.lostBatch(of: call.state, to: $0.reached) } : nil
  }

  private static func lostBatch(of state: ChainletState, to reached: Failure?) -> Failure {
    Failure(
      code: Failure.Code.stateLost,
      message: "\(state.name) was lost to a limit while a batch of it ran or waited\(reached.map { ": \($0.message)" } ?? "")",
      details: reached?.details ?? .null, chainlet: state.name)
  }

  /// A limit has put the state out of service: what waits in it cannot run there. It may be tried again.
  func stateWasLost(_ batching: Batching, _ state: ChainletState, to reached: Failure) {
    let waiting = batching.singles + batching.queue.waiting + (batching.items.count > 1 ? batching.items : [])
    batching.singles = []
    batching.queue.remove { _ in true }
    batching.reached = reached
    for item in waiting where item.isQueued {
      complete(item.call, failure: Lane.lostBatch(of: state, to: reached), results: 0)
    }
  }
}
