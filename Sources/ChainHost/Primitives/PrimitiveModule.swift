import LuaBridge

/// Primitives and kinds of resources under the name by which chainlets `require` them, as a value:
/// `host.add(PrimitiveModule("camera") { … })`.
public struct PrimitiveModule: Sendable {
  public let name: String
  public let primitives: [Primitive]
  public let resourceTypes: [ResourceType]
  /// Of `resourceTypes`: `camera.device`.
  let kinds: [ResourceKind]

  public init(_ name: String, @PrimitiveBuilder _ members: () -> [any PrimitiveModuleMember]) {
    self.name = name
    let members = members()
    primitives = members.compactMap { $0 as? Primitive }
    resourceTypes = members.compactMap { $0 as? ResourceType }
    kinds = resourceTypes.map { $0.kind(in: name) }
  }
}

/// What a module holds: a `Primitive` or a `ResourceType`.
public protocol PrimitiveModuleMember: Sendable {}
extension Primitive: PrimitiveModuleMember {}
extension ResourceType: PrimitiveModuleMember {}

@resultBuilder public enum PrimitiveBuilder {
  public static func buildBlock(_ members: any PrimitiveModuleMember...) -> [any PrimitiveModuleMember] { members }
}
