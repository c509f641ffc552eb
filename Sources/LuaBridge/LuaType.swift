import CLua

/// The type of a Lua value.
@frozen public struct LuaType: Equatable, Sendable {
  public let rawValue: Int32
  @inlinable package init(_ rawValue: Int32) { self.rawValue = rawValue }

  @inlinable public static var none: LuaType { LuaType(-1) }
  @inlinable public static var `nil`: LuaType { LuaType(0) }
  @inlinable public static var boolean: LuaType { LuaType(1) }
  @inlinable public static var lightUserdata: LuaType { LuaType(2) }
  @inlinable public static var number: LuaType { LuaType(3) }
  @inlinable public static var string: LuaType { LuaType(4) }
  @inlinable public static var table: LuaType { LuaType(5) }
  @inlinable public static var function: LuaType { LuaType(6) }
  @inlinable public static var userdata: LuaType { LuaType(7) }
  @inlinable public static var thread: LuaType { LuaType(8) }

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
