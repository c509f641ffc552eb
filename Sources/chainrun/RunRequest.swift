import ChainBase
import ChainHost

/// One request from the command line, and the printing of its answer.
struct RunRequest: Sendable {
  let chain: Chain
  let entrypoint: Entrypoint
  let input: [UInt8]
  let feed: ChainFeed?
  /// Nanoseconds.
  let timeout: UInt64?
  let output: ResultFile

  /// In which form an answer is printed.
  private enum Form { case json, raw, items(hasResult: Bool) }

  private var form: Form {
    func form(_ kind: ChainType.Kind?) -> Form {
      switch kind {
      case .bytes, .blob: .raw
      case .optional(let inner): form(inner.kind)
      case .stream(_, let result): .items(hasResult: result != nil)
      default: .json
      }
    }
    return form(entrypoint.chainlet.output?.kind)
  }

  /// Why there is no whole answer, or nil.
  func run() async -> CommandFailure? {
    var output = output
    do {
      try await answer(to: &output)
      return nil
    } catch {
      output.discard()
      return error
    }
  }

  private func answer(to output: inout ResultFile) async throws(CommandFailure) {
    let options = Chain.RequestOptions(entry: entrypoint.name, timeout: timeout, feed: feed)
    switch form {
    case .json: try output.write(try await asked { () throws(Failure) in try await chain.run(json: input, options) }, line: true)
    case .raw:
      let value = try await asked { () throws(Failure) in try await chain.run(json: input, as: .value, options) }
      if case .value(.bytes(let bytes)) = value { return try output.write(bytes) }
      try output.write(bytes(of: value), line: true)
    case .items(let hasResult): try await printItems(hasResult, options, to: &output)
    }
  }

  private func printItems(
    _ hasResult: Bool, _ options: Chain.RequestOptions, to output: inout ResultFile
  ) async throws(CommandFailure) {
    let stream = try await asked { () throws(Failure) in try chain.stream(json: input, options) }
    while let item = try await asked({ () throws(Failure) in try await stream.next() }) {
      try output.write(bytes(of: item), line: true)
    }
    guard hasResult else { return try output.write([]) }
    let result = try await asked { () throws(Failure) in try await stream.result() }
    try output.write(bytes(of: result), line: true)
  }

  private func bytes(of output: ChainOutput) -> [UInt8] {
    switch output {
    case .json(let bytes): bytes
    case .value(let value): value.json
    }
  }

  /// An ending in words of the command line.
  private func asked<Value>(_ body: () async throws(Failure) -> Value) async throws(CommandFailure) -> Value {
    do { return try await body() } catch { throw CommandFailure(error) }
  }
}
