/// A copy of a text with zeros behind it, less a byte order mark before it: what `JSONTokens` reads.
struct PaddedText: ~Copyable {
  let start: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>
  private let memory: UnsafeMutablePointer<UInt8>

  static let padding = 64

  init(_ text: UnsafeRawBufferPointer) {
    var text = text
    if text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF { text = UnsafeRawBufferPointer(rebasing: text[3...]) }
    memory = .allocate(capacity: text.count + PaddedText.padding)
    if let base = text.baseAddress { memory.update(from: base.assumingMemoryBound(to: UInt8.self), count: text.count) }
    (memory + text.count).update(repeating: 0, count: PaddedText.padding)
    start = UnsafePointer(memory)
    end = start + text.count
  }

  deinit { memory.deallocate() }
}
