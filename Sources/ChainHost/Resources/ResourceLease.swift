/// A share in a resource. While one of them lives the resource is not closed, so whatever uses it holds one: a
/// generation, each job, a tensor over its memory. Any thread.
public final class ResourceLease: Sendable {
  public let resource: any Resource
  let key: ResourceKey
  let kind: ResourceKind
  private let giveBack: @Sendable () -> Void

  init(_ resource: any Resource, key: ResourceKey, kind: ResourceKind, giveBack: @escaping @Sendable () -> Void) {
    self.resource = resource
    self.key = key
    self.kind = kind
    self.giveBack = giveBack
  }

  deinit { giveBack() }
}
