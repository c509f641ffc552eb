import LuaBridge

/// Primitives under the name by which chainlets `require` them, as a value: `host.add(PrimitiveModule("camera") { … })`.
public struct PrimitiveModule: Sendable {
  public let name: String
  public let primitives: [Primitive]

  public init(_ name: String, @PrimitiveBuilder _ primitives: () -> [Primitive]) {
    self.name = name
    self.primitives = primitives()
  }
}

@resultBuilder public enum PrimitiveBuilder {
  public static func buildBlock(_ primitives: Primitive...) -> [Primitive] { primitives }
}
