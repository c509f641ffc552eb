import ChainBase
import ChainTensors
import CLuaGuard
import LuaBridge

/// `require "tensor"`.
enum TensorModule {
  /// All functions that make something or go through something; a run that waits for one names it by its place here.
  private static let functions = TensorFunctions.constructors + TensorFunctions.methods + [("pick", TensorScores.pick), ("==", isEqual)]

  private static let places = Dictionary(functions.enumerated().map { ($0.element.0, $0.offset) }) { first, _ in first }

  /// How much work is done at once, in steps of about a nanosecond.
  enum MostWork {
    /// Where the run can wait; more is done in pieces.
    static let atOnce = 1 << 20
    /// Where it cannot.
    static let withoutWaiting = 1 << 24
    /// While a file is loaded, which holds up no lane.
    static let whileLoading = 1 << 30
  }

  /// Pushes the module's table, a new one. In a host section of the state.
  static func push(onto stack: LuaStack, state: LuaState) {
    let functions = TensorFunctions.constructors + TensorFunctions.methods
    stack.pushTable(fields: Int32(functions.count + 1))
    for (name, _) in functions {
      push(name, onto: stack, state: state)
      stack.rawSet(-2, field: name)
    }
    pushPick(onto: stack, state: state)
    stack.rawSet(-2, field: "pick")
    stack.makeReadOnly(name: "tensor")
  }

  /// Pushes one of the functions.
  static func push(_ name: String, onto stack: LuaStack, state: LuaState) {
    let wait = wait(name)
    state.push(NativeFunction(body(name)), waitingFor: wait.op, operand: wait.operand, onto: stack)
  }

  /// Calls `math.random` before it comes to Swift, so that a pick follows the state's seed.
  static func pushPick(onto stack: LuaStack, state: LuaState) {
    let wait = wait("pick")
    state.pushWithChance(NativeFunction(body("pick")), waitingFor: wait.op, operand: wait.operand, onto: stack)
  }

  /// What Lua calls one of the functions by.
  static func body(_ name: String) -> (LuaStack) -> Int32 {
    let place = places[name] ?? 0
    return { stack in call(place, stack, stack.canWait ? .share(share) : .whole) }
  }

  /// What a run waits for when one of the functions is too much work for now.
  static func wait(_ name: String) -> LuaUserdata<Tensor>.Methods.Wait { (op, Int32(places[name] ?? 0)) }

  /// Whoever runs the state knows the wait by it; waits of its own have small numbers.
  static let op: Int32 = 255
  private static let share = WorkShare(bytes: .max, nodes: .max, work: MostWork.atOnce)

  private static let isEqual: TensorFunctions.Body = { a in
    a.stack.push(boolean: try a.tensor(1).isEqual(to: a.tensor(2)))
    return 1
  }

  // MARK: Calls

  /// What became of a function.
  private enum Outcome {
    case results(Int32), wrong(String), noMemory
    /// It has not been done: its arguments are still on the stack.
    case tooMuchWork(steps: Int)
    /// Nobody wants it any more.
    case unwanted
  }

  static func call(_ place: Int, _ stack: LuaStack, _ stepping: Stepping) -> Int32 {
    let most = switch stepping {
    case .share(let share): share.work
    case .pieces: Int.max
    case .whole: LuaState.of(stack).pointee.loading != 0 ? MostWork.whileLoading : MostWork.withoutWaiting
    }
    switch attempt(place, stack, work: most, pause: stepping.pause) {
    case .results(let count): return count
    case .wrong(let message): return stack.fail(message)
    case .noMemory: return Int32(CLG_NO_MEMORY)
    case .unwanted: return 0 // its time is over, or its call
    case .tooMuchWork where stepping.share != nil: return LuaStack.waits
    case .tooMuchWork(let steps):
      return stack.fail(
        "\(functions[place].0): too much work at once, about \(steps) steps where at most \(most) are done: Lua cannot pause meanwhile "
          + "in a message handler of xpcall or a metamethod that a library function uses, nor while a file is loaded; do it elsewhere")
    }
  }

  /// Runs a function for a script. What it takes may not be more than the state has room for; when it would be, the state
  /// is collected first, and then it is out of memory.
  private static func attempt(_ place: Int, _ stack: LuaStack, work: Int, pause: TensorAllowance.Pause?) -> Outcome {
    guard stack.ensure(16) else { return .noMemory }
    let (name, body) = functions[place]
    let (state, top) = (LuaState.of(stack), stack.top)
    let arguments = TensorArguments(stack: stack, name: name)
    for isLast in [false, true] {
      let room = max(0, state.pointee.memory.limit - min(state.pointee.memory.used, state.pointee.memory.limit))
      do {
        return .results(try TensorAllowance.within(bytes: room, work: work, pause: pause) { try body(arguments) })
      } catch let failure as Failure where failure.code == Failure.Code.memoryLimit {
        if isLast { break }
        stack.setTop(top)
        stack.collectGarbage()
      } catch let error as LuaError where error.kind == .memory {
        return .noMemory
      } catch let excess as TensorAllowance.TooMuchWork {
        stack.setTop(top)
        return .tooMuchWork(steps: excess.steps)
      } catch is TensorAllowance.Unwanted {
        return .unwanted
      } catch {
        return .wrong(message(of: error))
      }
    }
    return .noMemory
  }

  /// Runs what takes nothing worth counting.
  static func look(_ name: String, _ body: TensorFunctions.Body, _ stack: LuaStack) -> Int32 {
    guard stack.ensure(16) else { return Int32(CLG_NO_MEMORY) }
    do { return try body(TensorArguments(stack: stack, name: name)) } catch { return stack.fail(message(of: error)) }
  }
}
