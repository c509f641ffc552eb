/// What a tokenizer makes of a text: one entry of each list for each token.
public struct TokenizedText: Sendable, Hashable {
  public private(set) var ids: [Int32] = []
  /// 0 for the first text, 1 for the second of a pair, as the tokenizer's template says.
  public private(set) var typeIDs: [Int32] = []
  /// 1 for a token, 0 for padding.
  public private(set) var attentionMask: [Int32] = []
  /// Where in the text the token comes from: the first code point, and the one behind the last; 0 and 0 for special tokens.
  public private(set) var offsets: [Offset] = []
  /// Which tokens are no part of the text.
  public private(set) var isSpecial: [Bool] = []

  public struct Offset: Sendable, Hashable {
    public var start: Int
    public var end: Int
    public init(start: Int, end: Int) {
      self.start = start
      self.end = end
    }
  }

  public var count: Int { ids.count }

  mutating func append(_ id: Int32, start: Int, end: Int, type: Int32 = 0, isSpecial: Bool = false, isPadding: Bool = false) {
    ids.append(id)
    typeIDs.append(type)
    attentionMask.append(isPadding ? 0 : 1)
    offsets.append(Offset(start: start, end: end))
    self.isSpecial.append(isSpecial)
  }

  mutating func append(_ other: TokenizedText, type: Int32) {
    for place in 0..<other.count {
      append(other.ids[place], start: other.offsets[place].start, end: other.offsets[place].end, type: type, isSpecial: other.isSpecial[place])
    }
  }

  /// Keeps the first tokens, or the last.
  mutating func shorten(to count: Int, keepingEnd: Bool) {
    guard self.count > count else { return }
    let range = keepingEnd ? self.count - count..<self.count : 0..<count
    ids = Array(ids[range])
    typeIDs = Array(typeIDs[range])
    attentionMask = Array(attentionMask[range])
    offsets = Array(offsets[range])
    isSpecial = Array(isSpecial[range])
  }

  mutating func pad(to count: Int, with padding: Padding) {
    guard self.count < count else { return }
    let missing = count - self.count
    if padding.isLeft {
      var padded = TokenizedText()
      for _ in 0..<missing { padded.append(padding.id, start: 0, end: 0, type: padding.type, isSpecial: true, isPadding: true) }
      padded.ids += ids
      padded.typeIDs += typeIDs
      padded.attentionMask += attentionMask
      padded.offsets += offsets
      padded.isSpecial += isSpecial
      self = padded
    } else {
      for _ in 0..<missing { append(padding.id, start: 0, end: 0, type: padding.type, isSpecial: true, isPadding: true) }
    }
  }
}

/// How short texts are made longer.
struct Padding: Sendable {
  var id: Int32
  var type: Int32
  var isLeft: Bool
  /// nil: as long as the longest of a batch.
  var length: Int?
  var multiple: Int

  /// On the right, where the file says nothing.
  init(id: Int32) { (self.id, type, isLeft, multiple) = (id, 0, false, 1) }

  init?(_ part: TokenizerPart) throws {
    guard let part = part.present else { return nil }
    id = Int32(clamping: try part.integer("pad_id"))
    type = Int32(clamping: try part.integer("pad_type_id"))
    isLeft = part.optionalText("direction") == "Left"
    length = part["strategy"].value["Fixed"] == nil ? nil : try part["strategy"].integer("Fixed")
    multiple = Swift.max(1, (try? part.integer("pad_to_multiple_of")) ?? 1)
  }

  func target(longest: Int) -> Int { ((length ?? longest) + multiple - 1) / multiple * multiple }
}

/// How long texts are cut.
struct Truncation: Sendable {
  enum Strategy { case longestFirst, onlyFirst, onlySecond }
  var length: Int
  var strategy: Strategy
  var isLeft: Bool

  /// To another length, otherwise as the file says.
  init(length: Int, like other: Truncation?) {
    (self.length, strategy, isLeft) = (Swift.max(0, length), other?.strategy ?? .longestFirst, other?.isLeft ?? false)
  }

  init?(_ part: TokenizerPart) throws {
    guard let part = part.present else { return nil }
    length = try part.integer("max_length")
    isLeft = part.optionalText("direction") == "Left"
    switch part.optionalText("strategy") {
    case "OnlyFirst": strategy = .onlyFirst
    case "OnlySecond": strategy = .onlySecond
    default: strategy = .longestFirst
    }
  }

  /// `added` special tokens come to the texts later.
  func apply(_ texts: inout [TokenizedText], added: Int) throws {
    let room = Swift.max(0, length - added)
    let total = texts.reduce(0) { $0 + $1.count }
    guard total > room else { return }
    switch strategy {
    case _ where texts.count == 1, .onlyFirst: texts[0].shorten(to: Swift.max(0, room - (total - texts[0].count)), keepingEnd: isLeft)
    case .onlySecond: texts[1].shorten(to: Swift.max(0, room - texts[0].count), keepingEnd: isLeft)
    case .longestFirst:
      var (first, second) = (texts[0].count, texts[1].count)
      let swaps = first > second
      if swaps { swap(&first, &second) } // the shorter one first
      second = first > room ? first : Swift.max(first, room - first)
      if first + second > room {
        first = room / 2
        second = first + room % 2
      }
      if swaps { swap(&first, &second) }
      texts[0].shorten(to: first, keepingEnd: isLeft)
      texts[1].shorten(to: second, keepingEnd: isLeft)
    }
  }
}
