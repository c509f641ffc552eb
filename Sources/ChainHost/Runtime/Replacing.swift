import ChainBase
import LuaBridge

extension LiveChainlet {
  /// A chainlet whose `run` is a Swift function: nothing of its file is evaluated. What goes in and out is checked by
  /// the declared types, as for any other.
  init(replacing program: ChainletProgram, by replacement: @escaping Replacement, module: ChainModule, state: LuaState)
    throws(LuaError)
  {
    let name = program.declaration.name
    let run = NativeFunction { [unowned module] stack in
      do {
        let input = try module.failures.value(stack, at: 2).orThrow(LuaError(.runtime, "\(name): the input cannot be read"))
        let output = try replacement(input)
        guard module.failures.push(output, onto: stack) else {
          return stack.fail("the replacement of \(name) returned what Lua cannot hold")
        }
        return 1
      } catch let failure as Failure {
        module.failures.push(failure, onto: stack)
        return -1
      } catch { return stack.fail(error) }
    }
    let references: (Int32, Int32, Int32) = try state.hostSection { stack in
      stack.pushTable()
      let empty = stack.keep()
      state.push(run, onto: stack)
      return (empty, stack.keep(), empty)
    }
    self.init(classReference: references.0, run: references.1, moduleReference: references.2)
  }
}

extension Optional {
  fileprivate func orThrow(_ error: LuaError) throws(LuaError) -> Wrapped {
    guard let self else { throw error }
    return self
  }
}
