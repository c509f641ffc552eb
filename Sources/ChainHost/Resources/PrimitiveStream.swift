import ChainBase
import ChainLoop
import LuaBridge

/// An async sequence as a script sees it: an iterator that waits, closed by the end of its loop.
package final class PrimitiveStream: Sendable {
  package let name: String
  private let source: Monitor<Source>

  private enum Source: Sendable {
    case ready(any ElementSource)
    /// A run waits for the next element.
    case busy
    case ended
  }

  init<Elements: AsyncSequence & Sendable>(_ elements: Elements, name: String) where Elements.Element: LuaPushable & Sendable {
    self.name = name
    source = Monitor(.ready(Elements.source(of: elements)))
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
    case .ready(let elements):
      do {
        let push = try await elements.next()
        source.withLock { state in
          guard case .busy = state else { return } // closed meanwhile
          state = push == nil ? .ended : .ready(elements)
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

private protocol ElementSource: Sendable {
  func next() async throws -> (@Sendable (LuaStack) throws -> Int32)?
}

/// An iterator that one run at a time asks.
private final class SequenceSource<Elements: AsyncSequence>: ElementSource, @unchecked Sendable
where Elements.Element: LuaPushable & Sendable {
  // Unchecked: `PrimitiveStream` gives it to one run at a time.
  private var iterator: Elements.AsyncIterator

  init(_ elements: Elements) { iterator = elements.makeAsyncIterator() }

  func next() async throws -> (@Sendable (LuaStack) throws -> Int32)? {
    guard let element = try await iterator.next() else { return nil }
    return { stack in
      try element.push(to: stack)
      return 1
    }
  }
}

extension AsyncSequence where Element: LuaPushable & Sendable {
  fileprivate static func source(of elements: Self) -> any ElementSource { SequenceSource(elements) }
}
