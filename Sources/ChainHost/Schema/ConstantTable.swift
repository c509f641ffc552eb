import LuaBridge

/// `chain.const { … }`: a read-only view of a table. To a crossing, which reads tables raw, it is the table behind it.
enum ConstantTable {
  static let name = "chain.const"

  /// If such a view lies at `index`, the table behind it takes its place on the stack. Needs three slots.
  static func unveil(_ stack: LuaStack, at index: Int32) -> Bool { stack.replaceView(at: index, named: name) }
}
