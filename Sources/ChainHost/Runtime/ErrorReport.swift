import ChainBase
import CLuaGuard
import LuaBridge

/// What the message handler saw where an error was raised, before the stack unwound.
struct ErrorReport {
  /// The use of the call in which it was.
  var serial: UInt64
  /// The error value's own text, or its beginning; a later error in a `<close>` handler has another.
  var original: String?
  /// With a hint and an excerpt, where there is something to say.
  var message: String?
  var trace: [Failure.TraceEntry]
}

extension ChainletState {
  /// The handler below every run of this state: it notes the trace and what could have been meant.
  func pushErrorHandler(onto stack: LuaStack) {
    stack.pushHandler({ L, state in
      NativeMethods.call(L, state, on: ChainletState.self) { state, stack in
        state.note(stack)
        return 1
      }
    }, of: self)
  }

  fileprivate func note(_ stack: LuaStack) {
    guard let run = lane.watch.pointee.run else { return }
    let call = UnsafeMutableRawPointer(run).assumingMemoryBound(to: Call.self)
    let frames = stack.ensure(24) ? stack.frames() : []
    let original = stack.text(at: -1, most: FailureValues.longestText)
    var report = ErrorReport(
      serial: call.pointee.serial, original: original, message: nil,
      trace: trace(of: frames, call))
    if let original, let frame = frames.first {
      report.message = ErrorHint(message: original, frame: frame, stack: stack, graph: program.graph).text
    }
    lane.report = report
  }
}

extension ChainletState {
  /// An entry for each function, the outermost being the one that the host called; a recursion is told once.
  func trace(of frames: [LuaFrame], _ call: CallRef) -> [Failure.TraceEntry] {
    var trace: [Failure.TraceEntry] = []
    for (position, frame) in frames.enumerated() {
      let isOutermost = position == frames.count - 1 && call.pointee.kind == .call
      let entry = Failure.TraceEntry(
        chainlet: name, place: SourcePlace(file: frame.file, line: frame.line), function: frame.function ?? (isOutermost ? "run" : nil))
      if trace.last != entry { trace.append(entry) }
    }
    return trace
  }
}

/// "attempt to call a nil value (field 'say_helo')" with what was meant, the source line and a caret.
struct ErrorHint {
  let message: String
  let frame: LuaFrame
  let stack: LuaStack
  let graph: Graph

  var text: String? {
    guard message.hasPrefix("\(frame.file):\(frame.line): ") else { return nil }
    guard let line = sourceLine else { return nil }
    guard message.contains("attempt to ") || message.contains("bad argument") else { return nil }
    var text = message
    var column: Int?
    if let name = quotedName {
      column = columnOf(name, in: line)
      if message.contains("(field '") || message.contains("(method '"), let column,
        let meant = nearestName(to: name, among: stack.names(of: path(before: column, in: line), level: frame.level))
      {
        text += "; did you mean '\(meant)'?"
      }
    }
    let number = String(frame.line)
    text += "\n  \(number) | \(line)"
    if let column {
      let lead = line.utf8.prefix(column).map { $0 == 9 ? "\t" : " " }.joined()
      text += "\n  \(String(repeating: " ", count: number.count)) | \(lead)^"
    }
    return text
  }

  private var sourceLine: String? {
    guard let file = graph.bundle.file(frame.file) else { return nil }
    guard let line = file.bytes(ofLine: frame.line), line.count <= 200 else { return nil }
    return String(decoding: line.filter { $0 != 13 }, as: UTF8.self)
  }

  /// The name that Lua's message puts in quotes: `(field 'x')`, `(local 'x')`.
  private var quotedName: String? {
    guard let open = message.lastIndex(of: "("), let quote = message[open...].firstIndex(of: "'") else { return nil }
    let rest = message[message.index(after: quote)...]
    guard let end = rest.firstIndex(of: "'") else { return nil }
    return String(rest[..<end])
  }

  /// The byte offset of a name in the line, as a whole word.
  private func columnOf(_ name: String, in line: String) -> Int? {
    let bytes = Array(line.utf8)
    let word = Array(name.utf8)
    guard !word.isEmpty, bytes.count >= word.count else { return nil }
    for start in 0...(bytes.count - word.count) where bytes[start..<(start + word.count)].elementsEqual(word) {
      let before = start == 0 || !ErrorHint.isWord(bytes[start - 1])
      let after = start + word.count == bytes.count || !ErrorHint.isWord(bytes[start + word.count])
      if before && after { return start }
    }
    return nil
  }

  /// `self.tools` for the line `  return self.tools.serach { … }` and the column of `serach`.
  private func path(before column: Int, in line: String) -> [String] {
    let bytes = Array(line.utf8)
    var position = column
    var path: [String] = []
    while position > 0, bytes[position - 1] == 46 || bytes[position - 1] == 58 {
      let end = position - 1
      var start = end
      while start > 0, ErrorHint.isWord(bytes[start - 1]) { start -= 1 }
      guard start < end else { return [] }
      path.insert(String(decoding: bytes[start..<end], as: UTF8.self), at: 0)
      position = start
    }
    return path
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte == 95
  }
}
