import ChainBase

/// A part of a `tokenizer.json`, with its path for messages.
struct TokenizerPart {
  let value: ChainValue
  let path: String

  subscript(name: String) -> TokenizerPart { TokenizerPart(value: value[name] ?? .null, path: path.isEmpty ? name : "\(path).\(name)") }

  /// nil for null.
  var present: TokenizerPart? { value == .null ? nil : self }

  func kind() throws -> String { try text("type") }

  func text(_ name: String) throws -> String {
    guard case .string(let text)? = value[name] else { throw failure("\(self[name].path) must be a string") }
    return text
  }

  func optionalText(_ name: String) -> String? {
    if case .string(let text)? = value[name] { return text }
    return nil
  }

  func integer(_ name: String) throws -> Int {
    guard case .integer(let number)? = value[name], let number = Int(exactly: number) else {
      throw failure("\(self[name].path) must be an integer")
    }
    return number
  }

  func flag(_ name: String) -> Bool? {
    if case .boolean(let flag)? = value[name] { return flag }
    return nil
  }

  func list(_ name: String) throws -> [TokenizerPart] {
    guard case .list(let items)? = value[name] else { throw failure("\(self[name].path) must be a list") }
    return items.enumerated().map { TokenizerPart(value: $0.element, path: "\(self[name].path)[\($0.offset + 1)]") }
  }

  /// Of `{ "String": "x" }`: x. A regular expression is refused.
  func literal() throws -> String {
    if let text = optionalText("String") { return text }
    throw failure("\(path): regular expressions are not taken here")
  }

  func unknown(_ kind: String) -> Failure { failure("\(path): '\(kind)' is not known to this tokenizer") }
  func failure(_ text: String) -> Failure { Failure(code: Failure.Code.failed, message: "tokenizer: \(text)") }
}
