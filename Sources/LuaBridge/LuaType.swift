import CLua

/// The type of a Lua value.
public struct LuaType: Equatable, Sendable {
  public let rawValue: Int32
  @inlinable package init(_ rawValue: Int32) { self.rawValue = rawValue }

  public static let none = LuaType(-1)
  public static let `nil` = LuaType(0)
  public static let boolean = LuaType(1)
  public static let lightUserdata = LuaType(2)
  public static let number = LuaType(3)
  public static let string = LuaType(4)
  public static let table = LuaType(5)
  public static let function = LuaType(6)
  public static let userdata = LuaType(7)
  public static let thread = LuaType(8)

  /// Lua's own word for it.
  public var name: String {
    switch rawValue {
    case 0: "nil"
    case 1: "boolean"
    case 2, 7: "userdata"
    case 3: "number"
    case 4: "string"
    case 5: "table"
    case 6: "function"
    case 8: "thread"
    default: "no value"
    }
  }
}
