import ChainBase
import ChainHost
import LuaBridge

/// The input of a request as the command line gives it: `name=value …`, or a whole as JSON.
struct RunInput {
  private let words: [(name: String, text: String)]
  private let whole: String?

  /// Every word has a `=` that is not its first character.
  init(words: [String], whole: String?) {
    self.words = words.compactMap { word in
      word.firstIndex(of: "=").map { (String(word[..<$0]), String(word[word.index(after: $0)...])) }
    }
    self.whole = whole
  }

  /// The input as JSON text, for the chainlet to check, and what fills its stream field.
  /// - Throws: a field that the chainlet has not, a file that cannot be read, a text that cannot be its field.
  func read(for chainlet: ChainletDeclaration) throws(CommandFailure) -> (json: [UInt8], feed: InputFeed?) {
    if let whole { return (try RunInput.whole(whole), nil) }
    var feed: InputFeed?
    var names: [String] = []
    var texts: [String: [String]] = [:]
    for word in words {
      if texts[word.name] == nil { names.append(word.name) }
      texts[word.name, default: []].append(word.text)
    }
    var json: [UInt8] = [UInt8(ascii: "{")]
    for name in names {
      let field = try InputField(name, of: chainlet)
      if let filled = try field.feed(of: texts[name] ?? []) {
        feed = filled
        continue
      }
      if json.count > 1 { json.append(UInt8(ascii: ",")) }
      json += ChainValue.string(name).json
      json.append(UInt8(ascii: ":"))
      json += try field.json(of: texts[name] ?? [])
    }
    json.append(UInt8(ascii: "}"))
    return (json, feed)
  }

  private static func whole(_ text: String) throws(CommandFailure) -> [UInt8] {
    if text == "-" || text.hasPrefix("@") {
      do { return try FileBytes.read(text == "-" ? text : String(text.dropFirst())) } catch {
        throw CommandFailure(.failed, "--input: \(error.message)")
      }
    }
    if text.hasSuffix(".json") { throw CommandFailure(.failed, "--input \(text): this is no JSON; a file is written @\(text)") }
    return Array(text.utf8)
  }
}

/// One field of a chainlet's input, filled from words of the command line.
private struct InputField {
  let name: String
  private let type: ChainType
  private let owner: String

  init(_ name: String, of chainlet: ChainletDeclaration) throws(CommandFailure) {
    guard case .record(let fields) = chainlet.input.kind else {
      throw CommandFailure(.failed, "\(chainlet.name) takes no fields; give its input with --input")
    }
    guard let field = fields.first(where: { $0.name == name }) else {
      let names = fields.map(\.name)
      let hint = nearestName(to: name, among: names).map { "did you mean '\($0)'?" }
        ?? (names.isEmpty ? "it takes none" : "there are: \(names.joined(separator: ", "))")
      throw CommandFailure(.failed, "\(chainlet.name) has no input '\(name)'; \(hint)")
    }
    self.name = name
    owner = chainlet.name
    type = InputField.inner(of: field.type)
  }

  private static func inner(of type: ChainType) -> ChainType {
    if case .optional(let inner) = type.kind { return InputField.inner(of: inner) }
    return type
  }

  func json(of texts: [String]) throws(CommandFailure) -> [UInt8] {
    guard texts.count > 1 else { return try json(of: texts[0], as: type) }
    guard let item = InputField.item(of: type) else {
      throw failure("it is given \(texts.count) times and is no list")
    }
    var json: [UInt8] = [UInt8(ascii: "[")]
    for text in texts {
      if json.count > 1 { json.append(UInt8(ascii: ",")) }
      json += try self.json(of: text, as: item)
    }
    json.append(UInt8(ascii: "]"))
    return json
  }

  /// What fills the field when it is a stream.
  func feed(of texts: [String]) throws(CommandFailure) -> InputFeed? {
    guard case .stream(let item, _) = type.kind else { return nil }
    let element = InputField.inner(of: item)
    let form: InputFeed.Form = switch element.kind {
    case .bytes, .blob: .pieces
    case .string, .enumeration: .lines
    default: .json
    }
    var sources: [InputFeed.Source] = []
    for text in texts {
      if text.hasPrefix("@"), !text.hasPrefix("@@") {
        do { sources.append(try InputFeed.open(String(text.dropFirst()))) } catch { throw failure(error.message) }
      } else {
        let json = try json(of: text, as: element)
        do throws(Failure) { sources.append(.item(try ChainValue(json: json))) } catch { throw failure(error.message) }
      }
    }
    return InputFeed(sources, as: form, place: "\(owner).input.\(name)")
  }

  private static func item(of type: ChainType) -> ChainType? {
    switch type.kind {
    case .list(let item): inner(of: item)
    case .any: type
    case .union(let members): members.lazy.compactMap { item(of: $0) }.first
    default: nil
    }
  }

  private func json(of text: String, as type: ChainType) throws(CommandFailure) -> [UInt8] {
    guard text.hasPrefix("@"), !text.hasPrefix("@@") else {
      return try json(of: Array(text.utf8).dropFirst(text.hasPrefix("@@") ? 1 : 0), as: type, file: nil)
    }
    let path = String(text.dropFirst())
    do { return try json(of: try FileBytes.read(path)[...], as: type, file: path) } catch let problem as FileBytes.Problem {
      throw failure(problem.message + (problem.isMissing ? " (a text that begins with @ is written \(name)=@\(text))" : ""))
    } catch let failure as CommandFailure { throw failure } catch { throw failure("\(error)") }
  }

  private func json(of bytes: ArraySlice<UInt8>, as type: ChainType, file: String?) throws(CommandFailure) -> [UInt8] {
    switch type.kind {
    case .string, .enumeration: return try string(bytes, file)
    case .bytes where file != nil, .blob where file != nil: return ChainValue.bytes(Array(bytes)).json
    default: break
    }
    do throws(Failure) {
      _ = try ChainValue(json: Array(bytes))
      return InputField.withoutMark(bytes)
    } catch {
      if case .union(let members) = type.kind, members.contains(where: \.isText) { return try string(bytes, file) }
      throw failure(unreadable(bytes, as: type, file, error))
    }
  }

  private func string(_ bytes: ArraySlice<UInt8>, _ file: String?) throws(CommandFailure) -> [UInt8] {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw failure("\(file ?? "the text") is not UTF-8 text")
    }
    return ChainValue.string(text).json
  }

  /// A byte order mark before a JSON text means nothing; inside the input it would be wrong.
  private static func withoutMark(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    Array(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes)
  }

  private func unreadable(_ bytes: ArraySlice<UInt8>, as type: ChainType, _ file: String?, _ failure: Failure) -> String {
    let place = file.map { "\($0): " } ?? ""
    let got = bytes.count > 60 ? "something else" : String(decoding: ChainValue.string(String(decoding: bytes, as: UTF8.self)).json, as: UTF8.self)
    switch type.kind {
    case .integer: return "\(place)expected integer, got \(got)"
    case .number: return "\(place)expected number, got \(got)"
    case .boolean: return "\(place)expected true or false, got \(got)"
    default:
      // The reader calls its whole text json.
      let reason = failure.message.hasPrefix("json: ") ? String(failure.message.dropFirst(6)) : failure.message
      return "\(place)\(reason); \(hint(for: type, bytes, file))"
    }
  }

  /// What to write instead.
  private func hint(for type: ChainType, _ bytes: ArraySlice<UInt8>, _ file: String?) -> String {
    let isShort = file == nil && bytes.count <= 60 && !bytes.contains(UInt8(ascii: "'"))
    let text = isShort ? String(decoding: bytes, as: UTF8.self) : "…"
    let quoted = isShort ? String(decoding: ChainValue.string(text).json, as: UTF8.self) : "\"…\""
    switch type.kind {
    case .list(let item) where item.isText: return "a list is JSON: \(name)='[\(quoted)]'"
    case .list, .map, .record: return "\(type.isList ? "a list" : "an object") is JSON: \(name)='\(type.isList ? "[…]" : "{…}")'"
    case .bytes, .blob: return "bytes are base64 in quotes, or a file: \(name)=@FILE"
    case .any: return "a text is written with quotes: \(name)='\(quoted)'"
    default: return "it is read as JSON"
    }
  }

  private func failure(_ text: String) -> CommandFailure { CommandFailure(.failed, "\(owner).input.\(name): \(text)") }
}

extension ChainType {
  fileprivate var isText: Bool {
    switch kind {
    case .string, .enumeration: true
    default: false
    }
  }

  fileprivate var isList: Bool {
    if case .list = kind { return true }
    return false
  }
}
