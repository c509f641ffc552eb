import ChainBase
import ChainHost
import ChainLoop
import ChainTensors
import ChainText
import LuaBridge

/// `chain.model { engine = "tokenizer", path = "tokenizer.json" }`: text to the token ids of a model, and back.
enum TokenizerKind {
  static let kind = ResourceKind(
    "model", doc: "A tokenizer.", annotation: "chain.Tokenizer", options: { _ in options }, label: { Models.label($0) },
    identify: { given, context throws(Failure) in try ModelFile(Models.path(given), folder: context.folder).digest() }, face: face
  ) { given, context in
    try TokenizerResource(ModelFile(Models.path(given), folder: context.folder), context.environment)
  }

  private static let options = ChainType(.record([ChainType.Field(name: "path", type: ChainType(.string))]))

  // MARK: In Lua

  private static let face: ResourceFace = {
    var face = ResourceFace()
    face.add("encode", doc: "The token ids of a text, or of a list of texts filled up to the longest: the inputs of a model.",
      "fun(self: chain.Tokenizer, text: string|string[], options?: chain.EncodeOptions): chain.Tokens", .waiting { resource, stack in
      let tokenizer = try tokenizer(resource)
      let order = try EncodeOrder(stack)
      return {
        let tokens = try await tokenizer.work(on: order.bytes) { tokenizer, _ in try order.inputs(tokenizer) }
        return { stack in
          stack.pushTable(fields: Int32(tokens.count))
          for (name, tensor) in tokens {
            try tensor.push(to: stack)
            stack.rawSet(-2, field: name)
          }
          return 1
        }
      }
    })
    face.add("decode", doc: "The text of token ids, without the special ones.",
      "fun(self: chain.Tokenizer, ids: integer[]|chain.Tensor): string", .waiting { resource, stack in
      let tokenizer = try tokenizer(resource)
      let ids = try ids(stack)
      return {
        let text = try await tokenizer.work(on: ids.count * MemoryLayout<Int32>.size) { tokenizer, _ in tokenizer.decode(ids) }
        return { stack in
          stack.push(text: text)
          return 1
        }
      }
    })
    face.add("count", doc: "How many tokens a text has, the special ones and what `encode` would cut off too.",
      "fun(self: chain.Tokenizer, text: string): integer", .waiting { resource, stack in
      let tokenizer = try tokenizer(resource)
      let text = try read(String.self, stack, at: 2, "count")
      guard text.utf8.count <= longestText else { throw LuaError(.runtime, "bad argument #1 to 'count': \(tooLong)") }
      return {
        let count = try await tokenizer.work(on: text.utf8.count) { tokenizer, _ in try tokenizer.count(text) }
        return { stack in
          stack.push(integer: Int64(count))
          return 1
        }
      }
    })
    face.add("chunks", doc: "Parts of a text of so many tokens at most: what `text.chunks` does with this tokenizer.",
      "fun(self: chain.Tokenizer, text: string, options: text.ChunkOptions): string[]", .waiting { resource, stack in
      let tokenizer = try tokenizer(resource)
      let text = try read(String.self, stack, at: 2, "chunks")
      let chunks = try TextChunks(stack, at: 3)
      return {
        let parts = try await tokenizer.work(on: text.utf8.count) { try cut(text, chunks, $0, isWanted: $1) }
        return { stack in
          try parts.push(to: stack)
          return 1
        }
      }
    })
    return face
  }()

  /// The parts of a text, each measured with the special tokens that it gets when it is encoded.
  private static func cut(_ text: String, _ chunks: TextChunks, _ tokenizer: Tokenizer, isWanted: () -> Bool) throws -> [String] {
    let special = try tokenizer.count("")
    guard chunks.size > special else {
      throw Failure(
        code: Failure.Code.failed,
        message: "chunks: a part of \(chunks.size) tokens has no room for text beside the \(special) special ones: make the size larger")
    }
    var inner = chunks
    inner.size -= special
    inner.overlap = min(inner.overlap, inner.size - 1)
    var text = text
    return try text.withUTF8 { bytes in
      let bytes = UnsafeRawBufferPointer(bytes)
      var parts: [String] = []
      var left = mostPartBytes
      try inner.forEach(in: bytes) { piece in
        guard isWanted() else { throw CancellationError() }
        return try tokenizer.count(String(decoding: bytes[piece], as: UTF8.self), special: false)
      } _: { part in
        let part = bytes.trimmed(part)
        left -= part.count
        guard left >= 0, parts.count < mostParts else {
          throw Failure(
            code: Failure.Code.failed,
            message: "chunks: more than \(mostParts) parts, or \(mostPartBytes) bytes in all: make the overlap smaller or the size larger, or give it less text")
        }
        if !part.isEmpty { parts.append(String(decoding: bytes[part], as: UTF8.self)) }
        return true
      }
      return parts
    }
  }

  /// Bytes of one text, whose every character is kept track of, and ids that are decoded in one call.
  fileprivate static let longestText = 1 << 20, mostIDs = 200_000
  /// Texts of one call of `encode`, and their bytes.
  fileprivate static let mostTexts = 10_000, mostTextBytes = 4 << 20
  /// Parts that `chunks` gives, and their bytes.
  private static let mostParts = 50_000, mostPartBytes = 16 << 20
  fileprivate static let tooLong = "a text of more than \(longestText) bytes; take it in parts, with chunks"

  private static func tokenizer(_ resource: any Resource) throws(LuaError) -> TokenizerResource {
    guard let tokenizer = resource as? TokenizerResource else { throw LuaError(.runtime, "the resource is no tokenizer") }
    return tokenizer
  }

  fileprivate static func read<Value: LuaReadable>(_: Value.Type, _ stack: LuaStack, at index: Int32, _ method: String) throws(LuaError) -> Value {
    do throws(LuaError) { return try Value.read(from: stack, at: index) } catch {
      throw LuaError(error.kind, "bad argument #\(index - 1) to '\(method)': \(error.message)")
    }
  }

  /// A list of integers, or a tensor of one dimension.
  private static func ids(_ stack: LuaStack) throws -> [Int32] {
    if let tensor = try? Tensor.read(from: stack, at: 2) {
      guard tensor.rank == 1, !tensor.dtype.isFloat, tensor.dtype != .bool else {
        throw LuaError(.runtime, "bad argument #1 to 'decode': the ids of one text expected, got \(tensor); take a row of it")
      }
      guard tensor.count <= mostIDs else { throw LuaError(.runtime, "bad argument #1 to 'decode': more than \(mostIDs) ids") }
      try stack.countRead(bytes: tensor.count * MemoryLayout<Int32>.size)
      return try tensor.cast(to: .int64).array(of: Int64.self).map { Int32(clamping: $0) }
    }
    guard stack.type(at: 2) != .table || stack.rawLength(at: 2) <= mostIDs else {
      throw LuaError(.runtime, "bad argument #1 to 'decode': more than \(mostIDs) ids")
    }
    return try read([Int].self, stack, at: 2, "decode").map { Int32(clamping: $0) }
  }
}

/// A tokenizer that all lanes share. Any thread.
private final class TokenizerResource: Resource {
  private let tokenizer: Tokenizer
  private let environment: any Environment
  let bytes: Int

  init(_ file: ModelFile, _ environment: any Environment) throws {
    tokenizer = try Tokenizer(ChainValue(json: file.contents()))
    self.environment = environment
    bytes = file.bytes * 4 // roughly: the vocabulary twice, by token and by id, and the merges
  }

  func close() {}

  /// Works on so many bytes: at once where it takes no longer than to ask another thread.
  func work<Value: Sendable>(on bytes: Int, _ body: @escaping @Sendable (Tokenizer, _ isWanted: () -> Bool) throws -> Value) async throws -> Value {
    let tokenizer = tokenizer
    if bytes < 1024 { return try body(tokenizer) { true } }
    return try await EngineJob.run(environment) { control in try body(tokenizer) { !control.isCancelled } }
  }
}

/// The arguments of `encode`: a text or a list of texts, and `{ pair, max, special }`.
private struct EncodeOrder: Sendable {
  var texts: [String]
  var pairs: [String]?
  var limit: Int?
  var special = true

  init(_ stack: LuaStack) throws {
    texts = try EncodeOrder.texts(stack, at: 2, "bad argument #1 to 'encode'")
    guard stack.top > 2, stack.type(at: 3) != .nil else { return }
    let what = "bad argument #2 to 'encode'"
    guard stack.type(at: 3) == .table else { throw LuaError(.runtime, "\(what): table of options expected, got \(stack.describe(at: 3))") }
    var order = self
    let names = ["pair", "max", "special"]
    try stack.forEachField(at: 3) { name, place throws(LuaError) in
      do throws(LuaError) {
        switch name {
        case "pair": order.pairs = try EncodeOrder.texts(stack, at: place, "\(what): pair")
        case "max":
          let limit = try Int.read(from: stack, at: place)
          guard limit > 0 else { throw LuaError(.runtime, "at least 1 expected, got \(limit)") }
          order.limit = limit
        case "special": order.special = try Bool.read(from: stack, at: place)
        default:
          let meant = nearestName(to: name, among: names).map { "; did you mean '\($0)'?" } ?? "; there are \(names.joined(separator: ", "))"
          throw LuaError(.runtime, "\(what): unknown option '\(name)'\(meant)")
        }
      } catch { throw LuaError(error.kind, error.message.hasPrefix(what) ? error.message : "\(what): \(name): \(error.message)") }
    }
    self = order
    if let pairs, pairs.count != texts.count {
      throw LuaError(.runtime, "\(what): pair: a second text for each of the \(texts.count) expected, got \(pairs.count)")
    }
  }

  /// For the threshold, as far as it matters.
  var bytes: Int { (texts + (pairs ?? [])).reduce(0) { $0 + $1.utf8.count + 16 } }

  private static func texts(_ stack: LuaStack, at index: Int32, _ what: String) throws(LuaError) -> [String] {
    do throws(LuaError) {
      try checkSize(stack, index)
      if stack.type(at: index) != .table { return [try String.read(from: stack, at: index)] }
      let texts = try [String].read(from: stack, at: index)
      guard !texts.isEmpty else { throw LuaError(.runtime, "the list is empty") }
      return texts
    } catch { throw LuaError(error.kind, "\(what): \(error.message)") }
  }

  /// Before any of it is read.
  private static func checkSize(_ stack: LuaStack, _ index: Int32) throws(LuaError) {
    guard stack.type(at: index) == .table else {
      guard stack.type(at: index) != .string || stack.bytes(at: index).count <= TokenizerKind.longestText else {
        throw LuaError(.runtime, TokenizerKind.tooLong)
      }
      return
    }
    let count = stack.rawLength(at: index)
    guard count <= TokenizerKind.mostTexts else { throw LuaError(.runtime, "more than \(TokenizerKind.mostTexts) texts") }
    var bytes = 0
    for position in 0..<count {
      let isText = stack.rawGet(index, at: Int64(position + 1)) == .string
      let length = isText ? stack.bytes(at: -1).count : 0
      stack.pop()
      guard length <= TokenizerKind.longestText else { throw LuaError(.runtime, "item \(position + 1): \(TokenizerKind.tooLong)") }
      bytes += length
    }
    guard bytes <= TokenizerKind.mostTextBytes else { throw LuaError(.runtime, "more than \(TokenizerKind.mostTextBytes) bytes of text in all") }
  }

  /// By the names that models of this kind have for them: `[texts, tokens]`, int64.
  func inputs(_ tokenizer: Tokenizer) throws -> [(String, Tensor)] {
    let encoded = try tokenizer.encode(together: texts, pairs: pairs, special: special, limit: limit)
    let shape = [encoded.count, encoded.first?.count ?? 0]
    func tensor(_ numbers: (TokenizedText) -> [Int32]) throws -> Tensor {
      try Tensor(encoded.flatMap { numbers($0).map { Int64($0) } }, shape: shape)
    }
    return [
      ("input_ids", try tensor(\.ids)), ("attention_mask", try tensor(\.attentionMask)), ("token_type_ids", try tensor(\.typeIDs)),
    ]
  }
}
