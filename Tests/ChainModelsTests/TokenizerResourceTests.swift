import ChainBase
import ChainHost
import ChainModels
import Foundation
import Testing

private let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .appendingPathComponent("ChainTextTests/Fixtures").path
private let wordpiece = "engine = 'tokenizer', path = '\(fixtures)/wordpiece.json'"

/// `chain.model { engine = "tokenizer" }`, over a tokenizer whose file is small.
@Suite("Tokenizers as resources") struct TokenizerResourceTests {
  /// A text of the reference's cases that is not cut, with what the reference made of it.
  private static func reference() throws -> (text: String, ids: ChainValue, decoded: ChainValue) {
    let cases = try ChainValue(json: Array(Data(contentsOf: URL(fileURLWithPath: "\(fixtures)/wordpiece-cases.json"))))
    guard case .list(let entries) = cases else { throw Failure(code: "none", message: "no cases") }
    for entry in entries {
      guard case .string(let text)? = entry["text"], entry["pair"] == .null || entry["pair"] == nil, text.utf8.count > 20,
        text.unicodeScalars.allSatisfy({ $0.isASCII && $0.value >= 32 && $0 != "'" && $0 != "\\" }),
        case .list(let ids)? = entry["ids"], ids.count < 24, case .list(let mask)? = entry["mask"], let decoded = entry["decoded"]
      else { continue }
      return (text, .list(zip(ids, mask).filter { $0.1 == 1 }.map(\.0)), decoded)
    }
    throw Failure(code: "none", message: "no plain case")
  }

  @Test("encode gives the ids of the reference as the inputs of a model, decode their text, count their number")
  func encodes() async throws {
    let (text, ids, decoded) = try Self.reference()
    let value = try await run(wordpiece, """
      local text = '\(text)'
      local tokens = self.m:encode(text)
      local ids = tokens.input_ids
      return { ids = ids[1]:table(), dtype = ids.dtype, mask = tokens.attention_mask:sum() == #ids[1], types = tokens.token_type_ids:sum(),
        shape = ids.shape, text = self.m:decode(ids[1]), again = self.m:decode(ids[1]:table()), count = self.m:count(text) }
      """)
    guard case .list(let items) = ids else { return #expect(Bool(false)) }
    let count = ChainValue.integer(Int64(items.count))
    #expect(value["ids"] == ids && value["dtype"] == "int64" && value["mask"] == true && value["types"] == 0)
    #expect(value["shape"] == [1, count] && value["count"] == count)
    #expect(value["text"] == decoded && value["again"] == decoded)
  }

  @Test("a list of texts is filled up to its longest; max cuts, special = false leaves the special tokens out, pair adds a second text")
  func options() async throws {
    let value = try await run(wordpiece, """
      local both = self.m:encode { 'a b', 'a b a b' }
      local short = self.m:encode({ 'a b', 'a b a b' }, { max = 3 })
      local plain = self.m:encode('a b', { special = false })
      local pair = self.m:encode('a', { pair = 'b' })
      return { both.input_ids:table(), both.attention_mask:table(), short.input_ids:table(), plain.input_ids:table(), pair.input_ids:table(), pair.token_type_ids:table() }
      """)
    guard case .list(let parts) = value, case .list(let plain) = parts[3], case .list(let words) = plain[0], words.count == 2 else {
      return #expect(Bool(false), "\(value)")
    }
    let (a, b) = (words[0], words[1])
    #expect(parts[0] == [[2, a, b, 3, 0, 0], [2, a, b, a, b, 3]])
    #expect(parts[1] == [[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]])
    #expect(parts[2] == [[2, a, 3], [2, a, 3]])
    #expect(parts[4] == [[2, a, 3, b, 3]])
    #expect(parts[5] == [[0, 0, 0, 1, 1]])
  }

  @Test("a long text is worked on away from the lane, which goes on")
  func long() async throws {
    let value = try await run(wordpiece, """
      local long = ('a b '):rep(20000)
      local counting = chain.async(function() return self.m:count(long) end)
      chain.sleep(0)
      return { counting:await(), self.m:count('a b') }
      """)
    #expect(value == [40_002, 4])
  }

  @Test("text.chunks counts in tokens, the special ones too, and cuts between sentences where it can")
  func chunks() async throws {
    let value = try await run(wordpiece, """
      local text = require 'text'
      local parts = text.chunks('A b. C d e. F g. ' .. ('H i '):rep(10), { size = 10, tokenizer = self.m })
      local sizes = {}
      for i, part in ipairs(parts) do sizes[i] = self.m:count(part) end
      return { parts, sizes, text.chunks('A b. C d. E f.', { size = 8, overlap = 3, tokenizer = self.m }) }
      """)
    #expect(value == [
      ["A b. C d e.", "F g. H i H i H", "i H i H i H i H", "i H i H i H i"], [9, 10, 10, 9], ["A b. C d.", "C d. E f."],
    ])
  }

  @Test("what does not fit is refused with what was expected and what came")
  func refusals() async throws {
    #expect(await message(wordpiece, "return self.m:encode(7)").contains("bad argument #1 to 'encode': string expected, got integer (7)"))
    #expect(await message(wordpiece, "return self.m:encode {}").contains("bad argument #1 to 'encode': the list is empty"))
    #expect(await message(wordpiece, "return self.m:encode({ 'a', 7 })").contains("bad argument #1 to 'encode': item 2: string expected, got integer (7)"))
    #expect(await message(wordpiece, "return self.m:encode('a', { mx = 7 })").contains("bad argument #2 to 'encode': unknown option 'mx'; did you mean 'max'?"))
    #expect(await message(wordpiece, "return self.m:encode('a', { max = 0 })").contains("bad argument #2 to 'encode': max: at least 1 expected, got 0"))
    #expect(await message(wordpiece, "return self.m:encode('a', { max = 1 })").contains("a text cannot be cut to 1 tokens: the special ones, and what may not be cut, are 2"))
    #expect(await message(wordpiece, "return self.m:encode('a', { pair = { 'b', 'c' } })").contains("pair: a second text for each of the 1 expected, got 2"))
    #expect(await message(wordpiece, "return self.m:decode(self.m:encode('a').input_ids)").contains("the ids of one text expected, got tensor int64 1x3; take a row of it"))
    #expect(await message(wordpiece, "return self.m:encod('a')").contains("chain.model has no 'encod'; did you mean 'encode'?"))
    #expect(await message(wordpiece, "return self.m.encode('a')").contains("(call it with a colon)"))
    #expect(await message(wordpiece, "return require('text').chunks('a', { size = 2, tokenizer = self.m })")
      .contains("chunks: a part of 2 tokens has no room for text beside the 2 special ones"))
    #expect(await message("engine = 'tokeniser', path = 'x'").contains("Main.uses.m.engine: expected one of \"onnx\", \"tokenizer\", got string (\"tokeniser\")"))
    #expect(await message(wordpiece + ", threads = 2").contains("chain.model has no option 'threads'; the options are engine, path"))
    #expect(await message("engine = 'tokenizer', path = '/none.json'").contains("chain.model \"/none.json\" cannot be loaded: there is no file /none.json"))
    #expect(await message("engine = 'tokenizer', path = '\(#filePath)'").contains("not valid JSON"))
  }

  @Test("what is worked on in one call is bounded, before it is read")
  func bounds() async throws {
    let long = "local long = ('a b '):rep(300000) "
    #expect(await message(wordpiece, long + "return self.m:encode(long)").contains("a text of more than 1048576 bytes; take it in parts, with chunks"))
    #expect(await message(wordpiece, long + "return self.m:count(long)").contains("bad argument #1 to 'count': a text of more than 1048576 bytes"))
    #expect(await message(wordpiece, long + "return self.m:encode { 'a', long }").contains("item 2: a text of more than 1048576 bytes"))
    let many = "local list = {} for i = 1, 300 do list[i] = ('a b '):rep(5000) end "
    #expect(await message(wordpiece, many + "return self.m:encode(list)").contains("more than 4194304 bytes of text in all"))
    #expect(await message(wordpiece, "local list = {} for i = 1, 10001 do list[i] = '' end return self.m:encode(list)").contains("more than 10000 texts"))
    let uneven = "local list = { ('a b '):rep(5000) } for i = 2, 1000 do list[i] = 'a' end "
    #expect(await message(wordpiece, uneven + "return self.m:encode(list, { max = 20000 })")
      .contains("1000 texts, filled up to the longest of 10002 tokens, are more than 2097152 tokens"))
    #expect(await message(wordpiece, "local ids = {} for i = 1, 200001 do ids[i] = 5 end return self.m:decode(ids)").contains("more than 200000 ids"))
    #expect(await message(wordpiece, "return require('text').chunks(('a. '):rep(20000), { size = 10000, overlap = 9999, tokenizer = self.m })")
      .contains("chunks: more than 50000 parts, or 16777216 bytes in all"))
  }

  @Test("all lanes and chainlets of a host share one tokenizer, beside a model")
  func shared() async throws {
    let host = ChainHost(lanes: 2)
    host.add(Models.kind)
    let graph = """
      local chain = require "chain"
      local One = chain.chainlet "One" { uses = { tok = chain.model { \(wordpiece) } } }
      function One:run() end
      local Two = chain.chainlet "Two" { uses = { tok = chain.model { \(wordpiece) } }, needs = { one = One } }
      function Two:run() end
      return Two
      """
    for _ in 0..<2 { await (try await host.load(files: ["graph.lua": graph])).close() }
    #expect(host.resourceTotals.loads == 1)
    await host.shutdown()
  }
}
