import ChainBase
import CLuaGuard
import LuaBridge

/// How the stream field of an input crosses: the callee becomes the reader of its caller's stream.
extension Lane {
  /// May be called again for a callee that has it already: a crossing that turns out to be large begins anew.
  func handOverStream(to callee: CallRef) -> LuaToLua.StreamHook {
    { [unowned self] from, index, to in
      guard let caller = callee.parent, let field = callee.state.program.input.streamField,
        let id = from.handle(at: index, metatable: caller.state.streamMetatable)
      else { return false }
      let channel = callee.existingExtra?.inputs[Int32(truncatingIfNeeded: id)]
        ?? handOver(findStream(from, at: index, of: caller), from: caller, to: callee, as: field.items)
      guard let channel else { return false }
      pushHandle(of: channel, onto: to, in: callee.state)
      return true
    }
  }

  private func handOver(_ channel: StreamChannel?, from caller: CallRef, to callee: CallRef, as items: SchemaProgram) -> StreamChannel? {
    guard let channel, case .state(let old, _, _) = channel.reader, old === caller.state else {
      callee.extra.streamProblem = "the stream is closed, or was handed on"
      return nil
    }
    guard !channel.isBeingRead else {
      callee.extra.streamProblem = "the stream is being read by another task of this call"
      return nil
    }
    do throws(LuaError) {
      let target = try callee.state.link(to: items)
      if let producer = channel.producer { channel.items = try producer.state.link(to: items) }
      channel.reader = .state(callee.state, items: target, result: nil)
      channel.handles = 0 // those that are left behind say nothing
      channel.charge(StreamChannel.weight, to: callee.state.lua)
    } catch { return nil }
    if let writer = channel.writing { // its item is on the way to the old reader
      abandonCrossing(of: writer)
      channel.writing = nil
      waitForRoom(writer, in: channel, first: true)
    }
    switch channel.end {
    case .finished(let reference): // what the writer returned stays behind: an input has no result
      if reference != 0 { old.lua.main.release(reference) }
      channel.end = .finished(0)
    case .failed(let failure): failure.move(to: callee.state)
    case nil: break
    }
    channel.owner?.existingExtra?.inputs[channel.id] = nil
    callee.extra.inputs[channel.id] = channel
    channel.owner = callee
    return channel
  }
}
