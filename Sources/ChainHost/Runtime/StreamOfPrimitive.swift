import ChainBase
import LuaBridge

extension PrimitiveStream {
  static let userdata = LuaUserdata<PrimitiveStream>(name: "stream", charge: { stream in
    let copied = stream.copied.load(ordering: .relaxed)
    return copied > 0 ? .init(stream, bytes: copied) : nil
  }, methods: { methods in
    methods.metaWait("__call", op: Op.nextNative.rawValue)
    methods.meta("__close", close)
    methods.add("close", close)
  })

  private static func close(_ stream: PrimitiveStream, _: LuaStack) -> Int32 {
    stream.close()
    return 0
  }

  /// Makes a stream and pushes what a generic `for` wants: the stream, twice nil, and the stream again as what is to be closed.
  static func push(onto stack: LuaStack, of lua: LuaState, _ make: () throws -> PrimitiveStream) rethrows -> Int32 {
    lua.startNoting()
    defer { _ = lua.stopNoting() }
    let stream = try make()
    if let taken = lua.stopNoting() { stream.copied.store(taken.copied, ordering: .relaxed) }
    userdata.push(stream, onto: stack)
    stack.pushNil()
    stack.pushNil()
    stack.push(copyOf: -3)
    return 4
  }
}

extension Lane {
  /// `stream()`: the next element of a primitive's stream, nil at the end.
  func beginNextNative(_ call: CallRef) {
    guard let stream = PrimitiveStream.userdata.object(call.waiter, at: 1) else {
      return wake(call, failure: Failure(code: Failure.Code.failed, message: "the stream is closed"))
    }
    beginNative(call, counter: call.state.module.counters.counter("\(stream.name).next")) { _ in
      {
        guard let push = try await stream.next() else {
          return { stack in
            stack.pushNil()
            return 1
          }
        }
        return push
      }
    }
  }
}
