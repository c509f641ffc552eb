import ChainBase
import LuaBridge

/// The kinds that every host has: `chain.store` and `chain.limiter`.
package enum HostKinds {
  package static let all = [store, limiter]

  // MARK: Options

  private static func field(_ name: String, _ kind: ChainType.Kind, min: Double? = nil, doc: String) -> ChainType.Field {
    var type = ChainType(kind)
    type.min = min
    type.doc = doc
    return ChainType.Field(name: name, type: ChainType(.optional(type)))
  }

  private static func number(_ value: ChainValue?) -> Double? {
    switch value {
    case .integer(let integer): Double(integer)
    case .number(let number): number
    default: nil
    }
  }

  /// A float with an integral value is one as well.
  static func integer(_ value: ChainValue?) -> Int? {
    switch value {
    case .integer(let integer): Int(integer)
    case .number(let number): Int(exactly: number)
    default: nil
    }
  }

  private static func nanoseconds(_ seconds: Double) -> UInt64 { seconds >= 1e9 ? .max >> 1 : UInt64(max(0, seconds) * 1e9) }

  // MARK: chain.store

  static let storeOptions = ChainType(.record([
    field("max_bytes", .integer, min: 1, doc: "bytes that all values may take; the least recently used go first"),
    field("max_items", .integer, min: 1, doc: "values that it may hold"),
    field("name", .string, doc: "tells it from another store with the same options"),
    field("ttl", .number, min: 0, doc: "seconds for which a value lives, unless set says otherwise"),
  ]))

  static let store = ResourceKind(
    "store", doc: "Values by key for all lanes.", options: { _ in storeOptions }, label: { text($0["name"]) }, face: storeFace
  ) { given, context in
    var options = Store.Options()
    options.maxItems = integer(given["max_items"]) ?? options.maxItems
    options.maxBytes = integer(given["max_bytes"]) ?? options.maxBytes
    options.ttl = number(given["ttl"]).map(nanoseconds)
    return Store(options, environment: context.environment)
  }

  private static func text(_ value: ChainValue?) -> String {
    if case .string(let text)? = value { return "\"\(text)\"" }
    return ""
  }

  private static func of<R: Resource>(_: R.Type, _ resource: any Resource) throws(LuaError) -> R {
    guard let resource = resource as? R else { throw LuaError(.runtime, "the resource is of another kind") }
    return resource
  }

  private static func key(_ stack: LuaStack, _ method: String) throws(LuaError) -> StoreKey {
    guard stack.type(at: 2) == .string else {
      throw LuaError(.runtime, "bad argument #1 to '\(method)': a key is a string, got \(stack.describe(at: 2))")
    }
    let bytes = stack.bytes(at: 2)
    guard bytes.count <= StoreKey.most else {
      throw LuaError(.runtime, "bad argument #1 to '\(method)': a key has at most \(StoreKey.most) bytes, got \(bytes.count)")
    }
    try stack.countRead(bytes: bytes.count)
    return StoreKey(Array(bytes))
  }

  private static func ttl(_ stack: LuaStack, at index: Int32, _ method: String) throws(LuaError) -> UInt64? {
    let type = stack.type(at: index)
    if type == .nil || type == .none { return nil }
    guard type == .number, stack.number(at: index) >= 0 else {
      throw LuaError(.runtime, "bad argument #\(index - 1) to '\(method)': ttl is in seconds, got \(stack.describe(at: index))")
    }
    return nanoseconds(stack.number(at: index))
  }

  private static func value(_ stack: LuaStack, _ method: String, _ stepping: Stepping) throws -> ChainValue {
    let type = stack.type(at: 3)
    guard type != .nil, type != .none else {
      throw LuaError(.runtime, "bad argument #2 to '\(method)': a value cannot be nil; delete removes one")
    }
    return try read(stack, at: 3, stepping) { "bad argument #2 to '\(method)': \($0)" }
  }

  private static func read(_ stack: LuaStack, at index: Int32, _ stepping: Stepping, _ told: (String) -> String) throws -> ChainValue {
    let limits = CrossingLimits()
    do throws(PlainValue.Problem) {
      return try PlainValue.read(
        stack, at: index, limits: stepping.share.map { limits.within(CrossingLimits($0)) } ?? limits, pause: stepping.pause)
    } catch {
      if stepping.share != nil, error.isTooLarge { throw TooMuchAtOnce() }
      throw LuaError(.runtime, told(error.message))
    }
  }

  private static func push(_ value: ChainValue, onto stack: LuaStack, _ stepping: Stepping) throws -> Int32 {
    var pace = Pace(stepping.share.map { CrossingLimits($0) } ?? CrossingLimits(bytes: .max, nodes: .max), stepping.pause)
    let isWhole = try PlainValue.push(value, onto: stack, &pace)
    if !isWhole, stepping.share != nil { throw TooMuchAtOnce() }
    return 1
  }

  private static let storeFace: ResourceFace = {
    var face = ResourceFace()
    face.add("get", doc: "The value of a key, or nil.", "fun(self: chain.Store, key: string): any", .stepped { resource, stack, stepping in
      guard let value = try of(Store.self, resource).get(try key(stack, "get")) else {
        stack.pushNil()
        return 1
      }
      return try push(value, onto: stack, stepping)
    })
    face.add("set", doc: "Sets a value, for `ttl` seconds.", "fun(self: chain.Store, key: string, value: any, ttl?: number)", .stepped { resource, stack, stepping in
      try of(Store.self, resource).set(try key(stack, "set"), try value(stack, "set", stepping), ttl: try ttl(stack, at: 4, "set"))
      return 0
    })
    face.add("add", doc: "Sets a value unless there is one; whether it did.", "fun(self: chain.Store, key: string, value: any, ttl?: number): boolean", .stepped { resource, stack, stepping in
      stack.push(boolean: try of(Store.self, resource).add(try key(stack, "add"), try value(stack, "add", stepping), ttl: try ttl(stack, at: 4, "add")))
      return 1
    })
    face.add("incr", doc: "Adds to a number, which begins at 0; gives the sum.", "fun(self: chain.Store, key: string, by?: number, ttl?: number): number", .plain { resource, stack in
      let type = stack.type(at: 3)
      guard type == .none || type == .nil || type == .number else {
        throw LuaError(.runtime, "bad argument #2 to 'incr': number expected, got \(stack.describe(at: 3))")
      }
      let step = type == .number ? try read(stack, at: 3, .whole) { $0 } : .integer(1)
      let sum = try of(Store.self, resource).increment(try key(stack, "incr"), by: step, ttl: try ttl(stack, at: 4, "incr"))
      try PlainValue.push(sum, onto: stack)
      return 1
    })
    face.add("delete", doc: "Removes a value; whether there was one.", "fun(self: chain.Store, key: string): boolean", .plain { resource, stack in
      stack.push(boolean: try of(Store.self, resource).delete(try key(stack, "delete")))
      return 1
    })
    face.hidden = [
      .awaitingRuns { resource, stack, run in
        let key = try key(stack, "fetch")
        guard stack.type(at: 3) == .function else {
          throw LuaError(.runtime, "bad argument #2 to 'fetch': a function that makes the value expected, got \(stack.describe(at: 3))")
        }
        _ = try ttl(stack, at: 4, "fetch")
        let store = try of(Store.self, resource)
        switch try store.ask(for: key, by: run) {
        case .outcome(let outcome): return { pushing(outcome) }
        case .wait(let place): return { pushing(try await store.wait(at: place, run)) }
        }
      },
      .free { stack, stepping in
        guard let turn = FetchTurn.userdata.object(stack, at: 1) else { return 0 }
        let value: ChainValue = stack.type(at: 2) == .none ? .null : try read(stack, at: 2, stepping) {
          "fetch: what the function returned cannot be kept: \($0)"
        }
        try turn.finish(.success(value), ttl: try ttl(stack, at: 3, "fetch"))
        return 0
      },
      .free { stack, stepping in
        guard let fetched = FetchedValue.userdata.object(stack, at: 1) else { return 0 }
        return try push(fetched.value, onto: stack, stepping)
      },
    ]
    face.annotations["fetch"] = "fun(self: chain.Store, key: string, fn: (fun(key: string): any), ttl?: number): any"
    face.script = storeScript
    return face
  }()

  /// Pushes the turn to make a value, or nil and the value.
  private static func pushing(_ outcome: Store.FetchOutcome) -> @Sendable (LuaStack) -> Int32 {
    switch outcome {
    case .value(let value):
      let fetched = FetchedValue(value)
      return { stack in
        stack.pushNil()
        FetchedValue.userdata.push(fetched, onto: stack)
        return 2
      }
    case .lead(let turn):
      return { stack in
        FetchTurn.userdata.push(turn, onto: stack)
        return 1
      }
    }
  }

  private static let storeCode = ResourceFace.compile(PackageResources.store_lua, name: "store.lua")
  @Sendable private static func storeScript() throws(LuaError) -> [UInt8] { try storeCode.get() }

  // MARK: chain.limiter

  static let limiterOptions = ChainType(.record([
    ChainType.Field(
      name: "burst", type: ChainType(.optional(amount(min: 1, doc: "tokens that may be taken at once; the rate unless given")))),
    field("name", .string, doc: "tells it from another limiter with the same options"),
    ChainType.Field(name: "rate", type: amount(min: 0.000_001, doc: "tokens in a second")),
  ]))

  private static func amount(min: Double, doc: String) -> ChainType {
    var type = ChainType(.number)
    type.min = min
    type.finite = true
    type.doc = doc
    return type
  }

  static let limiter = ResourceKind(
    "limiter", doc: "A rate that all lanes keep together.", options: { _ in limiterOptions }, label: { text($0["name"]) },
    face: limiterFace
  ) { given, context in
    let rate = number(given["rate"]) ?? 1
    return Limiter(rate: rate, burst: number(given["burst"]) ?? max(1, rate), environment: context.environment, timers: context.timers)
  }

  private static func tokens(_ stack: LuaStack, _ limiter: Limiter, _ method: String) throws(LuaError) -> Double {
    let type = stack.type(at: 2)
    if type == .none || type == .nil { return 1 }
    guard type == .number, stack.number(at: 2) > 0, stack.number(at: 2) <= limiter.burst else {
      throw LuaError(
        .runtime, "bad argument #1 to '\(method)': expected a number of tokens, at most the limiter's burst (\(limiter.burst)), got \(stack.describe(at: 2))")
    }
    return stack.number(at: 2)
  }

  private static let limiterFace: ResourceFace = {
    var face = ResourceFace()
    face.add("wait", doc: "Takes tokens (1), after a wait where they are not there yet.", "fun(self: chain.Limiter, tokens?: number)", .waiting { resource, stack in
      let limiter = try of(Limiter.self, resource)
      let count = try tokens(stack, limiter, "wait")
      return {
        try await limiter.wait(count)
        return { _ in 0 }
      }
    })
    face.add("try", doc: "Takes tokens (1) if they are there; whether it did.", "fun(self: chain.Limiter, tokens?: number): boolean", .plain { resource, stack in
      let limiter = try of(Limiter.self, resource)
      stack.push(boolean: limiter.take(try tokens(stack, limiter, "try")))
      return 1
    })
    return face
  }()
}

/// A value on its way to who waited for it: it may be too large to be pushed in one event.
private final class FetchedValue: Sendable {
  let value: ChainValue
  private let bytes: Int

  init(_ value: ChainValue) {
    self.value = value
    bytes = PlainValue.size(of: value)
  }

  // The store may have dropped it since.
  static let userdata = LuaUserdata<FetchedValue>(name: "value", charge: { .init($0, bytes: $0.bytes) })
}

extension FetchTurn {
  static let userdata = LuaUserdata<FetchTurn>(name: "turn", charge: { .init($0, bytes: $0.key.bytes.count) }, methods: { methods in
    // Closed with an error by a function that failed: who waits gets the failure. By a run that is being ended: the next
    // who waits leads.
    methods.meta("__close") { turn, stack in
      if stack.type(at: 2) != .nil, stack.type(at: 2) != .none, !stack.isEndedRun, let failure = Failure(raised: stack, at: 2) {
        try? turn.finish(.failure(failure), ttl: nil)
      } else {
        turn.handOn()
      }
      return 0
    }
  })
}

extension Failure {
  /// The error value at `index`, as far as it can be read without the state's own metatables.
  fileprivate init?(raised stack: LuaStack, at index: Int32) {
    if let text = stack.text(at: index) {
      self.init(code: Code.failed, message: text)
      return
    }
    guard stack.type(at: index) == .table, stack.ensure(4) else { return nil }
    func field(_ name: String) -> String? {
      stack.rawGet(index, field: name)
      defer { stack.pop() }
      return stack.text(at: -1)
    }
    let code = field("code") ?? Code.failed
    self.init(code: code, message: field("message") ?? code, chainlet: field("chainlet"))
    if stack.rawGet(index, field: "status") == .number { status = Int(clamping: stack.integer(at: -1)) }
    stack.pop()
    if stack.rawGet(index, field: "retry") == .boolean { retry = stack.boolean(at: -1) }
    stack.pop()
  }
}
