import ChainBase
import ChainTensors

/// A tensor in JSON: `{ "data_b64": …, "dtype": "float32", "shape": [2, 3] }`, its elements as bytes, little-endian, row
/// after row. Read, too, from such values of Swift, and from nested lists.
enum TensorJSON {
  static let fields = ["data_b64", "dtype", "shape"]

  /// - Returns: false when the pace was told that the rest is not wanted.
  static func append(_ tensor: Tensor, to buffer: inout ByteBuffer, pace: inout Pace) throws -> Bool {
    buffer.append("{\"data_b64\":\"")
    guard try tensor.withBytes({ Base64.append($0, to: &buffer, pace: &pace) }) else { return false }
    buffer.append("\",\"dtype\":\"")
    for letter in tensor.dtype.rawValue.utf8 { buffer.append(letter) }
    buffer.append("\",\"shape\":[")
    for (axis, size) in tensor.shape.enumerated() {
      if axis > 0 { buffer.append(0x2C) }
      JSONText.append(integer: Int64(size), to: &buffer)
    }
    buffer.append("]}")
    return true
  }

  /// The tensor that a value written in Swift stands for where one of this type and number of dimensions is declared.
  static func tensor(from value: ChainValue, _ dtype: DType, rank: Int) -> Tensor? {
    switch value {
    case .reference(let reference): return reference.object as? Tensor
    case .record: return packed(value)
    case .list, .integer, .number, .boolean:
      var shape: [Int] = []
      var builder = TensorBuilder(dtype)
      guard add(value, level: 0, &shape, rank, &builder) else { return nil }
      shape += [Int](repeating: 0, count: rank - shape.count)
      return try? builder.tensor(shape: shape)
    default: return nil
    }
  }

  private static func packed(_ value: ChainValue) -> Tensor? {
    guard case .string(let name)? = value["dtype"], let dtype = DType(rawValue: name), case .list(let sizes)? = value["shape"]
    else { return nil }
    var shape: [Int] = []
    for case .integer(let size) in sizes { shape.append(Int(size)) }
    guard shape.count == sizes.count else { return nil }
    switch value["data_b64"] {
    case .bytes(let bytes): return try? tensor(bytes.span, dtype, shape)
    case .string(var text):
      var decoded = ByteBuffer()
      guard text.withUTF8({ Base64.decode(UnsafeRawBufferPointer($0), into: &decoded) }) else { return nil }
      return try? tensor(decoded.array.span, dtype, shape)
    default: return nil
    }
  }

  private static func tensor(_ bytes: Span<UInt8>, _ dtype: DType, _ shape: [Int]) throws -> Tensor {
    try bytes.withUnsafeBytes { try Tensor(dtype, shape: shape, bytes: $0) }
  }

  private static func add(
    _ value: ChainValue, level: Int, _ shape: inout [Int], _ rank: Int, _ builder: inout TensorBuilder
  ) -> Bool {
    switch value {
    case .list(let items):
      guard level < rank else { return false }
      if level == shape.count { shape.append(items.count) }
      return shape[level] == items.count && items.allSatisfy { add($0, level: level + 1, &shape, rank, &builder) }
    case .integer(let integer): return level == rank && builder.append(integer)
    case .number(let number): return level == rank && builder.append(number)
    case .boolean(let flag): return level == rank && builder.append(flag)
    default: return false
    }
  }
}
