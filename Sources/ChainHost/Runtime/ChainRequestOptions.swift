/// Options of one request.
public struct ChainRequestOptions: Sendable {
  /// The entrypoint; nil when there is only one.
  public var entry: String?
  /// Nanoseconds until the request ends with `timeout`; nil for none.
  public var timeout: UInt64?
  public init(entry: String? = nil, timeout: UInt64? = nil) {
    self.entry = entry
    self.timeout = timeout
  }
}
