import ChainBase

/// A loaded graph that answers requests. Any thread.
public final class Chain: Sendable {
  private let host: ChainHost
  let generation: Generation

  init(host: ChainHost, generation: Generation) {
    self.host = host
    self.generation = generation
  }

  /// What the files declare.
  public var graph: Graph { generation.graph }
  /// The number of the generation that serves; never reused.
  public var version: UInt64 { generation.number }
  /// The names of the entrypoints; a single one has its chainlet's name.
  public var entrypoints: [String] { generation.graph.entrypoints.map(\.name) }

  public typealias RequestOptions = ChainRequestOptions

  /// Runs an entrypoint: `try await chain.run(["names": ["Ada", "Grace"]])`. Cancelling the task cancels the request.
  /// - Throws: the chain's `Failure`, or `bad_input` when the input does not fit the declared type.
  public func run(_ input: ChainValue, _ options: RequestOptions = RequestOptions()) async throws(Failure) -> ChainValue {
    guard case .value(let value) = try await output(of: .value(input), .value, options) else { return .null }
    return value
  }

  /// As `run`, from any `Encodable` to any `Decodable`: `let reply: String = try await chain.run(["names": names])`.
  /// - Throws: also `bad_input` when the input cannot be encoded, and `bad_output` when the answer is no `Output`.
  public func run<Input: Encodable & Sendable, Output: Decodable & Sendable>(
    _ input: Input, _ options: RequestOptions = RequestOptions(), as _: Output.Type = Output.self
  ) async throws(Failure) -> Output {
    let value: ChainValue
    do { value = try ValueEncoder.encode(input) } catch {
      throw Failure(code: Failure.Code.badInput, message: "the input cannot be encoded: \(error)")
    }
    return try Chain.decoded(try await run(value, options) as ChainValue, "answer")
  }

  /// As the other, from a value: `let reply: String = try await chain.run(["names": ["Ada", "Grace"]])`.
  public func run<Output: Decodable & Sendable>(
    _ input: ChainValue, _ options: RequestOptions = RequestOptions(), as _: Output.Type = Output.self
  ) async throws(Failure) -> Output {
    let answer: ChainValue = try await run(input, options)
    return try Chain.decoded(answer, "answer")
  }

  /// As `run`, from JSON text to JSON text, checked straight between bytes and Lua tables.
  public func run(json: [UInt8], _ options: RequestOptions = RequestOptions()) async throws(Failure) -> [UInt8] {
    guard case .json(let bytes) = try await output(of: .json(json), .json, options) else { return [] }
    return bytes
  }

  /// As `run`, from JSON text; the answer in the form that is asked for.
  package func run(json: [UInt8], as form: OutputForm, _ options: RequestOptions = RequestOptions()) async throws(Failure) -> ChainOutput {
    try await output(of: .json(json), form, options)
  }

  private func output(of input: ChainInput, _ form: OutputForm, _ options: RequestOptions) async throws(Failure) -> ChainOutput {
    let (entry, isStream) = try entrypoint(options)
    guard !isStream else {
      let stream = try ChainStream(host: host, generation: generation, entry: entry, input: input, form: form, options: options)
      return try await stream.collect()
    }
    let lane = try host.lane()
    let id = host.requestID()
    let number = generation.number
    let result: Result<ChainOutput, Failure> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let reply = Reply(continuation, ifDropped: Result<ChainOutput, Failure>.failure(.hostStops))
        lane.promise(reply) { .failure($0.failure(for: id)) }
        lane.post {
          lane.asLane {
            lane.open(
              RequestOpening(id: id, generation: number, entry: entry, input: input, form: form, options: options)
            ) { reply.give($0) }
          }
        }
        // A cancellation that came before has found nothing to cancel.
        if Task.isCancelled { lane.post { lane.asLane { lane.cancelRequest(id) } } }
      }
    } onCancel: {
      lane.post { lane.asLane { lane.cancelRequest(id) } }
    }
    return try result.get()
  }

  /// Streams an entrypoint whose output is a stream: its items, then `result()`.
  public func stream(_ input: ChainValue, _ options: RequestOptions = RequestOptions()) throws(Failure) -> ChainStream {
    try stream(of: .value(input), .value, options)
  }

  /// As `stream`, with items of a type: `for try await word in try chain.stream(["prompt": "…"], of: String.self) { … }`.
  public func stream<Item: Decodable & Sendable>(
    _ input: ChainValue, _ options: RequestOptions = RequestOptions(), of _: Item.Type
  ) throws(Failure) -> AsyncThrowingMapSequence<ChainStream, Item> {
    try stream(input, options).map { item in
      guard case .value(let value) = item else { throw Failure(code: Failure.Code.badOutput, message: "an item is no value") }
      return try Chain.decoded(value, "item")
    }
  }

  private static func decoded<Output: Decodable>(_ value: ChainValue, _ what: String) throws(Failure) -> Output {
    do { return try ValueDecoder.decode(Output.self, from: value) } catch {
      let reason = (error as? DecodingError).map { ValueDecoder.message(of: $0) } ?? "\(error)"
      throw Failure(code: Failure.Code.badOutput, message: "the \(what) is no \(Output.self): \(reason)")
    }
  }

  /// As `stream`, from JSON text to JSON texts.
  public func stream(json: [UInt8], _ options: RequestOptions = RequestOptions()) throws(Failure) -> ChainStream {
    try stream(of: .json(json), .json, options)
  }

  private func stream(of input: ChainInput, _ form: OutputForm, _ options: RequestOptions) throws(Failure) -> ChainStream {
    let (entry, isStream) = try entrypoint(options)
    guard isStream else {
      throw Failure(code: Failure.Code.badInput, message: "the output of \(graph.entrypoints[entry].name) is no stream; use run")
    }
    return try ChainStream(host: host, generation: generation, entry: entry, input: input, form: form, options: options)
  }

  /// The position of the entrypoint and whether it streams.
  private func entrypoint(_ options: RequestOptions) throws(Failure) -> (Int, Bool) {
    let names = entrypoints
    func found(_ position: Int) -> (Int, Bool) { (position, generation.programs[graph.entrypoints[position].chainlet].isStream) }
    guard let name = options.entry else {
      if names.count == 1 { return found(0) }
      throw Failure(code: Failure.Code.badInput, message: "the graph has several entrypoints (\(names.joined(separator: ", "))): name one")
    }
    if let position = names.firstIndex(of: name) { return found(position) }
    throw Failure(code: Failure.Code.badInput, message: "there is no entrypoint '\(name)'; there are: \(names.joined(separator: ", "))", status: 404)
  }

  /// Closes the states of this chain; requests that run go on to their end first.
  public func close() async {
    await host.close(generation)
  }
}
