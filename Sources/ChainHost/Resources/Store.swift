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

  private struct Item {
    var value: ChainValue
    var bytes: Int
    /// Monotonic nanoseconds.
    var expires: UInt64
    /// Neighbours by use: towards the newest, towards the oldest.
    var newer: String?
    var older: String?
  }

  /// Those who want a value that somebody makes.
  private struct Making {
    var leader: UInt64
    var waiting: [(id: UInt64, answer: OnceAnswer<FetchOutcome>)] = []
  }

  private struct State {
    var items: [String: Item] = [:]
    var newest: String?
    var oldest: String?
    var bytes = 0
    var making: [String: Making] = [:]
    var nextID: UInt64 = 1
  }

  let options: Options
  private let environment: any Environment
  private let state = Monitor(State())

  init(_ options: Options, environment: any Environment) {
    self.options = options
    self.environment = environment
  }

  var bytes: Int { state.withLock { $0.bytes } }
  var count: Int { state.withLock { $0.items.count } }

  func close() {
    state.withLock { state in
      state.items = [:]
      state.bytes = 0
      (state.newest, state.oldest) = (nil, nil)
    }
  }

  // MARK: Values

  func get(_ key: String) -> ChainValue? {
    let now = environment.now()
    return state.withLock { Store.get(key, now, &$0) }
  }

  /// - Throws: when the value alone is larger than the store.
  func set(_ key: String, _ value: ChainValue, ttl: UInt64? = nil) throws(Failure) {
    let (item, now) = try newItem(key, value, ttl)
    state.withLock { put(key, item, now, &$0) }
  }

  /// Sets the value unless there is one; whether it did.
  func add(_ key: String, _ value: ChainValue, ttl: UInt64? = nil) throws(Failure) -> Bool {
    let (item, now) = try newItem(key, value, ttl)
    return state.withLock { state in
      guard Store.get(key, now, &state) == nil else { return false }
      put(key, item, now, &state)
      return true
    }
  }

  /// Adds to a number, which begins at 0, and gives the sum. Its time to live stays, if it has one.
  func increment(_ key: String, by step: ChainValue, ttl: UInt64? = nil) throws(Failure) -> ChainValue {
    let now = environment.now()
    let ttl = ttl ?? options.ttl
    let sum: ChainValue? = state.withLock { state in
      guard let sum = Store.sum(Store.get(key, now, &state) ?? .integer(0), step) else { return nil }
      let expires = state.items[key]?.expires ?? ttl.map { moment($0, after: now) } ?? .max
      put(key, Item(value: sum, bytes: Store.size(key, sum), expires: expires), now, &state)
      return sum
    }
    guard let sum else {
      throw Failure(code: Failure.Code.failed, message: "incr: the value of '\(key)' is no number, or the sum is too large for an integer")
    }
    return sum
  }

  /// Whether there was one.
  func delete(_ key: String) -> Bool {
    let now = environment.now()
    return state.withLock { state in
      let was = Store.get(key, now, &state) != nil
      Store.remove(key, &state)
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

  private static func size(_ key: String, _ value: ChainValue) -> Int { key.utf8.count + 64 + PlainValue.size(of: value) }

  private func newItem(_ key: String, _ value: ChainValue, _ ttl: UInt64?) throws(Failure) -> (Item, now: UInt64) {
    let now = environment.now()
    let bytes = Store.size(key, value)
    guard bytes <= options.maxBytes else {
      throw Failure(
        code: Failure.Code.failed,
        message: "the value of '\(key)' takes \(bytes) bytes, and the whole store holds \(options.maxBytes) (max_bytes)")
    }
    return (Item(value: value, bytes: bytes, expires: (ttl ?? options.ttl).map { moment($0, after: now) } ?? .max), now)
  }

  // MARK: By use

  private static func get(_ key: String, _ now: UInt64, _ state: inout State) -> ChainValue? {
    guard let item = state.items[key] else { return nil }
    guard item.expires > now else {
      remove(key, &state)
      return nil
    }
    unlink(key, &state)
    link(key, &state)
    return item.value
  }

  private func put(_ key: String, _ item: Item, _ now: UInt64, _ state: inout State) {
    Store.remove(key, &state)
    state.items[key] = item
    state.bytes += item.bytes
    Store.link(key, &state)
    while state.items.count > options.maxItems || state.bytes > options.maxBytes, let oldest = state.oldest, oldest != key {
      Store.remove(oldest, &state)
    }
  }

  private static func remove(_ key: String, _ state: inout State) {
    guard let item = state.items[key] else { return }
    unlink(key, &state)
    state.bytes -= item.bytes
    state.items[key] = nil
  }

  private static func link(_ key: String, _ state: inout State) {
    state.items[key]?.older = state.newest
    state.items[key]?.newer = nil
    if let newest = state.newest { state.items[newest]?.newer = key }
    state.newest = key
    if state.oldest == nil { state.oldest = key }
  }

  private static func unlink(_ key: String, _ state: inout State) {
    guard let item = state.items[key] else { return }
    if let newer = item.newer { state.items[newer]?.older = item.older } else { state.newest = item.older }
    if let older = item.older { state.items[older]?.newer = item.newer } else { state.oldest = item.newer }
  }

  // MARK: Making a value once

  /// What `fetch` is told.
  enum FetchOutcome: Sendable {
    case value(ChainValue)
    /// Make it, and say so by `FetchTurn.finish`.
    case lead(FetchTurn)
  }

  /// The value of a key, or the turn to make it. Waits while somebody else makes it.
  func fetch(_ key: String) async throws -> FetchOutcome {
    let now = environment.now()
    let answer = OnceAnswer<FetchOutcome>()
    let (id, known) = state.withLock { state -> (UInt64, FetchOutcome?) in
      let id = state.nextID
      state.nextID += 1
      if let value = Store.get(key, now, &state) { return (id, .value(value)) }
      guard state.making[key] != nil else {
        state.making[key] = Making(leader: id)
        return (id, .lead(FetchTurn(self, key: key, id: id)))
      }
      state.making[key]?.waiting.append((id, answer))
      return (id, nil)
    }
    if let known { return known }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { answer.wait($0) }
    } onCancel: {
      state.withLock { $0.making[key]?.waiting.removeAll { $0.id == id } }
      answer.give(.failure(CancellationError()))
    }
  }

  fileprivate func finish(_ key: String, _ result: Result<ChainValue, Failure>, ttl: UInt64?) throws(Failure) {
    var item: (Item, now: UInt64)?
    var tooLarge: Failure?
    if case .success(let value) = result, value != .null {
      do throws(Failure) { item = try newItem(key, value, ttl) } catch { tooLarge = error }
    }
    let waiting = state.withLock { state in
      if let (item, now) = item { put(key, item, now, &state) }
      return state.making.removeValue(forKey: key)?.waiting ?? []
    }
    for (_, answer) in waiting {
      switch result {
      case .success(let value): answer.give(.success(.value(value)))
      case .failure(let failure): answer.give(.failure(failure))
      }
    }
    if let tooLarge { throw tooLarge }
  }

  /// The leader has gone without a value: the next who waits leads.
  fileprivate func handOn(_ key: String, _ leader: UInt64) {
    let next = state.withLock { state -> (answer: OnceAnswer<FetchOutcome>, turn: FetchTurn)? in
      guard var making = state.making[key], making.leader == leader else { return nil }
      guard !making.waiting.isEmpty else {
        state.making[key] = nil
        return nil
      }
      let (id, answer) = making.waiting.removeFirst()
      making.leader = id
      state.making[key] = making
      return (answer, FetchTurn(self, key: key, id: id))
    }
    // If that one has gone as well its turn is dropped here, and so handed on again.
    if let next { next.answer.give(.success(.lead(next.turn))) }
  }
}

/// The turn to make a value that is missing. Dropped without `finish`, it goes to the next who waits. Any thread.
final class FetchTurn: Sendable {
  let key: String
  fileprivate let id: UInt64
  private let store: Store
  private let isDone = Monitor(false)

  fileprivate init(_ store: Store, key: String, id: UInt64) {
    self.store = store
    self.key = key
    self.id = id
  }

  deinit { handOn() }

  private func takeEnd() -> Bool {
    isDone.withLock { isDone in
      defer { isDone = true }
      return !isDone
    }
  }

  /// The value, or why there is none: all who wait get it.
  func finish(_ result: Result<ChainValue, Failure>, ttl: UInt64?) throws(Failure) {
    if takeEnd() { try store.finish(key, result, ttl: ttl) }
  }

  func handOn() { if takeEnd() { store.handOn(key, id) } }
}
