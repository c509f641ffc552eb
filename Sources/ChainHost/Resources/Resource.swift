import ChainBase

/// A native thing that outlives Lua code: a model, a store, a camera. The host opens it once for all lanes and graphs
/// that ask for the same, keeps it while anything uses it, and closes it.
public protocol Resource: AnyObject, Sendable {
  /// Bytes that it holds now, on the host and on devices: what the memory budget counts. Any thread.
  var bytes: Int { get }
  /// Frees what it holds. Called once, on a thread that may block, when nothing uses it any more.
  func close()
}

extension Resource {
  public var bytes: Int { 0 }
}

/// What makes two uses the same resource: the kind, the content that it is made of, and the options of loading it.
public struct ResourceKey: Sendable, Hashable {
  public var kind: String
  public var digest: ContentDigest

  public init(kind: String, digest: ContentDigest) {
    self.kind = kind
    self.digest = digest
  }
}

/// Where a resource of the registry is in its life.
public enum ResourcePhase: String, Sendable {
  case loading
  /// In use.
  case ready
  /// Loaded, and nothing uses it.
  case idle
  case unloading
}

/// What the registry says of one resource.
public struct ResourceInfo: Sendable {
  public var key: ResourceKey
  /// For people: `model encoder.onnx`.
  public var label: String
  public var phase: ResourcePhase
  /// Generations, jobs and tensors that hold it.
  public var leases: Int
  public var bytes: Int
}

/// What the registry has done since the host began.
public struct ResourceTotals: Sendable, Equatable {
  public var loads = 0
  public var failedLoads = 0
  public var unloads = 0
}
