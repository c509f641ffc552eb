import ChainBase
import ChainLoop
import LuaBridge

/// The resources of a host: each opened at most once, shared by lanes and generations, counted by leases, and freed when
/// nothing has used it for a while, or when memory is short, least recently used first. Any thread.
///
/// A resource is loading → ready → idle → unloading. A request takes an idle one back, and waits out an unload.
package final class ResourceRegistry: Sendable {
  package struct Settings: Sendable {
    /// Nanoseconds for which an unused resource stays loaded.
    package var grace: UInt64 = 30_000_000_000
    /// Bytes that resources may hold before unused ones are freed at once.
    package var budget = Int.max
    /// Loads at the same time; more wait.
    package var loadsAtOnce = 2
  }

  package typealias Completion = @Sendable (Result<ResourceLease, Failure>) -> Void

  /// What is asked for, before it is known whether it is there.
  package struct Order: Sendable {
    package var kind: ResourceKind
    package var options: ChainValue
    package var context: ResourceContext
    /// What a message about it begins with: `graph.lua:6: Hello.uses.encoder`.
    package var place: String
  }

  private struct Entry {
    var order: Order
    var phase = ResourcePhase.loading
    var resource: (any Resource)?
    var leases = 0
    /// Who waits for the load, or for the load after the unload.
    var waiting: [Completion] = []
    var idleSince: UInt64 = 0
  }

  private struct State {
    var entries: [ResourceKey: Entry] = [:]
    var settings = Settings()
    var totals = ResourceTotals()
    var loading = 0
    /// Loads that wait for their turn.
    var queue: [ResourceKey] = []
    /// When unused ones are looked at next.
    var lookAt: UInt64?
    var isStopping = false
    var whenQuiet: [@Sendable () -> Void] = []

    var bytes: Int { entries.values.reduce(0) { $0 + ($1.resource?.bytes ?? 0) } }
    /// Nothing is being loaded or unloaded.
    var isQuiet: Bool { entries.values.allSatisfy { $0.phase == .ready || $0.phase == .idle } }
  }

  private let environment: any Environment
  private let timers: HostTimers
  private let state = Monitor(State())

  package init(environment: any Environment, timers: HostTimers) {
    self.environment = environment
    self.timers = timers
  }

  package var settings: Settings {
    get { state.withLock { $0.settings } }
    set { state.withLock { $0.settings = newValue } }
  }

  package var totals: ResourceTotals { state.withLock { $0.totals } }

  package var list: [ResourceInfo] {
    state.withLock { state in
      state.entries.map { key, entry in
        ResourceInfo(
          key: key, label: entry.order.kind.title(entry.order.options), phase: entry.phase, leases: entry.leases,
          bytes: entry.resource?.bytes ?? 0)
      }
    }.sorted { ($0.label, $0.key.digest.description) < ($1.label, $1.key.digest.description) }
  }

  // MARK: Asking

  /// Gives a lease when the resource is ready, on any thread. What is asked for is identified on a thread of its own.
  package func lease(_ order: Order, _ done: @escaping Completion) {
    environment.runOnThread { [self] in
      do throws(Failure) {
        let digest = try order.kind.identify(order.options, order.context)
        lease(ResourceKey(kind: order.kind.id, digest: digest), order, done)
      } catch { done(.failure(order.failure(error))) }
    }
  }

  private enum Step {
    case give(ResourceLease)
    case refuse
    case load
    case wait
  }

  private func lease(_ key: ResourceKey, _ order: Order, _ done: @escaping Completion) {
    let step = state.withLock { state -> Step in
      guard !state.isStopping else { return .refuse }
      guard var entry = state.entries[key] else {
        var entry = Entry(order: order)
        entry.waiting = [done]
        state.entries[key] = entry
        state.queue.append(key)
        return .load
      }
      switch entry.phase {
      case .loading, .unloading:
        entry.waiting.append(done)
        state.entries[key] = entry
        return .wait
      case .ready, .idle:
        guard let resource = entry.resource else { return .refuse }
        entry.phase = .ready
        entry.leases += 1
        state.entries[key] = entry
        return .give(newLease(resource, key, entry.order.kind))
      }
    }
    switch step {
    case .give(let lease): done(.success(lease))
    case .refuse: done(.failure(ResourceRegistry.stopping))
    case .load: startLoads()
    case .wait: break
    }
  }

  private func newLease(_ resource: any Resource, _ key: ResourceKey, _ kind: ResourceKind) -> ResourceLease {
    // Not weakly: work that goes on after the host's end gives its lease back late, and the resource is to be closed then.
    ResourceLease(resource, key: key, kind: kind) { [self] in release(key) }
  }

  static let stopping = Failure(code: Failure.Code.cancelled, message: "the host is stopping")

  // MARK: Loading

  private func startLoads() {
    let starting = state.withLock { state -> [(ResourceKey, Order)] in
      var starting: [(ResourceKey, Order)] = []
      while state.loading < max(1, state.settings.loadsAtOnce), !state.queue.isEmpty {
        let key = state.queue.removeFirst()
        guard let entry = state.entries[key] else { continue }
        state.loading += 1
        starting.append((key, entry.order))
      }
      return starting
    }
    for (key, order) in starting {
      environment.runOnThread { [self] in
        do {
          loaded(key, try order.kind.open(order.options, order.context))
        } catch { failed(key, order.failure(error)) }
      }
    }
  }

  private func loaded(_ key: ResourceKey, _ resource: any Resource) {
    let now = environment.now()
    let given = state.withLock { state -> [(Completion, ResourceLease)] in
      state.loading -= 1
      state.totals.loads += 1
      guard var entry = state.entries[key] else { return [] }
      let waiting = entry.waiting
      entry.waiting = []
      entry.resource = resource
      entry.leases = waiting.count
      entry.phase = waiting.isEmpty ? .idle : .ready
      entry.idleSince = now
      state.entries[key] = entry
      return waiting.map { ($0, newLease(resource, key, entry.order.kind)) }
    }
    for (done, lease) in given { done(.success(lease)) }
    startLoads()
    freeUnused()
    becameQuiet()
  }

  private func failed(_ key: ResourceKey, _ failure: Failure) {
    let waiting = state.withLock { state in
      state.loading -= 1
      state.totals.failedLoads += 1
      return state.entries.removeValue(forKey: key)?.waiting ?? []
    }
    for done in waiting { done(.failure(failure)) }
    startLoads()
    becameQuiet()
  }

  // MARK: Giving back

  private func release(_ key: ResourceKey) {
    let now = environment.now()
    state.withLock { state in
      guard var entry = state.entries[key] else { return }
      entry.leases -= 1
      if entry.leases == 0, entry.phase == .ready {
        entry.phase = .idle
        entry.idleSince = now
      }
      state.entries[key] = entry
    }
    freeUnused()
    lookLater()
  }

  /// Unused ones are looked at again when the first grace period is over: one timer for all of them.
  private func lookLater() {
    let time = state.withLock { state -> UInt64? in
      let idle = state.entries.values.filter { $0.phase == .idle }.map(\.idleSince).min()
      guard !state.isStopping, let time = idle.map({ $0 &+ state.settings.grace }), time < state.lookAt ?? .max else { return nil }
      state.lookAt = time
      return time
    }
    guard let time else { return }
    timers.at(time) { [weak self] in
      guard let self else { return }
      state.withLock { if $0.lookAt == time { $0.lookAt = nil } }
      freeUnused()
      lookLater()
    }
  }

  /// Unloads what nobody has used for the grace period, or, past the budget, what was used least recently.
  private func freeUnused() {
    let now = environment.now()
    let freed = state.withLock { state -> [(ResourceKey, any Resource)] in
      var bytes = state.bytes
      var freed: [(ResourceKey, any Resource)] = []
      let idle = state.entries.filter { $0.value.phase == .idle }.sorted {
        ($0.value.idleSince, $0.key.digest.description) < ($1.value.idleSince, $1.key.digest.description)
      }
      for (key, entry) in idle {
        guard let resource = entry.resource else { continue }
        let isOld = now >= entry.idleSince &+ state.settings.grace
        guard state.isStopping || isOld || bytes > state.settings.budget else { continue }
        bytes -= resource.bytes
        state.entries[key]?.phase = .unloading
        state.entries[key]?.resource = nil
        freed.append((key, resource))
      }
      return freed
    }
    for (key, resource) in freed {
      environment.runOnThread { [self] in
        resource.close()
        unloaded(key)
      }
    }
  }

  private func unloaded(_ key: ResourceKey) {
    let mustLoad = state.withLock { state -> Bool in
      state.totals.unloads += 1
      guard let entry = state.entries[key] else { return false }
      guard !entry.waiting.isEmpty else {
        state.entries[key] = nil
        return false
      }
      state.entries[key]?.phase = .loading
      state.queue.append(key)
      return true
    }
    if mustLoad { startLoads() }
    becameQuiet()
  }

  // MARK: Stopping

  /// Refuses what is asked for from now on, frees what nothing uses, and ends when nothing is being loaded or freed. What
  /// is still in use is freed with its last lease.
  package func stop() async {
    state.withLock { $0.isStopping = true }
    freeUnused()
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      state.withLock { $0.whenQuiet.append { continuation.resume() } }
      becameQuiet()
    }
  }

  private func becameQuiet() {
    let told = state.withLock { state -> [@Sendable () -> Void] in
      guard state.isQuiet else { return [] }
      defer { state.whenQuiet = [] }
      return state.whenQuiet
    }
    for tell in told { tell() }
  }
}

extension ResourceRegistry.Order {
  /// A load's failure as one of the graph, at the place that asked for it.
  fileprivate func failure(_ error: any Error) -> Failure {
    let reason = (error as? Failure)?.message ?? (error as? LuaError)?.message ?? String(describing: error)
    return Failure(
      code: Failure.Code.invalidGraph, message: "\(place): \(kind.title(options)) cannot be loaded: \(reason)",
      cause: (error as? Failure)?.code)
  }
}
