/// A native object inside a `ChainValue`: a tensor, for example. Two are equal when they are the same object.
public struct NativeReference: Sendable, Hashable {
  public let object: any AnyObject & Sendable

  public init(_ object: any AnyObject & Sendable) { self.object = object }

  public static func == (a: Self, b: Self) -> Bool { a.object === b.object }
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(object)) }
}
