import ChainBase
import LuaBridge

/// A Swift record that primitives take and return as a Lua table: `struct Point: ChainRecord { var x, y: Double }`.
///
/// Codable does the work, so fields may be numbers, strings, booleans, lists, dictionaries by string, optionals and other
/// records. An unknown or missing field, or one of another type, is an error that names it.
public protocol ChainRecord: Codable, Sendable, LuaReadable, LuaPushable {}

extension ChainRecord {
  public static var expected: String { "table" }

  /// The declared type, found by decoding; a record without fields where the type decodes itself in another way.
  public static var chainType: ChainType { TypeProbe.type(of: Self.self) }

  public static var annotation: String { TypeProbe.annotation(of: chainType) }

  /// - Throws: a `LuaError` that names the field.
  public init(_ value: ChainValue) throws {
    if case .record(let fields) = value, case .record(let declared) = Self.chainType.kind, !declared.isEmpty {
      for field in fields where !declared.contains(where: { $0.name == field.name }) {
        let meant = nearestName(to: field.name, among: declared.map(\.name)).map { "; did you mean '\($0)'?" }
        throw LuaError(.runtime, "unknown field '\(field.name)'\(meant ?? "")")
      }
    }
    do { self = try ValueDecoder.decode(Self.self, from: value) } catch let error as DecodingError {
      throw LuaError(.runtime, ValueDecoder.message(of: error))
    }
  }

  public static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> Self {
    let stack = LuaStack(stack.L)
    guard stack.type(at: index) == .table else { throw LuaError(.runtime, "table expected, got \(stack.describe(at: index))") }
    let value: ChainValue
    do throws(PlainValue.Problem) { value = try PlainValue.read(stack, at: index) } catch { throw LuaError(.runtime, error.message) }
    let size = PlainValue.size(of: value)
    try stack.countRead(values: size / 16, bytes: size)
    do { return try Self(value) } catch let error as LuaError { throw error } catch {
      throw LuaError(.runtime, String(describing: error))
    }
  }

  public func push(to stack: borrowing LuaStack) throws(LuaError) {
    let value: ChainValue
    do { value = try ValueEncoder.encode(self) } catch { throw LuaError(.runtime, "the record cannot be encoded: \(error)") }
    try PlainValue.push(value, onto: LuaStack(stack.L))
  }
}
