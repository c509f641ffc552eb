import ChainBase
import ChainLoop
import LuaBridge
import Synchronization

/// An async sequence as a script sees it: an iterator that waits, closed by the end of its loop.
package final class PrimitiveStream: Sendable {
  package let name: String
  private let source: Monitor<Source>
  /// Bytes that it holds of the arguments of its function.
  let copied = Atomic<Int>(0)

  private typealias Next = @Sendable () async throws -> (@Sendable (LuaStack) throws -> Int32)?

  private enum Source: Sendable {
    case ready(Next)
    /// A run waits for the next element.
    case busy
    case ended
  }

  init<Elements: AsyncSequence & Sendable>(_ elements: Elements, name: String) where Elements.Element: LuaPushable & Sendable {
    self.name = name
    let elements = SequenceSource(elements)
    source = Monitor(.ready {
      guard let element = try await elements.next() else { return nil }
      return { stack in
        try element.push(to: stack)
        return 1
      }
    })
  }

  /// The next element to be pushed; nil is the end.
  func next() async throws -> (@Sendable (LuaStack) throws -> Int32)? {
    let taken = source.withLock { state -> Source in
      defer { if case .ready = state { state = .busy } }
      return state
    }
    switch taken {
    case .ended: return nil
    case .busy: throw LuaError(.runtime, "the stream of '\(name)' is being read by another task: one at a time")
    case .ready(let following):
      do {
        let push = try await following()
        source.withLock { state in
          guard case .busy = state else { return } // closed meanwhile
          state = push == nil ? .ended : .ready(following)
        }
        return push
      } catch {
        source.withLock { $0 = .ended }
        throw error
      }
    }
  }

  /// Lets the sequence go: what makes its elements is told by its own means.
  func close() {
    let dropped = source.withLock { state in
      defer { state = .ended }
      return state
    }
    _ = dropped
  }
}
