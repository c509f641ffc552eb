import ChainBase

/// The last step of a tokenizer: special tokens around a text or a pair of texts.
indirect enum PostProcessor: Sendable {
  enum Piece: Sendable {
    /// 0 for the first text, 1 for the second.
    case sequence(Int, type: Int32)
    case tokens([Int32], type: Int32)
  }

  case template(single: [Piece], pair: [Piece])
  /// Spaces do not belong to a token's place in the text.
  case trimsOffsets(prefixSpace: Bool)
  case sequence([PostProcessor])

  init?(_ part: TokenizerPart, byteLevelPrefixSpace: Bool) throws {
    guard let part = part.present else { return nil }
    let kind = try part.kind()
    switch kind {
    case "TemplateProcessing":
      let ids = part["special_tokens"]
      self = .template(
        single: try part.list("single").map { try PostProcessor.piece($0, ids) }, pair: try part.list("pair").map { try PostProcessor.piece($0, ids) })
    case "BertProcessing", "RobertaProcessing":
      let (start, end) = (try PostProcessor.special(part, "cls"), try PostProcessor.special(part, "sep"))
      let isBert = kind == "BertProcessing"
      let single: [Piece] = [.tokens([start], type: 0), .sequence(0, type: 0), .tokens([end], type: 0)]
      let second: [Piece] = isBert
        ? [.sequence(1, type: 1), .tokens([end], type: 1)]
        : [.tokens([end], type: 0), .sequence(1, type: 0), .tokens([end], type: 0)]
      let template = PostProcessor.template(single: single, pair: single + second)
      let trims = !isBert && part.flag("trim_offsets") ?? true
      self = trims ? .sequence([.trimsOffsets(prefixSpace: part.flag("add_prefix_space") ?? true), template]) : template
    case "ByteLevel":
      guard part.flag("trim_offsets") ?? true else { return nil }
      self = .trimsOffsets(prefixSpace: part.flag("add_prefix_space") ?? true)
    case "Sequence":
      self = .sequence(try part.list("processors").compactMap { try PostProcessor($0, byteLevelPrefixSpace: byteLevelPrefixSpace) })
    default: throw part.unknown(kind)
    }
  }

  private static func special(_ part: TokenizerPart, _ name: String) throws -> Int32 {
    guard case .list(let items)? = part.value[name], items.count == 2, case .integer(let id) = items[1] else {
      throw part.failure("\(part[name].path) must be a token and its id")
    }
    return Int32(clamping: id)
  }

  private static func piece(_ part: TokenizerPart, _ ids: TokenizerPart) throws -> Piece {
    if let sequence = part["Sequence"].present {
      return .sequence(try sequence.text("id") == "A" ? 0 : 1, type: Int32(clamping: try sequence.integer("type_id")))
    }
    let special = part["SpecialToken"]
    let name = try special.text("id")
    let found = try ids[name].list("ids").map { entry -> Int32 in
      guard case .integer(let id) = entry.value else { throw entry.failure("\(entry.path) must be an id") }
      return Int32(clamping: id)
    }
    return .tokens(found, type: Int32(clamping: try special.integer("type_id")))
  }

  /// The special tokens that it adds.
  func added(pair: Bool) -> Int {
    switch self {
    case .template(let single, let double):
      (pair ? double : single).reduce(0) { if case .tokens(let ids, _) = $1 { $0 + ids.count } else { $0 } }
    case .trimsOffsets: 0
    case .sequence(let parts): parts.reduce(0) { $0 + $1.added(pair: pair) }
    }
  }

  func apply(_ texts: [TokenizedText]) -> [TokenizedText] {
    switch self {
    case .sequence(let parts): parts.reduce(texts) { $1.apply($0) }
    case .trimsOffsets: texts // done where the text is still at hand
    case .template(let single, let pair):
      [(texts.count > 1 ? pair : single).reduce(into: TokenizedText()) { result, piece in
        switch piece {
        case .sequence(let index, let type):
          guard texts.indices.contains(index) else { return }
          result.append(texts[index], type: type)
        case .tokens(let ids, let type): for id in ids { result.append(id, start: 0, end: 0, type: type, isSpecial: true) }
        }
      }]
    }
  }

  /// Whether spaces are left out of places, and whether the first one was put there by the tokenizer.
  var trimming: (trims: Bool, prefixSpace: Bool) {
    switch self {
    case .trimsOffsets(let prefixSpace): (true, prefixSpace)
    case .template: (false, false)
    case .sequence(let parts): parts.map(\.trimming).first { $0.trims } ?? (false, false)
    }
  }
}
