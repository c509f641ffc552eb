/// The iterator of a sequence, for whoever asks for one element after the other and from different tasks.
final class SequenceSource<Elements: AsyncSequence>: @unchecked Sendable {
  // Unchecked: its owner asks for the next element when it has the one before.
  private var iterator: Elements.AsyncIterator

  init(_ elements: Elements) { iterator = elements.makeAsyncIterator() }

  func next() async throws -> Elements.Element? { try await iterator.next() }
}
