import ChainBase

/// Text to token ids and back, as a Hugging Face `tokenizer.json` says: WordPiece, or byte-pair encoding.
///
/// It never changes, so every thread may use it.
public final class Tokenizer: Sendable {
  private let normalizer: Normalizer?
  private let preTokenizer: PreTokenizer?
  private let model: any TokenModel
  private let postProcessor: PostProcessor?
  private let decoder: TokenDecoder
  private let vocabulary: Vocabulary
  private let added: AddedTokens
  private let truncation: Truncation?
  private let padding: Padding?
  private let specialIDs: Set<Int32>

  /// - Parameter file: a `tokenizer.json`, read.
  /// - Throws: a failure that names what is wrong or not known in it.
  public init(_ file: ChainValue) throws {
    let file = TokenizerPart(value: file, path: "")
    let model = file["model"]
    guard case .record(let entries)? = model.value["vocab"] else { throw file.failure("model.vocab must be an object of tokens and ids") }
    var vocabulary = Vocabulary()
    for entry in entries {
      guard case .integer(let id) = entry.value, let id = Int32(exactly: id) else { throw file.failure("the id of '\(entry.name)' must be an integer") }
      vocabulary.add(entry.name, id)
    }
    let longest = vocabulary.longest
    added = try AddedTokens(file)
    switch model.optionalText("type") ?? (model["merges"].present == nil ? "WordPiece" : "BPE") {
    case "WordPiece": self.model = try WordPiece(model, vocabulary, longestToken: longest)
    case "BPE": self.model = try BytePairs(model, vocabulary)
    case let kind: throw model.unknown(kind)
    }
    for token in added.tokens { vocabulary.add(token.content, token.id) }
    self.vocabulary = vocabulary
    specialIDs = Set(added.tokens.filter(\.isSpecial).map(\.id))
    normalizer = try Normalizer(file["normalizer"])
    preTokenizer = try PreTokenizer(file["pre_tokenizer"])
    postProcessor = try PostProcessor(file["post_processor"], byteLevelPrefixSpace: false)
    decoder = try TokenDecoder(file["decoder"])
    truncation = try Truncation(file["truncation"])
    padding = try Padding(file["padding"])
  }

  /// The number of tokens that it knows.
  public var vocabularySize: Int { vocabulary.count }
  /// The id of a token as the vocabulary has it, for example `[SEP]`.
  public func id(of token: String) -> Int32? { vocabulary.id(of: token) }
  public func token(of id: Int32) -> String? { vocabulary.token(of: id) }

  // MARK: Encoding

  /// - Parameters:
  ///   - pair: a second text, for models that compare two.
  ///   - special: with the special tokens of the template around it.
  ///   - bounded: cut and padded as the file says.
  public func encode(_ text: String, pair: String? = nil, special: Bool = true, bounded: Bool = true) throws -> TokenizedText {
    var result = try encodeUnpadded(text, pair: pair, special: special, truncation: bounded ? truncation : nil)
    if bounded, let padding { result.pad(to: padding.target(longest: result.count), with: padding) }
    return result
  }

  /// All of them, made equally long when the file asks for padding.
  public func encode(batch texts: [String], special: Bool = true, bounded: Bool = true) throws -> [TokenizedText] {
    var results = try texts.map { try encodeUnpadded($0, pair: nil, special: special, truncation: bounded ? truncation : nil) }
    if bounded, let padding {
      let target = padding.target(longest: results.map(\.count).max() ?? 0)
      for place in results.indices { results[place].pad(to: target, with: padding) }
    }
    return results
  }

  /// The most tokens of texts that are encoded together, padding counted.
  public static let mostTogether = 2 << 20

  /// For one run of a model: made as long as the longest of them, whatever length the file pads to.
  /// - Parameters:
  ///   - pairs: a second text for each.
  ///   - limit: tokens at most, the special ones counted; the file's own bound unless given.
  public func encode(together texts: [String], pairs: [String]? = nil, special: Bool = true, limit: Int? = nil) throws -> [TokenizedText] {
    let truncation = limit.map { Truncation(length: $0, like: self.truncation) } ?? self.truncation
    var results = try texts.indices.map { place in
      try encodeUnpadded(texts[place], pair: pairs.flatMap { $0.indices.contains(place) ? $0[place] : nil }, special: special, truncation: truncation)
    }
    let longest = results.map(\.count).max() ?? 0
    if let limit, longest > limit {
      throw Failure(
        code: Failure.Code.failed,
        message: "a text cannot be cut to \(limit) tokens: the special ones, and what may not be cut, are \(longest)")
    }
    guard longest <= Tokenizer.mostTogether / max(1, results.count) else {
      throw Failure(
        code: Failure.Code.failed,
        message: "\(results.count) texts, filled up to the longest of \(longest) tokens, are more than \(Tokenizer.mostTogether) tokens; "
          + "give fewer texts at once, or shorter ones")
    }
    let padding = padding ?? Padding(id: vocabulary.id(of: "[PAD]") ?? 0)
    for place in results.indices { results[place].pad(to: longest, with: padding) }
    return results
  }

  /// The number of tokens of a text, whole.
  public func count(_ text: String, special: Bool = true) throws -> Int {
    try tokens(of: text).count + (special ? postProcessor?.added(pair: false) ?? 0 : 0)
  }

  private func encodeUnpadded(_ text: String, pair: String?, special: Bool, truncation: Truncation?) throws -> TokenizedText {
    var texts = [try tokens(of: text)]
    if let pair { texts.append(try tokens(of: pair)) }
    if let truncation {
      try truncation.apply(&texts, added: special ? postProcessor?.added(pair: pair != nil) ?? 0 : 0)
    }
    if special, let postProcessor { texts = postProcessor.apply(texts) }
    guard texts.count > 1 else { return texts[0] }
    var whole = texts[0]
    whole.append(texts[1], type: 1)
    return whole
  }

  /// Without special tokens around it.
  private func tokens(of text: String) throws -> TokenizedText {
    var result = TokenizedText()
    let (trims, prefixSpace) = postProcessor?.trimming ?? (false, false)
    for part in added.cut(TrackedText(text), normalized: false) {
      switch part {
      case .token(let id, let piece): append(id, piece, &result)
      case .text(var piece):
        try normalizer?.apply(&piece)
        for part in added.cut(piece, normalized: true) {
          switch part {
          case .token(let id, let piece): append(id, piece, &result)
          case .text(let piece):
            for word in preTokenizer?.apply([piece]) ?? [piece] where !word.isEmpty {
              for token in model.tokens(of: word) {
                var origin = word.origin(of: token.range)
                if trims { trim(&origin, word, token.range, prefixSpace: prefixSpace, isFirst: result.count == 0) }
                result.append(token.id, start: origin.start, end: origin.end)
              }
            }
          }
        }
      }
    }
    return result
  }

  private func append(_ id: Int32, _ piece: TrackedText, _ result: inout TokenizedText) {
    let origin = piece.origin(of: 0..<piece.count)
    result.append(id, start: origin.start, end: origin.end)
  }

  /// Leaves the spaces at both ends of a token out of its place.
  private func trim(_ origin: inout TrackedText.Origin, _ word: TrackedText, _ range: Range<Int>, prefixSpace: Bool, isFirst: Bool) {
    func isSpace(_ place: Int) -> Bool { word.scalars[place] == ByteCharacters.space || word.scalars[place].isSpace }
    var leading = range.prefix { isSpace($0) }.count
    let trailing = range.reversed().prefix { isSpace($0) }.count
    if leading > 0 {
      // One space at the start of the text is what the tokenizer put there.
      if prefixSpace, leading == 1, isFirst || origin.start == 0 { leading = 0 }
      origin.start = min(origin.start + leading, origin.end)
    }
    if trailing > 0, origin.end >= trailing { origin.end = max(origin.end - trailing, origin.start) }
  }

  // MARK: Decoding

  /// The text of tokens.
  /// - Parameter skippingSpecial: without `[SEP]` and its like.
  public func decode(_ ids: [Int32], skippingSpecial: Bool = true) -> String {
    let tokens = ids.compactMap { id in skippingSpecial && specialIDs.contains(id) ? nil : vocabulary.token(of: id) }
    return decoder.text(of: tokens)
  }
}
