/// What a call into Lua can throw. `message` is ready to be read: making it costs nothing when it is thrown.
public struct LuaError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Kind: Sendable, Equatable {
    /// The chunk is not Lua.
    case syntax
    /// Lua code raised an error, or a value was not of the expected type.
    case runtime
    /// The state has reached its memory limit.
    case memory
  }

  public var kind: Kind
  public var message: String
  /// The stack of Lua calls where it was raised, innermost first, a line each; empty when it is not known.
  public var traceback: [String]

  public init(_ kind: Kind = .runtime, _ message: String, traceback: [String] = []) {
    self.kind = kind
    self.message = message
    self.traceback = traceback
  }

  package static let noMemory = LuaError(.memory, "not enough memory: the state has reached its memory limit")

  public var description: String { ([message] + traceback).joined(separator: "\n  ") }
}
