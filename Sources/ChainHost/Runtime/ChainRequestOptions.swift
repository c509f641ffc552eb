/// Options of one request.
public struct ChainRequestOptions: Sendable {
  /// The entrypoint; nil when there is only one.
  public var entry: String?
  /// Nanoseconds until the request ends with `timeout`; nil for none.
  public var timeout: UInt64?
  /// What fills the input's stream field, where the entrypoint has one.
  public var feed: ChainFeed?
  public init(entry: String? = nil, timeout: UInt64? = nil, feed: ChainFeed? = nil) {
    self.entry = entry
    self.timeout = timeout
    self.feed = feed
  }
}
