import CLua
import CLuaGuard

/// A kind of Swift object that Lua can hold: a userdata with a counted reference, which the collector gives back without
/// running Lua. Make one for each kind, once for the process: `static let userdata = LuaUserdata<Camera>(name: "camera")`.
///
/// The metatable is locked; a script can call the methods and nothing else. Objects may be held by states of several
/// threads, so they are `Sendable`.
package final class LuaUserdata<Object: AnyObject & Sendable>: Sendable {
  // Safe to share: written once, in init, and it lives as long as the process.
  private nonisolated(unsafe) let kind: UnsafeMutablePointer<clg_kind>
  private let weight: @Sendable (Object) -> Int
  private let methods: @Sendable (inout Methods) -> Void

  package typealias Method = (Object, LuaStack) -> Int32

  /// What scripts can do with the object. A method finds it as its first argument, and its own from index 2 on.
  package struct Methods {
    fileprivate var named: [(String, Method)] = []
    fileprivate var waits: [(String, Int32)] = []
    fileprivate var metamethods: [(String, Method)] = []
    fileprivate var metaWaits: [(String, Int32)] = []
    package mutating func add(_ name: String, _ body: @escaping Method) { named.append((name, body)) }
    /// A method in which the run waits; whoever resumes it finds the object as the first argument.
    package mutating func addWait(_ name: String, op: Int32) { waits.append((name, op)) }
    package mutating func meta(_ name: String, _ body: @escaping Method) { metamethods.append((name, body)) }
    package mutating func metaWait(_ name: String, op: Int32) { metaWaits.append((name, op)) }
  }

  /// - Parameters:
  ///   - name: what messages call it.
  ///   - weight: the bytes outside of Lua that the state is charged for while it holds the object.
  package init(
    name: StaticString, weight: @escaping @Sendable (Object) -> Int = { _ in 0 },
    methods: @escaping @Sendable (inout Methods) -> Void = { _ in }
  ) {
    kind = .allocate(capacity: 1)
    kind.initialize(to: clg_kind(
      name: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
      release: { object in
        if let object { Unmanaged<AnyObject>.fromOpaque(object).release() }
      }))
    self.weight = weight
    self.methods = methods
  }

  /// Pushes the object. Inside a host section, with six slots free.
  package func push(_ object: Object, onto stack: LuaStack) {
    if clg_push_kind(stack.L, kind) != 0 { addMethods(to: stack) }
    stack.pop()
    clg_push_object(stack.L, kind, Unmanaged<AnyObject>.passRetained(object).toOpaque(), weight(object))
  }

  /// The object at `index`, if there is one of this kind. Needs two slots.
  package func object(_ stack: LuaStack, at index: Int32) -> Object? {
    guard let object = clg_object_at(stack.L, index, kind) else { return nil }
    // The kind was checked: only `push` makes userdata of it, and only of `Object`s.
    return unsafeDowncast(Unmanaged<AnyObject>.fromOpaque(object).takeUnretainedValue(), to: Object.self)
  }

  /// With the new metatable on top.
  private func addMethods(to stack: LuaStack) {
    guard let owner = LuaState.of(stack).pointee.owner else { return }
    let state = Unmanaged<LuaState>.fromOpaque(owner).takeUnretainedValue()
    var methods = Methods()
    self.methods(&methods)
    for (name, body) in methods.metamethods {
      state.push(function(name, body), onto: stack)
      stack.rawSet(-2, field: name)
    }
    for (name, op) in methods.metaWaits {
      stack.pushWait(op: op)
      stack.rawSet(-2, field: name)
    }
    stack.pushTable(fields: Int32(methods.named.count + methods.waits.count))
    for (name, op) in methods.waits {
      stack.pushWait(op: op)
      stack.rawSet(-2, field: name)
    }
    for (name, body) in methods.named {
      state.push(function(name, body), onto: stack)
      stack.rawSet(-2, field: name)
    }
    stack.rawSet(-2, field: "__index")
  }

  private func function(_ name: String, _ body: @escaping Method) -> NativeFunction {
    NativeFunction { stack in
      guard let object = self.object(stack, at: 1) else {
        return stack.fail("bad argument #1 to '\(name)': \(String(cString: self.kind.pointee.name)) expected, got \(stack.describe(at: 1)) (call it with a colon)")
      }
      return body(object, stack)
    }
  }
}
