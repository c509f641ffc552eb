import ChainBase

/// What a host knows of its resources and primitives, and how long it keeps what is unused.
extension ChainHost {
  /// What is loaded, is being loaded or freed. Any thread.
  public var resources: [ResourceInfo] { registry.list }

  /// Loads and unloads since the host began. Any thread.
  public var resourceTotals: ResourceTotals { registry.totals }

  /// How often each primitive and method of a resource was called, and how long it was waited for. Any thread.
  public var nativeCounts: [NativeCount] { counters.counts }

  /// Seconds for which a resource that nothing uses stays loaded: 30. Any thread.
  public var resourceGrace: Double {
    get { Double(registry.settings.grace) / 1e9 }
    set { registry.settings.grace = nanoseconds(newValue) }
  }

  /// Bytes that resources may hold before unused ones are freed at once, the least recently used first; no bound unless
  /// set. What is in use is never freed. Any thread.
  public var resourceBudget: Int {
    get { registry.settings.budget }
    set { registry.settings.budget = newValue }
  }

  /// Resources that are loaded at the same time: 2; more wait. Any thread.
  public var resourceLoadsAtOnce: Int {
    get { registry.settings.loadsAtOnce }
    set { registry.settings.loadsAtOnce = max(1, newValue) }
  }

  /// Opens what the chainlets of a graph use, all at once; chainlets that are replaced use nothing.
  /// - Returns: by the name of the chainlet, in the order of its `uses`.
  func open(_ graph: Graph, _ options: LoadOptions, folder: String) async throws(Failure) -> [String: [ResourceLease]] {
    var orders: [(chainlet: String, order: ResourceRegistry.Order)] = []
    let stores = StoreBounds(options.limits)
    let kinds = HostKinds.all + options.kinds + options.modules.flatMap(\.kinds)
    for index in graph.live {
      let declaration = graph.chainlets[index]
      guard options.replacements[declaration.name] == nil else { continue }
      for use in declaration.uses {
        guard let kind = kinds.first(where: { $0.name == use.kind })?.chosen(by: use.options) else { continue } // planning has refused it
        let title = kind.title(use.options)
        let progress = options.progress
        let context = ResourceContext(
          folder: folder, environment: environment, timers: timers, progress: { progress("\(title): \($0)") })
        let place = "\(declaration.place): \(declaration.name).uses.\(use.name)"
        let order = ResourceRegistry.Order(kind: kind, options: stores.options(of: use), context: context, place: place)
        orders.append((declaration.name, order))
      }
    }
    guard !orders.isEmpty else { return [:] }
    let registry = registry
    let opened = await withTaskGroup(of: (Int, Result<ResourceLease, Failure>).self) { group in
      for (position, entry) in orders.enumerated() {
        group.addTask {
          let result: Result<ResourceLease, Failure> = await withCheckedContinuation { continuation in
            registry.lease(entry.order) { continuation.resume(returning: $0) }
          }
          return (position, result)
        }
      }
      var opened = [Result<ResourceLease, Failure>?](repeating: nil, count: orders.count)
      for await (position, result) in group { opened[position] = result }
      return opened
    }
    var leases: [String: [ResourceLease]] = [:]
    var failures: [Failure] = []
    for (entry, result) in zip(orders, opened) {
      switch result {
      case .success(let lease): leases[entry.chainlet, default: []].append(lease)
      case .failure(let failure): failures.append(failure)
      case nil: break
      }
    }
    guard var failure = failures.first else { return leases }
    var seen: Set<String> = []
    failure.message = failures.map(\.message).filter { seen.insert($0).inserted }.joined(separator: "\n")
    throw failure
  }
}
