import ChainBase
import ChainTensors

/// Swift values and JSON text, without a type and without Lua: for the rim.
extension ChainValue {
  /// Reads JSON text: strict RFC 8259, at most 64 levels; of a name given twice the last counts.
  /// - Throws: a failure of code `bad_input` that says where the text is wrong.
  public init(json text: [UInt8]) throws(Failure) {
    let result: Result<ChainValue, Failure> = text.withUnsafeBytes { bytes in
      do throws(TypeMismatch) {
        return .success(try ChainValueReader.read(bytes, root: "json"))
      } catch { return .failure(error.failure) }
    }
    self = try result.get()
  }

  /// The value as JSON text: bytes as base64, NaN and infinities as strings.
  public var json: [UInt8] {
    var buffer = ByteBuffer()
    appendJSON(to: &buffer)
    return buffer.array
  }

  package func appendJSON(to buffer: inout ByteBuffer) {
    var pace = Pace.unbounded
    appendJSON(to: &buffer, most: .max, &pace)
  }

  /// Ends early, in the midst of it, when there is more than `most` in the buffer, or the rest is not wanted.
  func appendJSON(to buffer: inout ByteBuffer, most: Int, _ pace: inout Pace) {
    switch self {
    case .null: buffer.append("null")
    case .boolean(let flag): buffer.append(flag ? "true" : "false")
    case .integer(let value): JSONText.append(integer: value, to: &buffer)
    case .number(let value): JSONText.append(number: value, to: &buffer)
    case .string(let text): append(text, to: &buffer, &pace)
    case .bytes(let bytes):
      buffer.append(0x22)
      bytes.withUnsafeBytes { Base64.append($0, to: &buffer) }
      buffer.append(0x22)
    case .reference(let reference):
      let count = buffer.count
      if let tensor = reference.object as? Tensor, (try? TensorJSON.append(tensor, to: &buffer, pace: &pace)) != nil { return }
      buffer.truncate(to: count)
      buffer.append("null")
    case .list(let items):
      buffer.append(0x5B)
      for (position, item) in items.enumerated() {
        guard pace.goesOn(), buffer.count <= most else { return }
        if position > 0 { buffer.append(0x2C) }
        item.appendJSON(to: &buffer, most: most, &pace)
      }
      buffer.append(0x5D)
    case .record(let fields):
      buffer.append(0x7B)
      for (position, field) in fields.enumerated() {
        guard pace.goesOn(), buffer.count <= most else { return }
        if position > 0 { buffer.append(0x2C) }
        append(field.name, to: &buffer, &pace)
        buffer.append(0x3A)
        field.value.appendJSON(to: &buffer, most: most, &pace)
      }
      buffer.append(0x7D)
    }
  }

  private func append(_ text: String, to buffer: inout ByteBuffer, _ pace: inout Pace) {
    var text = text
    text.withUTF8 { _ = JSONText.append(checked: UnsafeRawBufferPointer($0), to: &buffer, pace: &pace) }
  }
}

/// Reads JSON text as a tree of Swift values.
struct ChainValueReader: ~Copyable, JSONTokens {
  let start: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>
  var at: UnsafePointer<UInt8>
  var scratch = ByteBuffer()
  var complaint: Complaint?
  var path: [PathStep] = []
  var quiet = false
  var pace = Pace.unbounded
  var depth = CrossingLimits.deepest

  static func read(_ text: UnsafeRawBufferPointer, root: String) throws(TypeMismatch) -> ChainValue {
    let copy = PaddedText(text)
    defer { extendLifetime(copy) }
    var reader = ChainValueReader(start: copy.start, end: copy.end, at: copy.start)
    reader.skipSpace()
    var value = reader.value()
    if value != nil {
      reader.skipSpace()
      if reader.at != reader.end {
        _ = reader.syntax("expected the end after the value")
        value = nil
      }
    }
    guard let value else {
      throw TypeMismatch(
        root: root, path: [], reader.complaint ?? Complaint(expected: "JSON", got: "something else"), CrossingLimits())
    }
    return value
  }

  private mutating func value() -> ChainValue? {
    switch at.pointee {
    case 0x22: return stringToken().map { .string(String(decoding: $0, as: UTF8.self)) }
    case 0x7B: return inside { $0.record() }
    case 0x5B: return inside { $0.list() }
    case 0x74 where isTrue():
      at += 4
      return .boolean(true)
    case 0x66 where isFalse():
      at += 5
      return .boolean(false)
    case 0x6E where isNull():
      at += 4
      return .null
    default:
      guard isNumberStart() else { return refuse("expected a value") }
      return numberToken().map { $0.isInteger ? .integer($0.integer) : .number($0.number) }
    }
  }

  private mutating func refuse(_ text: String) -> ChainValue? {
    _ = syntax(text)
    return nil
  }

  private mutating func inside(_ body: (inout ChainValueReader) -> ChainValue?) -> ChainValue? {
    guard depth > 0 else {
      _ = fail(.tooDeep(CrossingLimits.deepest))
      return nil
    }
    depth -= 1
    at += 1
    skipSpace()
    defer { depth += 1 }
    return body(&self)
  }

  private mutating func list() -> ChainValue? {
    var items: [ChainValue] = []
    if at.pointee != 0x5D {
      while true {
        guard let item = value() else { return nil }
        items.append(item)
        skipSpace()
        guard at.pointee == 0x2C else { break }
        at += 1
        skipSpace()
      }
    }
    guard at.pointee == 0x5D else { return refuse("expected ',' or ']'") }
    at += 1
    return .list(items)
  }

  private mutating func record() -> ChainValue? {
    var fields: [Field] = []
    var known: [[UInt8]: Int] = [:] // bytes: to Swift's strings an accent is the same however it is composed
    if at.pointee != 0x7D {
      while true {
        guard at.pointee == 0x22 else { return refuse("expected a field name between double quotes") }
        guard let name = stringToken().map({ String(decoding: $0, as: UTF8.self) }) else { return nil }
        skipSpace()
        guard at.pointee == 0x3A else { return refuse("expected ':' after the field name") }
        at += 1
        skipSpace()
        guard let value = value() else { return nil }
        let key = Array(name.utf8)
        if let index = known[key] { fields[index].value = value } else {
          known[key] = fields.count
          fields.append(Field(name, value))
        }
        skipSpace()
        guard at.pointee == 0x2C else { break }
        at += 1
        skipSpace()
      }
    }
    guard at.pointee == 0x7D else { return refuse("expected ',' or '}'") }
    at += 1
    return .record(fields)
  }

  private typealias Field = ChainValue.Field
}
