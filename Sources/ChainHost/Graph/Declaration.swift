import ChainBase

/// What an author declared of one chainlet, as data: the merged spec of it and of what it extends.
public struct ChainletDeclaration: Sendable, Hashable {
  public var name: String
  public var place: SourcePlace
  /// The file whose top-level code declared it: what its own state evaluates.
  public var file: String
  public var input: ChainType = .empty
  /// nil: nothing.
  public var output: ChainType?
  /// Sorted by path.
  public var needs: [Need] = []
  /// Sorted by path.
  public var uses: [Use] = []
  /// Sorted.
  public var secrets: [String] = []
  public var limits = Limits()
  public var scaling = Scaling()
  public var batch: Batch?
  public var doc: String?
  /// The methods that its files define, inherited ones too, and where.
  public var methods: [String: SourcePlace] = [:]
  /// The chainlet that it extends.
  public var parent: String?

  /// A call that it may make, by its name under `self`.
  public struct Need: Sendable, Hashable {
    /// `["tools", "search"]` for `self.tools.search`.
    public var path: [String]
    /// The name of the chainlet that is called.
    public var target: String
    /// Seconds.
    public var timeout: Double?
    public var retries = 0
    public var concurrency: Int?
    public var name: String { path.joined(separator: ".") }
  }

  /// A resource that the host opens for it.
  public struct Use: Sendable, Hashable {
    public var path: [String]
    public var kind: String
    public var options: ChainValue
    public var name: String { path.joined(separator: ".") }
    /// As the author writes its kind: `chain.store`, `camera.device`.
    public var written: String { kind.contains(".") ? kind : "chain.\(kind)" }
  }

  public struct Limits: Sendable, Hashable {
    /// Bytes that its state may hold.
    public var memory = 64 << 20
    /// Seconds that one call may run.
    public var cpu = 10.0
    /// Seconds that one call may last; nil for no limit.
    public var time: Double?
    /// Nested calls.
    public var depth = 16
    /// Bytes of one output.
    public var output = 16 << 20
    /// Values in one output.
    public var nodes = 200_000
    public var coroutines = 10_000
    /// Bytes of one source file.
    public var source = 1 << 20
    /// Calls alive at once.
    public var tasks = 4_096
    /// The names of those that its author wrote.
    package var given: Set<String> = []
  }

  public struct Scaling: Sendable, Hashable {
    public var concurrency = 256
    public var queue = 1_024
  }

  public struct Batch: Sendable, Hashable {
    public var maxSize: Int
    /// Seconds.
    public var maxDelay: Double
  }

  init(name: String, place: SourcePlace, file: String) {
    self.name = name
    self.place = place
    self.file = file
  }

  /// Takes over what it inherits from what it extends.
  mutating func inherit(_ above: ChainletDeclaration) {
    let (name, place, file) = (name, place, file)
    self = above
    self.name = name
    self.place = place
    self.file = file
    parent = above.name
  }

  /// What must be the same when its own state evaluates its file.
  func declaresTheSame(as other: ChainletDeclaration) -> Bool {
    var mine = self
    mine.place = other.place
    mine.methods = other.methods
    return mine == other
  }
}
