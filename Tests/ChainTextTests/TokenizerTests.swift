import ChainBase
import ChainHost
import ChainText
import Foundation
import Testing

/// What the reference package made of many texts: written by `scripts/tokenizers/reference.py`.
@Suite("Tokenizers") struct TokenizerTests {
  /// `CHAINRUN_TOKENIZERS` names a folder with more of them, which `scripts/tokenizers/check` makes.
  static let folder = ProcessInfo.processInfo.environment["CHAINRUN_TOKENIZERS"]
    ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures").path
  static let names = ["wordpiece", "bpe", "minilm"].filter { FileManager.default.fileExists(atPath: "\(folder)/\($0).json") }

  static func read(_ name: String) throws -> ChainValue {
    try ChainValue(json: Array(Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name).json"))))
  }

  @Test("give the tokens, types, masks, places and texts of the reference", arguments: names)
  func reference(name: String) throws {
    let tokenizer = try Tokenizer(Self.read(name))
    guard case .list(let cases) = try Self.read("\(name)-cases") else { return #expect(Bool(false), "no cases") }
    func numbers(_ value: ChainValue?) -> [Int] {
      guard case .list(let items)? = value else { return [] }
      return items.map { if case .integer(let number) = $0 { Int(number) } else { -1 } }
    }
    func text(_ value: ChainValue?) -> String? { if case .string(let text)? = value { text } else { nil } }
    #expect(cases.count > 200)
    var wrong = 0
    for entry in cases {
      let (first, second) = (text(entry["text"]) ?? "", text(entry["pair"]))
      let result = try tokenizer.encode(first, pair: second)
      let places = result.offsets.flatMap { [$0.start, $0.end] }
      let isRight = result.ids.map(Int.init) == numbers(entry["ids"]) && result.typeIDs.map(Int.init) == numbers(entry["types"])
        && result.attentionMask.map(Int.init) == numbers(entry["mask"]) && places == numbers(entry["offsets"])
        && tokenizer.decode(result.ids).utf8.elementsEqual((text(entry["decoded"]) ?? "").utf8)
      if isRight { continue }
      wrong += 1
      guard wrong <= 5 else { continue }
      #expect(result.ids.map(Int.init) == numbers(entry["ids"]), "\(first.debugDescription)")
      #expect(result.typeIDs.map(Int.init) == numbers(entry["types"]), "\(first.debugDescription)")
      #expect(places == numbers(entry["offsets"]), "\(first.debugDescription)")
      #expect(tokenizer.decode(result.ids) == text(entry["decoded"]), "\(first.debugDescription)")
    }
    #expect(wrong == 0, "of \(cases.count)")
  }

  @Test("count whole texts, know their tokens, and pad a batch to its longest")
  func rest() throws {
    let tokenizer = try Tokenizer(Self.read("wordpiece"))
    #expect(tokenizer.id(of: "[SEP]") == 3 && tokenizer.token(of: 2) == "[CLS]" && tokenizer.id(of: "no such token") == nil)
    let long = String(repeating: "the dog ", count: 100)
    let whole = try tokenizer.encode(long, bounded: false).count
    #expect(try tokenizer.count(long) == whole && whole > 100)
    #expect(try tokenizer.count(long, special: false) == whole - 2)
    let batch = try tokenizer.encode(batch: ["a", "the quick brown fox jumps over the lazy dog"])
    #expect(batch[0].count == batch[1].count && batch[0].attentionMask.contains(0))
  }

  @Test("a file that is not known is refused with the place")
  func refusals() throws {
    func refusal(_ json: String) -> String {
      do {
        _ = try Tokenizer(ChainValue(json: Array(json.utf8)))
        return ""
      } catch { return (error as? Failure)?.message ?? "\(error)" }
    }
    #expect(refusal("{}") == "tokenizer: model.vocab must be an object of tokens and ids")
    #expect(refusal(#"{"model":{"type":"Unigram","vocab":{}}}"#) == "tokenizer: model: 'Unigram' is not known to this tokenizer")
    #expect(refusal(#"{"model":{"type":"WordPiece","vocab":{}}}"#) == "tokenizer: the vocabulary lacks the unknown token '[UNK]'")
    #expect(refusal(#"{"model":{"type":"BPE","vocab":{},"merges":["a b"]}}"#) == "tokenizer: model.merges[1]: 'a' and 'b', or both as one, are not in the vocabulary")
    #expect(refusal(#"{"model":{"type":"BPE","vocab":{},"merges":[]},"normalizer":{"type":"Odd"}}"#) == "tokenizer: normalizer: 'Odd' is not known to this tokenizer")
  }
}
