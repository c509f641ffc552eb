import ChainBase
import ChainLoop

/// `chain.store`: values by key for all lanes, with bounds and times to live. Any thread.
///
/// `fetch` makes a missing value once: the first who asks leads, the others wait for what it makes. A leader that goes
/// before it has one hands its turn to the next who waits.
final class Store: Resource {
  struct Options: Sendable {
    var maxItems = 10_000
    var maxBytes = 64 << 20
    /// Nanoseconds; nil for ever.
    var ttl: UInt64?
  }

  private struct Asker {
    let run: RunMark
    let answer: OnceAnswer<FetchOutcome>
  }

  /// A value that a run makes, and who waits for it.
  private struct Making {
    let turn: SharedTurn
    var waiting = CancellableQueue<Asker>()
  }

  private struct State {
    var items = StoreItems()
    var making: [StoreKey: Making] = [:]
  }

  let options: Options
  private let environment: any Environment
  private let state = Monitor(State())

  init(_ options: Options, environment: any Environment) {
    self.options = options
    self.environment = environment
  }

  var bytes: Int { state.withLock { $0.items.bytes } }
  var count: Int { state.withLock { $0.items.count } }

  func close() { state.withLock { $0.items = StoreItems() } }

  // MARK: Values

  func get(_ key: StoreKey) -> ChainValue? {
    let now = environment.now()
    return state.withLock { $0.items.use(key, at: now)?.value }
  }

  /// - Throws: when the value alone is larger than the store.
  func set(_ key: StoreKey, _ value: ChainValue, ttl: UInt64? = nil) throws(Failure) {
    let put = try putting(key, value, ttl)
    state.withLock { put(&$0.items) }
  }

  /// Sets the value unless there is one; whether it did.
  func add(_ key: StoreKey, _ value: ChainValue, ttl: UInt64? = nil) throws(Failure) -> Bool {
    let put = try putting(key, value, ttl)
    let now = environment.now()
    return state.withLock { state in
      guard state.items.use(key, at: now) == nil else { return false }
      put(&state.items)
      return true
    }
  }

  /// Adds to a number, which begins at 0, and gives the sum. Its time to live stays, if it has one.
  func increment(_ key: StoreKey, by step: ChainValue, ttl: UInt64? = nil) throws(Failure) -> ChainValue {
    let now = environment.now()
    let fresh = expiry(ttl, now)
    let sum: ChainValue? = state.withLock { state in
      let known = state.items.use(key, at: now)
      guard let sum = Store.sum(known?.value ?? .integer(0), step) else { return nil }
      put(key, sum, bytes: StoreItems.size(key, sum), expires: known?.expires ?? fresh, &state.items)
      return sum
    }
    guard let sum else {
      throw Failure(code: Failure.Code.failed, message: "incr: the value of '\(key)' is no number, or the sum is too large for an integer")
    }
    return sum
  }

  /// Whether there was one.
  func delete(_ key: StoreKey) -> Bool {
    let now = environment.now()
    return state.withLock { state in
      let was = state.items.use(key, at: now) != nil
      state.items.remove(key)
      return was
    }
  }

  private static func sum(_ a: ChainValue, _ b: ChainValue) -> ChainValue? {
    switch (a, b) {
    case (.integer(let a), .integer(let b)):
      let (sum, overflow) = a.addingReportingOverflow(b)
      return overflow ? nil : .integer(sum)
    case (.integer(let a), .number(let b)): return .number(Double(a) + b)
    case (.number(let a), .integer(let b)): return .number(a + Double(b))
    case (.number(let a), .number(let b)): return .number(a + b)
    default: return nil
    }
  }

  private func expiry(_ ttl: UInt64?, _ now: UInt64) -> UInt64 { (ttl ?? options.ttl).map { moment($0, after: now) } ?? .max }

  /// What sets a value: all that takes long is done when the lock is taken.
  private func putting(_ key: StoreKey, _ value: ChainValue, _ ttl: UInt64?) throws(Failure) -> (inout StoreItems) -> Void {
    let bytes = StoreItems.size(key, value)
    guard bytes <= options.maxBytes else {
      throw Failure(
        code: Failure.Code.failed,
        message: "the value of '\(key)' takes \(bytes) bytes, and the whole store holds \(options.maxBytes) (max_bytes)")
    }
    let expires = expiry(ttl, environment.now())
    return { self.put(key, value, bytes: bytes, expires: expires, &$0) }
  }

  private func put(_ key: StoreKey, _ value: ChainValue, bytes: Int, expires: UInt64, _ items: inout StoreItems) {
    items.set(key, value, bytes: bytes, expires: expires)
    items.shrink(toItems: options.maxItems, bytes: options.maxBytes)
  }

  // MARK: Making a value once

  /// What `fetch` comes to.
  enum FetchOutcome: Sendable {
    case value(ChainValue)
    /// Make it, and say so by `FetchTurn.finish`.
    case lead(FetchTurn)
  }

  /// What a run that asks is told at once.
  enum FetchAnswer {
    case outcome(FetchOutcome)
    /// Another run makes it.
    case wait(FetchPlace)
  }

  /// The value of a key, the turn to make it, or a place in the line of those who wait while another run makes it.
  /// - Throws: a `Failure` where the run that asks makes it itself, and would wait for ever.
  func ask(for key: StoreKey, by run: RunMark) throws(Failure) -> FetchAnswer {
    let now = environment.now()
    let answer = state.withLock { state -> FetchAnswer? in
      if let value = state.items.use(key, at: now)?.value { return .outcome(.value(value)) }
      guard let turn = state.making[key]?.turn else {
        let turn = SharedTurn(of: run)
        state.making[key] = Making(turn: turn)
        return .outcome(.lead(FetchTurn(self, key: key, turn, of: run)))
      }
      let answer = OnceAnswer<FetchOutcome>()
      guard turn.holder !== run, let number = state.making[key]?.waiting.append(Asker(run: run, answer: answer)) else { return nil }
      return .wait(FetchPlace(key: key, turn: turn, number: number, answer: answer))
    }
    if let answer { return answer }
    throw Failure(
      code: Failure.Code.deadlock,
      message: "fetch: the function that makes the value of '\(key)' fetches it itself, and would wait for ever")
  }

  /// In the line of those who wait for a value.
  struct FetchPlace: Sendable {
    fileprivate let key: StoreKey
    fileprivate let turn: SharedTurn
    fileprivate let number: UInt64
    fileprivate let answer: OnceAnswer<FetchOutcome>
  }

  func wait(at place: FetchPlace, _ run: RunMark) async throws -> FetchOutcome {
    run.awaited = place.turn
    defer { run.awaited = nil }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { place.answer.wait($0) }
    } onCancel: {
      state.withLock { if $0.making[place.key]?.turn === place.turn { $0.making[place.key]?.waiting.remove(place.number) } }
      place.answer.give(.failure(CancellationError()))
    }
  }

  fileprivate func finish(_ key: StoreKey, _ result: Result<ChainValue, Failure>, ttl: UInt64?) throws(Failure) {
    var put: ((inout StoreItems) -> Void)?
    var tooLarge: Failure?
    if case .success(let value) = result, value != .null {
      do throws(Failure) { put = try putting(key, value, ttl) } catch { tooLarge = error }
    }
    let waiting = state.withLock { state in
      put?(&state.items)
      let making = state.making.removeValue(forKey: key)
      making?.turn.holder = nil
      return making?.waiting.all ?? []
    }
    for asker in waiting {
      switch result {
      case .success(let value): asker.answer.give(.success(.value(value)))
      case .failure(let failure): asker.answer.give(.failure(failure))
      }
    }
    if let tooLarge { throw tooLarge }
  }

  /// The run that makes it has gone without a value: the next who waits makes it.
  fileprivate func handOn(_ key: StoreKey, _ turn: SharedTurn) {
    let next = state.withLock { state -> Asker? in
      guard state.making[key]?.turn === turn else { return nil }
      guard let next = state.making[key]?.waiting.popFirst() else {
        state.making[key] = nil
        return nil
      }
      turn.holder = next.run
      return next
    }
    // If that one has gone as well its turn is dropped here, and so handed on again.
    if let next { next.answer.give(.success(.lead(FetchTurn(self, key: key, turn, of: next.run)))) }
  }
}

/// The turn to make a value that is missing. Dropped without `finish`, or when its run ends, it goes to the next who waits: a
/// script may keep the coroutine in which it makes the value, and never go on with it. Any thread.
final class FetchTurn: Sendable {
  let key: StoreKey
  private let turn: SharedTurn
  private let run: RunMark
  private let store: Store
  /// Its number among the turns of its run; nil when it has ended.
  private let number = Monitor<UInt64?>(nil)

  fileprivate init(_ store: Store, key: StoreKey, _ turn: SharedTurn, of run: RunMark) {
    self.store = store
    self.key = key
    self.turn = turn
    self.run = run
    let given = run.take { [weak self] in self?.handOn() }
    number.withLock { $0 = given }
  }

  deinit { handOn() }

  private func takeEnd() -> Bool {
    guard let taken = number.withLock({ $0.take() }) else { return false }
    run.leave(taken)
    return true
  }

  /// The value, or why there is none: all who wait get it.
  func finish(_ result: Result<ChainValue, Failure>, ttl: UInt64?) throws(Failure) {
    if takeEnd() { try store.finish(key, result, ttl: ttl) }
  }

  func handOn() { if takeEnd() { store.handOn(key, turn) } }
}
