import ChainBase
import ChainLoop

/// Runs items of many callers, chainlets and lanes together; every caller stays single-item. Any thread.
///
/// When a batch of several fails its items run one by one, so that the one that cannot run fails alone.
package final class Batcher<Item: Sendable, Output: Sendable>: Sendable {
  /// Runs a batch on a thread for engines: as many outputs as items.
  package typealias Run = @Sendable ([Item], RunControl) throws -> [Output]

  private struct Entry: Sendable {
    let id: UInt64
    let item: Item
    let answer: OnceAnswer<Output>
  }

  private struct State {
    var queue: BatchQueue<Entry>
    var nextID: UInt64 = 1
    /// By the number of its first item.
    var running: [UInt64: Running] = [:]
    var counts = BatchCounts()
  }

  /// A batch that runs: its items that are still wanted.
  private struct Running {
    var wanted: Set<UInt64>
    let control: RunControl
  }

  private let environment: any Environment
  private let timers: HostTimers
  private let run: Run
  private let state: Monitor<State>

  /// - Parameters:
  ///   - maxSize: items in one run at most.
  ///   - maxDelay: nanoseconds for which items wait for others at most, while nothing runs.
  ///   - atOnce: full batches that may run side by side.
  package init(environment: any Environment, timers: HostTimers, maxSize: Int, maxDelay: UInt64, atOnce: Int = 1, run: @escaping Run) {
    self.environment = environment
    self.timers = timers
    self.run = run
    state = Monitor(State(queue: BatchQueue(maxSize: maxSize, maxDelay: maxDelay, atOnce: atOnce)))
  }

  package var counts: BatchCounts { state.withLock { $0.counts } }

  /// The output for one item. A cancelled task ends at once; its item is taken out, or its result dropped.
  package func submit(_ item: Item) async throws -> Output {
    let answer = OnceAnswer<Output>()
    let id = state.withLock { state in
      defer { state.nextID += 1 }
      return state.nextID
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        answer.wait(continuation)
        let now = environment.now()
        step { $0.queue.add(Entry(id: id, item: item, answer: answer), at: now) }
        if Task.isCancelled { leave(id, answer) } // the handler may have come before the item
      }
    } onCancel: {
      leave(id, answer)
    }
  }

  private func leave(_ id: UInt64, _ answer: OnceAnswer<Output>) {
    answer.give(.failure(CancellationError())) // before the run hears of it, and could answer
    let abandoned = state.withLock { state -> RunControl? in
      state.queue.remove { $0.id == id }
      guard let batch = state.running.first(where: { $0.value.wanted.contains(id) })?.key else { return nil }
      state.running[batch]?.wanted.remove(id)
      guard let left = state.running[batch], left.wanted.isEmpty else { return nil }
      return left.control
    }
    abandoned?.cancel()
  }

  /// Changes the queue, and does what it asks for. A batch is known as running from the moment that it has left the queue,
  /// so that each of its callers can leave at any time.
  private func step(_ change: (inout State) -> BatchQueue<Entry>.Step) {
    let control = RunControl()
    let step = state.withLock { state in
      let step = change(&state)
      if case .run(let batch) = step, let number = batch.first?.id {
        state.running[number] = Running(wanted: Set(batch.map(\.id)), control: control)
        state.counts.items += batch.count
        state.counts.largest = max(state.counts.largest, batch.count)
      }
      return step
    }
    switch step {
    case .nothing: break
    case .wait(let time):
      timers.at(time) { [weak self] in
        guard let self else { return }
        let now = environment.now()
        self.step { $0.queue.timeCame(at: now) }
      }
    case .run(let batch):
      guard let number = batch.first?.id else { return }
      environment.runJob { [self] in
        attempt(batch, number, control)
        let now = environment.now()
        self.step { state in
          state.running[number] = nil
          return state.queue.ended(at: now)
        }
      }
    }
  }

  private func attempt(_ batch: [Entry], _ number: UInt64, _ control: RunControl) {
    do {
      let outputs = try counted(batch.map(\.item), control)
      for (entry, output) in zip(batch, outputs) { entry.answer.give(.success(output)) }
    } catch {
      guard batch.count > 1, !control.isCancelled else {
        for entry in batch { entry.answer.give(.failure(error)) }
        return
      }
      for entry in batch {
        guard state.withLock({ $0.running[number]?.wanted.contains(entry.id) ?? false }) else { continue }
        entry.answer.give(Result {
          guard let output = try counted([entry.item], control).first else { throw Batch.noOutput }
          return output
        })
      }
    }
  }

  private func counted(_ items: [Item], _ control: RunControl) throws -> [Output] {
    state.withLock { $0.counts.runs += 1 }
    let outputs = try run(items, control)
    guard outputs.count == items.count else { throw Batch.noOutput }
    return outputs
  }
}

private enum Batch {
  static let noOutput = Failure(code: Failure.Code.failed, message: "the run gave another number of outputs than it had items")
}

/// What a batcher has done.
public struct BatchCounts: Sendable, Equatable {
  /// Runs of the engine.
  public var runs = 0
  public var items = 0
  /// The most items in one run.
  public var largest = 0

  public init() {}
}
