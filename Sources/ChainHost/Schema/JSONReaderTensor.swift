import ChainTensors
import LuaBridge

/// A tensor, from `{ data_b64, dtype, shape }` or from nested lists.
extension JSONReader {
  mutating func tensor(_ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    guard let dtype = TensorFit.dtype(of: node.pointee), startsTensor() else { return mismatch(node) }
    guard let tensor = at.pointee == 0x7B ? packed() : nested(node, dtype) else { return false }
    bytes &-= tensor.byteCount
    guard bytes >= 0 else { return tooManyBytes() }
    guard TensorFit.admits(tensor, node.pointee, program, binding.sizes) else {
      return !quiet && fail(TensorFit.complaint(about: tensor, node.pointee, program, binding.sizes))
    }
    stack.push(tensor)
    return true
  }

  func startsTensor() -> Bool { at.pointee == 0x7B || at.pointee == 0x5B || isNumberStart() || isTrue() || isFalse() }

  // MARK: Packed

  private mutating func packed() -> Tensor? {
    var data: [UInt8]?
    var dtype: DType?
    var shape: [Int]?
    at += 1
    skipSpace()
    while at.pointee != 0x7D {
      guard let name = fieldName() else { return nil }
      var isRead = false
      switch name {
      case "data_b64" where data == nil:
        data = base64Bytes()
        isRead = data != nil
      case "dtype" where dtype == nil:
        dtype = elementType()
        isRead = dtype != nil
      case "shape" where shape == nil:
        shape = sizes()
        isRead = shape != nil
      default: _ = !quiet && fail(.unknown(name, among: TensorJSON.fields))
      }
      guard isRead else {
        if !quiet { path.append(.field(name)) }
        return nil
      }
      skipSpace()
      if at.pointee == 0x2C {
        at += 1
        skipSpace()
        if at.pointee == 0x7D { return refuse(syntax("expected a field name between double quotes")) }
      } else if at.pointee != 0x7D {
        return refuse(syntax("expected ',' or '}'"))
      }
    }
    at += 1
    guard let data, let dtype, let shape else {
      let absent = data == nil ? "data_b64" : dtype == nil ? "dtype" : "shape"
      return refuse(!quiet && fail(Complaint(expected: "", got: "", text: "a tensor needs the fields data_b64, dtype and shape; \(absent) is missing")))
    }
    do { return try data.withUnsafeBytes { try Tensor(dtype, shape: shape, bytes: $0) } } catch {
      return refuse(!quiet && fail(Complaint(expected: "a tensor", got: "", text: "\(message(of: error))")))
    }
  }

  private func refuse(_: Bool) -> Tensor? { nil }

  private mutating func fieldName() -> String? {
    guard at.pointee == 0x22 else {
      _ = syntax("expected a field name between double quotes")
      return nil
    }
    guard let text = stringToken() else { return nil }
    let name = String(decoding: text, as: UTF8.self)
    skipSpace()
    guard at.pointee == 0x3A else {
      _ = syntax("expected ':' after the field name")
      return nil
    }
    at += 1
    skipSpace()
    return name
  }

  private mutating func base64Bytes() -> [UInt8]? {
    guard let text = text(expected: "bytes as base64") else { return nil }
    var decoded = ByteBuffer(capacity: text.count)
    if pace.goesOn(afterBytes: text.count), Base64.decode(text, into: &decoded, pace: &pace) { return decoded.array }
    _ = !quiet && fail(Complaint(expected: "bytes as base64", got: Complaint.string(text)))
    return nil
  }

  private mutating func elementType() -> DType? {
    guard let text = text(expected: "the name of an element type") else { return nil }
    if let dtype = DType(rawValue: String(decoding: text, as: UTF8.self)) { return dtype }
    let names = DType.allCases.map(\.rawValue).joined(separator: ", ")
    _ = !quiet && fail(Complaint(expected: "one of \(names)", got: Complaint.string(text)))
    return nil
  }

  private mutating func text(expected: String) -> UnsafeRawBufferPointer? {
    if at.pointee == 0x22 { return stringToken() }
    if !quiet, let got = describeToken() { _ = fail(Complaint(expected: expected, got: got)) }
    return nil
  }

  private mutating func sizes() -> [Int]? {
    var sizes: [Int] = []
    guard at.pointee == 0x5B else {
      if !quiet, let got = describeToken() { _ = fail(Complaint(expected: "list of sizes", got: got)) }
      return nil
    }
    at += 1
    skipSpace()
    while at.pointee != 0x5D {
      let token = at
      guard isNumberStart(), let read = numberToken() else {
        if !quiet, complaint == nil, let got = describeToken() { _ = fail(Complaint(expected: "a size", got: got)) }
        return nil
      }
      guard read.isInteger, read.integer >= 0, sizes.count < Tensor.mostDimensions else {
        at = token
        if !quiet, let got = describeToken() { _ = fail(Complaint(expected: "a size, at most \(Tensor.mostDimensions) of them", got: got)) }
        return nil
      }
      sizes.append(Int(read.integer))
      skipSpace()
      if at.pointee == 0x2C {
        at += 1
        skipSpace()
        if at.pointee == 0x5D {
          _ = syntax("expected a value")
          return nil
        }
      } else if at.pointee != 0x5D {
        _ = syntax("expected ',' or ']'")
        return nil
      }
    }
    at += 1
    return sizes
  }

  // MARK: Nested lists

  private struct Nest {
    var builder: TensorBuilder
    var rank: Int
    /// As long as the lists that were entered so far are deep.
    var shape: [Int] = []
  }

  private mutating func nested(_ node: UnsafeMutablePointer<SchemaNode>, _ dtype: DType) -> Tensor? {
    var nest = Nest(builder: TensorBuilder(dtype), rank: Int(node.pointee.count))
    guard elements(node, 0, &nest) else { return nil }
    // Of an empty list the sizes further in are not known: those that are declared are taken.
    while nest.shape.count < nest.rank {
      nest.shape.append(max(program.dimensions[node.pointee.first + Int32(nest.shape.count)].size, 0))
    }
    return try? nest.builder.tensor(shape: nest.shape)
  }

  private mutating func elements(_ node: UnsafeMutablePointer<SchemaNode>, _ level: Int, _ nest: inout Nest) -> Bool {
    guard level < nest.rank else { return element(node, &nest) }
    guard at.pointee == 0x5B else {
      guard !quiet, let got = describeToken() else { return false }
      return fail(Complaint(expected: level == 0 ? type(of: node).expectation : "list", got: got))
    }
    at += 1
    skipSpace()
    var count = 0
    let isFirst = level == nest.shape.count
    if isFirst { nest.shape.append(0) }
    while at.pointee != 0x5D {
      count += 1
      guard elements(node, level + 1, &nest) else { return quiet ? false : inPosition(Int64(count)) }
      guard nest.builder.count <= bytes else { return tooManyBytes() }
      skipSpace()
      if at.pointee == 0x2C {
        at += 1
        skipSpace()
        if at.pointee == 0x5D { return syntax("expected a value") }
        guard pace.goesOn() else { return fail(.unwanted) }
      } else if at.pointee != 0x5D {
        return syntax("expected ',' or ']'")
      }
    }
    at += 1
    if isFirst { nest.shape[level] = count }
    guard nest.shape[level] == count else {
      return !quiet && fail(Complaint(
        expected: "\(nest.shape[level]) items, as in the lists before", got: "\(count)"))
    }
    return true
  }

  private mutating func element(_ node: UnsafeMutablePointer<SchemaNode>, _ nest: inout Nest) -> Bool {
    let token = at
    var fits = false
    if isTrue() || isFalse() {
      fits = nest.builder.append(isTrue())
      at += isTrue() ? 4 : 5
    } else if at.pointee == 0x22, nest.builder.dtype.isFloat {
      guard let text = stringToken() else { return false }
      switch String(decoding: text, as: UTF8.self) {
      case "NaN": fits = nest.builder.append(Double.nan)
      case "Infinity": fits = nest.builder.append(Double.infinity)
      case "-Infinity": fits = nest.builder.append(-Double.infinity)
      default: break
      }
    } else if isNumberStart() {
      guard let read = numberToken() else { return false }
      fits = read.isInteger ? nest.builder.append(read.integer) : nest.builder.append(read.number)
    }
    if fits { return true }
    at = token
    guard !quiet, let got = describeToken() else { return false }
    return fail(Complaint(expected: nest.builder.dtype.rawValue, got: got))
  }
}
