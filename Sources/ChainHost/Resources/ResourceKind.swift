import ChainBase
import ChainLoop
import LuaBridge

/// A kind of resource that `uses` may name: `chain.store { … }`, or `camera.device { … }` of an embedder's module.
public struct ResourceKind: Sendable {
  /// As `uses` writes it, without `chain.`: `store`, `camera.device`.
  public let name: String
  /// Tells it from every other kind: the name, and which variant of it this is.
  private(set) var id: String
  /// What editors call the class of its handles.
  let annotation: String
  let doc: String?
  /// The record of options that it takes, which may depend on one of them.
  let options: @Sendable (ChainValue) -> ChainType
  /// For people: what of the options tells this resource from others.
  let label: @Sendable (ChainValue) -> String
  let identify: @Sendable (ChainValue, ResourceContext) throws(Failure) -> ContentDigest
  let open: @Sendable (ChainValue, ResourceContext) throws -> any Resource
  let face: ResourceFace
  /// Of a kind with variants: the one that the options choose.
  private var variant: (@Sendable (ChainValue) -> ResourceKind)?

  /// - Parameters:
  ///   - name: what follows `chain.` in `uses`.
  ///   - options: the type of the options, a record; it is given what the author wrote.
  ///   - label: a short text for messages.
  ///   - identify: the digest of the content and of those options that loading depends on. Called on a thread that may
  ///     block, for each load of a graph: keep it quick where nothing has changed.
  ///   - open: makes the resource. Called on a thread of its own, once for all uses of the same key.
  ///   - face: what scripts can do with it.
  ///   - annotation: what editors call the class of its handles; `chain.Store` for `store` unless given.
  package init(
    _ name: String, doc: String? = nil, annotation: String? = nil, options: @escaping @Sendable (ChainValue) -> ChainType,
    label: @escaping @Sendable (ChainValue) -> String = { _ in "" },
    identify: @escaping @Sendable (ChainValue, ResourceContext) throws(Failure) -> ContentDigest = ResourceKind.digestOfOptions,
    face: ResourceFace, open: @escaping @Sendable (ChainValue, ResourceContext) throws -> any Resource
  ) {
    self.name = name
    id = name
    self.annotation = annotation ?? (name.contains(".") ? name : "chain.\(name.prefix(1).uppercased())\(name.dropFirst())")
    self.doc = doc
    self.options = options
    self.label = label
    self.identify = identify
    self.open = open
    self.face = face
  }

  /// A kind with variants, of which an option says the name: `chain.model { engine = "tokenizer", … }`.
  /// - Parameter variants: kinds of the same name, by the value of the option; the first is meant where it is left out.
  package init(_ name: String, doc: String? = nil, by option: String, _ first: (String, ResourceKind), _ others: (String, ResourceKind)...) {
    let variants = others.map { value, kind in
      var kind = kind
      kind.id = "\(name).\(value)"
      return (value, kind)
    }
    let field = ChainType.Field(name: option, type: ChainType(.optional(ChainType(.enumeration([first.0] + others.map(\.0))))))
    let chosen: @Sendable (ChainValue) -> ResourceKind = { options in
      variants.first { .string($0.0) == options[option] }?.1 ?? first.1
    }
    self.init(
      name, doc: doc,
      options: { given in
        guard case .record(let fields) = chosen(given).options(given).kind else { return ChainType(.record([field])) }
        return ChainType(.record((fields + [field]).sorted { $0.name < $1.name }))
      }, label: { chosen($0).label($0) }, identify: { given, context throws(Failure) in try chosen(given).identify(given, context) },
      face: first.1.face, open: { try chosen($0).open($0, $1) })
    variant = chosen
  }

  /// The kind that a use with these options is of.
  func chosen(by options: ChainValue) -> ResourceKind { variant?(options) ?? self }

  /// As messages and authors write it.
  var written: String { name.contains(".") ? name : "chain.\(name)" }

  func title(_ options: ChainValue) -> String {
    let label = label(options)
    return label.isEmpty ? written : "\(written) \(label)"
  }

  /// For kinds without content: equal options are the same resource.
  @Sendable package static func digestOfOptions(_ options: ChainValue, _: ResourceContext) -> ContentDigest {
    var digest = ContentDigest()
    digest.add(sized: Array("\(options)".utf8))
    return digest
  }
}

/// What a resource is opened with.
public struct ResourceContext: Sendable {
  /// The folder of the graph's entry file, which relative paths begin at; empty for the current one.
  public var folder: String
  package var environment: any Environment
  package var timers: HostTimers
  /// Tells people how far loading is. Any thread.
  public var progress: @Sendable (String) -> Void

  /// Monotonic nanoseconds.
  package func now() -> UInt64 { environment.now() }
}

/// What scripts can do with a resource: methods, a call, fields.
package struct ResourceFace: Sendable {
  package var methods: [Method] = []
  /// `self.encoder { … }`.
  package var call: NativeBody?
  /// Pushes the value of a field, or is false and pushes nothing.
  package var field: (@Sendable (any Resource, String, LuaStack) throws -> Bool)?
  /// Compiled Lua that is given the table of methods, to which it may add, and the functions of `hidden`.
  package var script: (@Sendable () throws(LuaError) -> [UInt8])?
  package var hidden: [NativeBody] = []
  /// Of methods that the script adds, for editors.
  package var annotations: [String: String] = [:]

  package init() {}

  /// Bytecode of a script of ours, without lines: no place of ours belongs in a message.
  package static func compile(_ text: [UInt8], name: String) -> Result<[UInt8], LuaError> {
    do throws(LuaError) {
      let state = try LuaState()
      return .success(try state.hostSection { stack throws(LuaError) in
        if let message = text.withUnsafeBytes({ stack.pushChunk($0, name: name, mode: "t") }) { throw LuaError(.syntax, message) }
        defer { stack.pop() }
        return stack.dump(stripped: true)
      })
    } catch { return .failure(error) }
  }

  package struct Method: Sendable {
    package var name: String
    package var body: NativeBody
    package var doc: String?
    /// `fun(self: store, key: string): any`, for editors.
    package var annotation: String?
  }

  package mutating func add(_ name: String, doc: String? = nil, _ annotation: String? = nil, _ body: NativeBody) {
    methods.append(Method(name: name, body: body, doc: doc, annotation: annotation))
  }
}

/// A native function over a resource, as the runtime runs it. Its arguments lie from index 2 on; at 1 is the handle.
package enum NativeBody: Sendable {
  /// Answers at once, on the lane: pushes its results and gives their number.
  case plain(@Sendable (any Resource, LuaStack) throws -> Int32)
  /// As `plain`, for work that may be too large for one event: throws `TooMuchAtOnce` where its share is not enough.
  case stepped(@Sendable (any Resource, LuaStack, Stepping) throws -> Int32)
  /// Reads its arguments at once and gives the work that is left; the run waits for it.
  case waiting(@Sendable (any Resource, LuaStack) throws -> NativeWork)
  /// As `waiting`, for work that waits for other runs: what it gets is told that it waits for them.
  case awaitingRuns(@Sendable (any Resource, LuaStack, RunMark) throws -> NativeWork)
  /// As `waiting`, for work whose results hold the resource as well.
  case leased(@Sendable (ResourceLease, LuaStack) throws -> NativeWork)
  /// Reads its arguments at once and gives a stream.
  case streaming(@Sendable (any Resource, LuaStack) throws -> PrimitiveStream)
  /// As `stepped`, without a handle: its arguments begin at 1.
  case free(@Sendable (LuaStack, Stepping) throws -> Int32)
}

/// Thrown by a native function that cannot do its work in its share: it is called again, to do it in pieces.
package struct TooMuchAtOnce: Error {
  package init() {}
}

/// Work away from the lane, and then the pushing of its results on it.
package typealias NativeWork = @Sendable () async throws -> @Sendable (LuaStack) throws -> Int32
