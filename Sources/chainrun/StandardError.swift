import ChainLoop
import Glibc

/// Standard error. A thread of its own writes it, so that a lane that logs does not wait for whoever reads. Any thread.
enum StandardError {
  /// Bytes of log lines that may wait for the reader. What comes beyond is dropped, and counted.
  private static let mostWaiting = 1 << 20
  /// Nanoseconds. A reader that takes nothing for so long is not waited for any more.
  private static let patience: UInt64 = 2_000_000_000

  private static let queue = Monitor(LineQueue(most: mostWaiting))

  /// A line of a chainlet. Does not block.
  static func log(_ line: String) {
    queue.withLock { $0.log(line) }
    wakeWriter()
  }

  /// A line of the program itself, never dropped. It is written when this returns, unless nobody reads.
  static func note(_ line: String) {
    queue.withLock { $0.add(line) }
    wakeWriter()
    flush()
  }

  /// Waits until all lines so far are written: as long as somebody reads, and then no longer than `patience`.
  static func flush() {
    let last = queue.withLock { $0.lastToWrite() }
    while let written = queue.withLock({ $0.written < last ? $0.written : nil }) {
      let hasMoved = queue.wait(atMost: patience) { $0.written > written ? true : nil }
      if hasMoved == nil { return queue.withLock { $0.stalledAt = written } }
    }
  }

  /// As `flush`, but a reader that was once waited for in vain has to read on first: there may be many results.
  static func flushBeforeResult() {
    if queue.withLock({ $0.stalledAt != $0.written }) { flush() }
  }

  private static func wakeWriter() {
    let isFirst = queue.withLock { queue in
      defer { queue.hasWriter = true }
      return !queue.hasWriter
    }
    guard isFirst else { return queue.broadcast() }
    if SystemThread.start(named: "chain-errors", { while true { write(queue.wait { $0.next() }) } }) { return }
    // The system has no thread left: whoever has a line to say writes it.
    queue.withLock { $0.hasWriter = false }
    while let lines = queue.withLock({ $0.next() }) { write(lines) }
  }

  private static func write(_ lines: LineQueue.Taken) {
    var text = lines.text
    text.withUTF8 { _ = FileBytes.write($0, to: STDERR_FILENO) } // where it cannot be written, nobody reads
    queue.withLock { $0.written += lines.count }
    queue.broadcast()
  }
}

/// Lines that wait to be written, in their order.
private struct LineQueue {
  struct Taken {
    var text = ""
    var count = 0
  }

  /// Bytes of one `write`: what a pipe takes at once.
  private static let bytesAtOnce = 64 << 10

  private let most: Int
  private var lines: ArraySlice<String> = []
  private var bytes = 0
  private var dropped = 0
  private var added = 0
  var written = 0
  /// How many were written when the reader was given up.
  var stalledAt: Int?
  var hasWriter = false

  init(most: Int) { self.most = most }

  /// Adds a line if there is room. Once one was dropped half of it must be free, so that few gaps are told.
  mutating func log(_ line: String) {
    guard bytes + line.utf8.count < (dropped == 0 ? most : most / 2) else {
      dropped += 1
      return
    }
    add(line)
  }

  mutating func add(_ line: String) {
    tellDropped()
    append(line)
  }

  /// The number of the last line that is to be written now.
  mutating func lastToWrite() -> Int {
    tellDropped()
    return added
  }

  /// The next lines.
  mutating func next() -> Taken? {
    if lines.isEmpty { tellDropped() }
    var taken = Taken()
    while let line = lines.first, taken.count == 0 || taken.text.utf8.count + line.utf8.count < LineQueue.bytesAtOnce {
      lines.removeFirst()
      bytes -= line.utf8.count
      taken.text += line
      taken.text += "\n"
      taken.count += 1
    }
    return taken.count > 0 ? taken : nil
  }

  private mutating func tellDropped() {
    guard dropped > 0 else { return }
    append("log: \(dropped) \(dropped == 1 ? "line" : "lines") dropped, standard error is read too slowly")
    dropped = 0
  }

  private mutating func append(_ line: String) {
    lines.append(line)
    bytes += line.utf8.count
    added += 1
  }
}
