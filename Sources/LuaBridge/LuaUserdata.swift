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
  private let charge: @Sendable (Object) -> Charge?
  private let methods: @Sendable (inout Methods) -> Void

  package typealias Method = (Object, LuaStack) -> Int32

  package typealias Charge = SharedMemory

  /// What scripts can do with the object. A method finds it as its first argument, and its own from index 2 on.
  package struct Methods {
    fileprivate var named: [(String, Method, wait: Wait?)] = []
    fileprivate var waits: [(String, Int32)] = []
    fileprivate var metamethods: [(String, Method)] = []
    fileprivate var metaWaits: [(String, Int32)] = []
    fileprivate var operators: [(String, (LuaStack, LuaState) -> Void)] = []
    fileprivate var functions: [(String, (LuaStack, LuaState) -> Void)] = []
    fileprivate var index: ((LuaStack) -> Int32)?
    /// What a method whose body returns `LuaStack.waits` waits for.
    package typealias Wait = (op: Int32, operand: Int32)
    package mutating func add(_ name: String, wait: Wait? = nil, _ body: @escaping Method) { named.append((name, body, wait)) }
    /// A method in which the run waits; whoever resumes it finds the object as the first argument.
    package mutating func addWait(_ name: String, op: Int32) { waits.append((name, op)) }
    package mutating func meta(_ name: String, _ body: @escaping Method) { metamethods.append((name, body)) }
    package mutating func metaWait(_ name: String, op: Int32) { metaWaits.append((name, op)) }
    /// A metamethod of which either operand may be the object: it looks for itself.
    package mutating func infix(_ name: String, _ body: @escaping (LuaStack) -> Int32) {
      infix(name) { stack, state in state.push(NativeFunction(body), onto: stack) }
    }
    /// Such a metamethod that is pushed by the caller.
    package mutating func infix(_ name: String, _ push: @escaping (LuaStack, LuaState) -> Void) { operators.append((name, push)) }
    /// A method that looks at its object itself: a closed one, too.
    package mutating func addRaw(_ name: String, _ body: @escaping (LuaStack) -> Int32) {
      withFunction(name) { stack, state in state.push(NativeFunction(body), onto: stack) }
    }
    /// A method that is pushed by the caller.
    package mutating func withFunction(_ name: String, _ push: @escaping (LuaStack, LuaState) -> Void) { functions.append((name, push)) }
    /// What `object[key]` gives where `key` is no method; the object may be a closed one.
    package mutating func indexed(_ body: @escaping (LuaStack) -> Int32) { index = body }
  }

  /// - Parameters:
  ///   - name: what messages call it.
  ///   - own: bytes that each object takes outside of Lua, whatever it shares with others.
  ///   - charge: the memory outside of Lua that counts toward the state's limit while it holds the object.
  package init(
    name: StaticString, own: Int = 0, charge: @escaping @Sendable (Object) -> Charge? = { _ in nil },
    methods: @escaping @Sendable (inout Methods) -> Void = { _ in }
  ) {
    kind = .allocate(capacity: 1)
    kind.initialize(to: clg_kind(
      name: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
      release: { object in
        if let object { Unmanaged<AnyObject>.fromOpaque(object).release() }
      }, own: own))
    self.charge = charge
    self.methods = methods
  }

  /// Pushes the object. Inside a host section, with six slots free.
  package func push(_ object: Object, onto stack: LuaStack) {
    if clg_push_kind(stack.L, kind) != 0 { addMethods(to: stack) }
    stack.pop()
    let charge = charge(object)
    clg_push_object(stack.L, kind, Unmanaged<AnyObject>.passRetained(object).toOpaque(), charge?.address, charge?.bytes ?? 0)
  }

  /// The object at `index`, if there is one of this kind. Needs two slots.
  package func object(_ stack: LuaStack, at index: Int32) -> Object? {
    guard let object = clg_object_at(stack.L, index, kind) else { return nil }
    // The kind was checked: only `push` makes userdata of it, and only of `Object`s.
    return unsafeDowncast(Unmanaged<AnyObject>.fromOpaque(object).takeUnretainedValue(), to: Object.self)
  }

  /// As `object`, for a native function that takes it, and may keep it while Lua lets go of it.
  package func argument(_ stack: LuaStack, at index: Int32) -> Object? {
    guard let object = object(stack, at: index) else { return nil }
    if let charge = charge(object) { LuaState.holding(stack)?.noteTaken(charge) }
    return object
  }

  /// Whether there is a closed object at `index`.
  package func isClosed(_ stack: LuaStack, at index: Int32) -> Bool { clg_is_closed(stack.L, index, kind) != 0 }

  /// Gives the object at `index` back now; methods then say that it is closed.
  package func close(_ stack: LuaStack, at index: Int32) { clg_close_object(stack.L, index, kind) }

  /// What a message calls the value at `index`, which is not an object of this kind.
  package func describe(_ stack: LuaStack, at index: Int32) -> String {
    isClosed(stack, at: index) ? "a closed \(name)" : stack.describe(at: index)
  }

  private var name: String { String(cString: kind.pointee.name) }

  /// With the new metatable on top.
  private func addMethods(to stack: LuaStack) {
    guard let state = LuaState.holding(stack) else { return }
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
    for (name, push) in methods.operators {
      push(stack, state)
      stack.rawSet(-2, field: name)
    }
    stack.pushTable(fields: Int32(methods.named.count + methods.waits.count))
    for (name, op) in methods.waits {
      stack.pushWait(op: op)
      stack.rawSet(-2, field: name)
    }
    for (name, body, wait) in methods.named {
      let function = function(name, body)
      if let wait {
        state.push(function, waitingFor: wait.op, operand: wait.operand, onto: stack)
      } else {
        state.push(function, onto: stack)
      }
      stack.rawSet(-2, field: name)
    }
    for (name, push) in methods.functions {
      push(stack, state)
      stack.rawSet(-2, field: name)
    }
    if let index = methods.index {
      let function = NativeFunction(index)
      state.own(function)
      clg_push_index(stack.L, NativeFunction.entry, Unmanaged.passUnretained(function).toOpaque())
    }
    stack.rawSet(-2, field: "__index")
  }

  private func function(_ name: String, _ body: @escaping Method) -> NativeFunction {
    NativeFunction { stack in
      guard let object = self.object(stack, at: 1) else {
        let hint = self.isClosed(stack, at: 1) ? "" : " (call it with a colon)"
        return stack.fail("bad argument #1 to '\(name)': \(self.name) expected, got \(self.describe(stack, at: 1))\(hint)")
      }
      return body(object, stack)
    }
  }
}
