import ChainBase
import ChainLoop

/// The answer of a streaming entrypoint, item by item; the chain waits while the reader is slow.
///
/// Read it once. Dropping the iterator, or cancelling the task, cancels the request.
public final class ChainStream: AsyncSequence, Sendable {
  public typealias Element = ChainOutput
  public typealias Failure = ChainBase.Failure

  private let reader: StreamReader

  init(host: ChainHost, generation: Generation, entry: Int, input: ChainInput, form: OutputForm, options: Chain.RequestOptions) throws(Failure) {
    let opening = RequestOpening(
      id: host.requestID(), generation: generation.number, entry: entry, input: input, form: form, options: options)
    reader = StreamReader(lane: try host.lane(), opening: opening)
  }

  public struct AsyncIterator: AsyncIteratorProtocol {
    let reader: StreamReader
    public mutating func next() async throws(ChainBase.Failure) -> ChainOutput? { try await reader.next() }
    public mutating func next(isolation actor: isolated (any Actor)?) async throws(ChainBase.Failure) -> ChainOutput? {
      try await reader.next()
    }
  }

  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(reader: reader) }

  /// The next item, or nil after the last.
  package func next() async throws(ChainBase.Failure) -> ChainOutput? { try await reader.next() }

  /// What the chainlet returned after its items; reads the items that are left first.
  public func result() async throws(ChainBase.Failure) -> ChainOutput {
    while try await reader.next() != nil {}
    return reader.result
  }

  /// All items as one list: what `run` gives of a stream.
  func collect() async throws(ChainBase.Failure) -> ChainOutput {
    var values: [ChainValue] = []
    var json: [UInt8] = [UInt8(ascii: "[")]
    var isJSON = false
    while let item = try await reader.next() {
      switch item {
      case .value(let value): values.append(value)
      case .json(let bytes):
        if json.count > 1 { json.append(UInt8(ascii: ",")) }
        json += bytes
        isJSON = true
      }
    }
    json.append(UInt8(ascii: "]"))
    return reader.form == .json || isJSON ? .json(json) : .value(.list(values))
  }
}

/// Opens the request at the first `next` and takes one event at a time.
final class StreamReader: Sendable {
  private let lane: Lane
  private let opening: RequestOpening
  private let state = Monitor(State())
  var form: OutputForm { opening.form }

  private struct State {
    var isOpen = false
    var isOver = false
    /// Its place among those who wait for answers of the lane.
    var promise: UInt64?
    /// What it ended with while nobody waited: the next reader gets it.
    var failure: Failure?
    var result = ChainOutput.value(.null)
    var waiting: CheckedContinuation<Result<ChainOutput?, Failure>, Never>?
  }

  init(lane: Lane, opening: RequestOpening) {
    self.lane = lane
    self.opening = opening
  }

  deinit {
    let (lane, id) = (lane, opening.id)
    if let promise = state.withLock({ $0.promise }) { lane.promises.remove(promise) }
    if state.withLock({ $0.isOpen && !$0.isOver }) { lane.post { lane.asLane { lane.cancelRequest(id) } } }
  }

  var result: ChainOutput { state.withLock { $0.result } }

  func next() async throws(Failure) -> ChainOutput? {
    let (lane, id) = (lane, opening.id)
    let outcome: Result<ChainOutput?, Failure> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ended: Result<ChainOutput?, Failure>? = state.withLock { state in
          if let failure = state.failure.take() { return .failure(failure) }
          if state.isOver { return .success(nil) }
          state.waiting = continuation
          return nil
        }
        if let ended { return continuation.resume(returning: ended) }
        pull()
        // A cancellation that came before the request was opened has found nothing to cancel.
        if Task.isCancelled { lane.post { lane.asLane { lane.cancelRequest(id) } } }
      }
    } onCancel: {
      lane.post { lane.asLane { lane.cancelRequest(id) } }
    }
    return try outcome.get()
  }

  private func pull() {
    let (lane, opening) = (lane, opening)
    let isFirst = state.withLock { state in
      defer { state.isOpen = true }
      return !state.isOpen
    }
    let dropped = IfDropped { [weak self] in self?.take(.failed(.hostStops)) }
    if isFirst {
      let key = lane.promises.add { [weak self] in self?.take(.failed($0.failure(for: opening.id))) }
      state.withLock { $0.promise = key }
    }
    lane.post { [weak self] in
      dropped.arrived()
      lane.asLane {
        if isFirst {
          lane.open(opening, onEvent: { [weak self] in self?.take($0) }) { [weak self] result in
            if case .failure(let failure) = result { self?.take(.failed(failure)) }
          }
        }
        if !lane.pullStream(of: opening.id) { self?.take(.failed(.hostStops)) }
      }
    }
  }

  private func take(_ event: StreamChannel.Event) {
    let (waiting, outcome): (CheckedContinuation<Result<ChainOutput?, Failure>, Never>?, Result<ChainOutput?, Failure>) =
      state.withLock { state in
        guard !state.isOver else { return (nil, .success(nil)) }
        defer { state.waiting = nil }
        switch event {
        case .item(let output): return (state.waiting, .success(output))
        case .finished(let output):
          state.result = output
          state.isOver = true
          return (state.waiting, .success(nil))
        case .failed(let failure):
          state.isOver = true
          if state.waiting == nil { state.failure = failure }
          return (state.waiting, .failure(failure))
        }
      }
    if case .item = event {} else if let promise = state.withLock({ $0.promise.take() }) { lane.promises.remove(promise) }
    waiting?.resume(returning: outcome)
  }
}
