/// Byte-pair encoding: characters are joined in the order in which the merges were learnt.
struct BytePairs: TokenModel {
  private struct Pair: Hashable {
    var left: Int32
    var right: Int32
  }

  private let vocabulary: Vocabulary
  private let merges: [Pair: (rank: Int32, id: Int32)]
  private let unknown: Int32?
  private let fusesUnknown: Bool
  private let ignoresMerges: Bool
  /// Before all but the first character of a word, and behind the last.
  private let prefix: String
  private let suffix: String

  init(_ part: TokenizerPart, _ vocabulary: Vocabulary) throws {
    self.vocabulary = vocabulary
    unknown = part.optionalText("unk_token").flatMap { vocabulary.id(of: $0) }
    fusesUnknown = part.flag("fuse_unk") ?? false
    ignoresMerges = part.flag("ignore_merges") ?? false
    prefix = part.optionalText("continuing_subword_prefix") ?? ""
    suffix = part.optionalText("end_of_word_suffix") ?? ""
    guard part.flag("byte_fallback") != true else { throw part.failure("a fall-back to single bytes is not known to this tokenizer") }
    var merges: [Pair: (rank: Int32, id: Int32)] = [:]
    for (rank, entry) in try part.list("merges").enumerated() {
      let halves: [String]
      switch entry.value {
      case .string(let text): // by code points: a space and an accent would be one of Swift's characters
        halves = text.unicodeScalars.split(separator: " ", omittingEmptySubsequences: false).map { String($0) }
      case .list(let items): halves = items.compactMap { if case .string(let text) = $0 { text } else { nil } }
      default: halves = []
      }
      guard halves.count == 2 else { throw part.failure("\(entry.path) must be two tokens") }
      let joined = halves[0] + String(halves[1].unicodeScalars.dropFirst(prefix.unicodeScalars.count))
      guard let left = vocabulary.id(of: halves[0]), let right = vocabulary.id(of: halves[1]), let id = vocabulary.id(of: joined)
      else { throw part.failure("\(entry.path): '\(halves[0])' and '\(halves[1])', or both as one, are not in the vocabulary") }
      merges[Pair(left: left, right: right)] = (Int32(rank), id)
    }
    self.merges = merges
  }

  func tokens(of piece: TrackedText) -> [PieceToken] {
    if ignoresMerges, let id = vocabulary.id(of: piece.string) { return [PieceToken(id: id, range: 0..<piece.count)] }
    var symbols = characters(of: piece)
    // The pair of the lowest rank is joined first, of equal ones the leftmost. Words are short: a look at all pairs is quick;
    // of a long run without a cut the candidates are kept in a heap.
    if symbols.count > 64 {
      var heap = MergeHeap(symbols) { merge($0, $1) }
      return heap.result()
    }
    while symbols.count > 1 {
      var best: (rank: Int32, id: Int32, place: Int)?
      for place in 0..<symbols.count - 1 {
        guard let merge = merge(symbols[place].id, symbols[place + 1].id) else { continue }
        if merge.rank < best?.rank ?? .max { best = (merge.rank, merge.id, place) }
      }
      guard let best else { break }
      symbols[best.place] = PieceToken(
        id: best.id, range: symbols[best.place].range.lowerBound..<symbols[best.place + 1].range.upperBound)
      symbols.remove(at: best.place + 1)
    }
    return symbols
  }

  private func merge(_ left: Int32, _ right: Int32) -> (rank: Int32, id: Int32)? { merges[Pair(left: left, right: right)] }

  private func characters(of piece: TrackedText) -> [PieceToken] {
    var symbols: [PieceToken] = []
    symbols.reserveCapacity(piece.count)
    var wasUnknown = false
    for place in 0..<piece.count {
      var text = place == 0 ? "" : prefix
      text.unicodeScalars.append(piece.scalars[place])
      if place == piece.count - 1 { text += suffix }
      if let id = vocabulary.id(of: text) {
        symbols.append(PieceToken(id: id, range: place..<place + 1))
        wasUnknown = false
      } else if let unknown {
        if fusesUnknown, wasUnknown, let last = symbols.popLast() {
          symbols.append(PieceToken(id: unknown, range: last.range.lowerBound..<place + 1))
        } else {
          symbols.append(PieceToken(id: unknown, range: place..<place + 1))
        }
        wasUnknown = true
      }
    }
    return symbols
  }
}

/// Joins the symbols of one long piece: neighbours as a linked list, possible joins in a heap by rank and place.
private struct MergeHeap {
  private struct Candidate {
    var rank: Int32
    var place: Int
    var id: Int32
    /// The symbols that it was made for: it is void when one of them has changed.
    var left: Int32
    var right: Int32
  }

  private var symbols: [PieceToken]
  private var next: [Int]
  private var previous: [Int]
  private var alive: [Bool]
  private var heap: [Candidate] = []
  private let merge: (Int32, Int32) -> (rank: Int32, id: Int32)?

  init(_ symbols: [PieceToken], _ merge: @escaping (Int32, Int32) -> (rank: Int32, id: Int32)?) {
    self.symbols = symbols
    self.merge = merge
    next = symbols.indices.map { $0 + 1 }
    previous = symbols.indices.map { $0 - 1 }
    alive = [Bool](repeating: true, count: symbols.count)
  }

  mutating func result() -> [PieceToken] {
    for place in symbols.indices { offer(place) }
    while let best = pop() {
      let right = next[best.place]
      guard alive[best.place], right < symbols.count, symbols[best.place].id == best.left, symbols[right].id == best.right else { continue }
      symbols[best.place] = PieceToken(id: best.id, range: symbols[best.place].range.lowerBound..<symbols[right].range.upperBound)
      alive[right] = false
      next[best.place] = next[right]
      if next[right] < symbols.count { previous[next[right]] = best.place }
      offer(best.place)
      if previous[best.place] >= 0 { offer(previous[best.place]) }
    }
    return symbols.indices.filter { alive[$0] }.map { symbols[$0] }
  }

  private mutating func offer(_ place: Int) {
    let right = next[place]
    guard right < symbols.count, let found = merge(symbols[place].id, symbols[right].id) else { return }
    heap.append(Candidate(rank: found.rank, place: place, id: found.id, left: symbols[place].id, right: symbols[right].id))
    var child = heap.count - 1
    while child > 0, isBefore(child, (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private func isBefore(_ a: Int, _ b: Int) -> Bool {
    heap[a].rank == heap[b].rank ? heap[a].place < heap[b].place : heap[a].rank < heap[b].rank
  }

  private mutating func pop() -> Candidate? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isBefore(child, least) { least = child }
      if least == parent { return first }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
