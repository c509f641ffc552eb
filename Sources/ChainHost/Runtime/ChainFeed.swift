import ChainBase

/// Fills the stream field of an entrypoint's input from outside: `chain.run(["lang": "en"], .init(feed: ChainFeed(audio)))`.
///
/// The next item is asked for while the chain has room for it (16 items or 1 MB), one at a time. An item that does not fit
/// the declared type, and an error of the sequence, reach the chainlet that reads. The end of the request, or of the
/// reading, lets the sequence go and cancels the task that waits for its next element.
public struct ChainFeed: Sendable {
  let next: @Sendable () async throws -> ChainOutput?

  /// Items as values. The sequence is iterated once, on tasks that begin on a lane: its `next` must not block.
  public init<Items: AsyncSequence & Sendable>(_ items: Items) where Items.Element == ChainValue {
    let source = SequenceSource(items)
    next = { try await source.next().map { .value($0) } }
  }

  /// As the other, for items that are JSON texts.
  public init<Texts: AsyncSequence & Sendable>(json texts: Texts) where Texts.Element == [UInt8] {
    let source = SequenceSource(texts)
    next = { try await source.next().map { .json($0) } }
  }
}
