import ChainBase
import LuaBridge

/// The keys of a spec that hold numbers: limits, scaling, batch; and secrets.
extension RecordReader {
  func secrets(_ stack: LuaStack, into declaration: inout ChainletDeclaration) {
    guard kind(stack, -1) == .plainTable else {
      return note("secrets is a list of names, got \(describe(stack, -1))", "write secrets = { \"API_KEY\" }")
    }
    let (names, others) = keys(stack, -1)
    let length = stack.rawLength(at: -1)
    if !names.isEmpty || others.count != length {
      return note("secrets is a plain list of names", "write secrets = { \"API_KEY\" }")
    }
    for position in 0..<min(length, 1_000) {
      stack.rawGet(-1, at: Int64(position) + 1)
      defer { stack.pop() }
      guard let name = stack.text(at: -1), RecordReader.isIdentifier(name) else {
        note("a secret's name is a word of letters, digits and _, got \(describe(stack, -1))")
        continue
      }
      if !declaration.secrets.contains(name) { declaration.secrets.append(name) }
    }
    declaration.secrets.sort()
  }

  func limits(_ stack: LuaStack, into limits: inout ChainletDeclaration.Limits) {
    let known = ["memory", "cpu", "time", "depth", "output", "nodes", "coroutines", "source", "tasks"]
    eachOption(stack, "limits", known, example: "limits = { memory = \"64MB\", time = 30 }") { name in
      let problems = notes.count
      switch name {
      case "memory": limits.memory = bytes(stack, name) ?? limits.memory
      case "cpu": limits.cpu = seconds(stack, name) ?? limits.cpu
      case "time": limits.time = seconds(stack, name) ?? limits.time
      case "depth": limits.depth = whole(stack, name, in: 1...200) ?? limits.depth
      case "output": limits.output = bytes(stack, name) ?? limits.output
      case "nodes": limits.nodes = whole(stack, name, in: 1...1_000_000_000) ?? limits.nodes
      case "coroutines": limits.coroutines = whole(stack, name, in: 1...10_000_000) ?? limits.coroutines
      case "source": limits.source = bytes(stack, name) ?? limits.source
      default: limits.tasks = whole(stack, name, in: 1...10_000_000) ?? limits.tasks
      }
      // In the place of a value that was refused stands the default, for which nobody asked.
      if notes.count == problems { limits.given.insert(name) }
    }
  }

  func scaling(_ stack: LuaStack, into scaling: inout ChainletDeclaration.Scaling) {
    eachOption(stack, "scaling", ["concurrency", "queue"], example: "scaling = { concurrency = 256, queue = 1024 }") { name in
      if name == "concurrency" {
        scaling.concurrency = whole(stack, name, in: 1...1_000_000) ?? scaling.concurrency
      } else {
        scaling.queue = whole(stack, name, in: 0...10_000_000) ?? scaling.queue
      }
    }
  }

  func batch(_ stack: LuaStack, into declaration: inout ChainletDeclaration) {
    var size: Int?
    var delay: Double?
    eachOption(stack, "batch", ["max_size", "max_delay"], example: "batch = { max_size = 32, max_delay = 0.002 }") { name in
      if name == "max_size" {
        size = whole(stack, name, in: 1...1_000_000)
      } else {
        delay = seconds(stack, name)
      }
    }
    declaration.batch = ChainletDeclaration.Batch(maxSize: size ?? 32, maxDelay: delay ?? 0.002)
  }

  private func eachOption(_ stack: LuaStack, _ what: String, _ known: [String], example: String, _ body: (String) -> Void) {
    guard kind(stack, -1) == .plainTable else {
      return note("\(what) is a plain table, got \(describe(stack, -1))", "write \(example)")
    }
    let (names, others) = keys(stack, -1)
    if let first = others.first { note("\(what) names its keys, got a value at \(first)", "write \(example)") }
    for name in names {
      within(name) {
        guard known.contains(name) else {
          return note("\(what) has no key '\(name)'", didYouMean(name, known) ?? "the keys are \(known.joined(separator: ", "))")
        }
        stack.rawGet(-1, field: name)
        defer { stack.pop() }
        if kind(stack, -1) != .unknown { body(name) }
      }
    }
  }

  // MARK: Numbers

  /// A number of seconds on top, more than 0.
  func seconds(_ stack: LuaStack, _ name: String) -> Double? {
    let value = stack.type(at: -1) == .number ? stack.number(at: -1) : .nan
    guard value > 0, value <= 1e9 else {
      note("\(name) must be a number of seconds above 0, got \(describe(stack, -1))", word: name)
      return nil
    }
    return value
  }

  /// A whole number on top, in a range.
  func whole(_ stack: LuaStack, _ name: String, in range: ClosedRange<Int>) -> Int? {
    guard stack.type(at: -1) == .number, let value = stack.isInteger(at: -1) ? Int(stack.integer(at: -1)) : Int(exactly: stack.number(at: -1)),
      range.contains(value)
    else {
      note("\(name) must be an integer from \(range.lowerBound) to \(range.upperBound), got \(describe(stack, -1))", word: name)
      return nil
    }
    return value
  }

  /// A number of bytes on top, or a text like "64MB".
  func bytes(_ stack: LuaStack, _ name: String) -> Int? {
    if stack.type(at: -1) == .number {
      return whole(stack, name, in: 1...RecordReader.mostBytes)
    }
    guard let text = stack.text(at: -1), let value = RecordReader.byteCount(text) else {
      note("\(name) must be a number of bytes or a text like \"64MB\" (\(RecordReader.byteUnits)), got \(describe(stack, -1))", word: name)
      return nil
    }
    return value
  }

  private static let mostBytes = 1 << 50
  /// For messages.
  static let byteUnits = "KB, MB or GB, at most \(mostBytes >> 30) GB"

  /// "64MB", "1.5 GB", "512 kb", "100": units are powers of 1,024.
  static func byteCount(_ text: String) -> Int? {
    var digits = Substring(text.lowercased())
    let units: [(String, Double)] = [
      ("kib", 1_024), ("mib", 1_048_576), ("gib", 1_073_741_824), ("kb", 1_024), ("mb", 1_048_576), ("gb", 1_073_741_824),
      ("k", 1_024), ("m", 1_048_576), ("g", 1_073_741_824), ("b", 1),
    ]
    var factor = 1.0
    if let unit = units.first(where: { digits.hasSuffix($0.0) }) {
      digits.removeLast(unit.0.count)
      factor = unit.1
    }
    while digits.last == " " { digits.removeLast() }
    guard let first = digits.utf8.first, (48...57).contains(first), digits.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 }),
      let number = Double(digits)
    else { return nil }
    let value = (number * factor).rounded(.down)
    return value >= 1 && value <= Double(mostBytes) ? Int(value) : nil
  }
}
