import ChainBase

/// numpy's file format `.npy`, versions 1 to 3: the element types of tensors, little-endian.
extension Tensor {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Reads the bytes of a file; the elements are copied.
  /// - Throws: a failure that says what is wrong with it.
  public convenience init(npy file: UnsafeRawBufferPointer) throws {
    guard file.count >= 10, file.prefix(6).elementsEqual(Tensor.magic) else {
      throw Tensor.failure("npy: the bytes do not begin as a numpy file does")
    }
    let version = file[6]
    guard (1...3).contains(version) else { throw Tensor.failure("npy: version \(version) of the format is not known") }
    let lengthBytes = version == 1 ? 2 : 4
    guard file.count >= 8 + lengthBytes else { throw Tensor.failure("npy: the file ends inside its header") }
    let length = file[8..<8 + lengthBytes].reversed().reduce(0) { $0 << 8 | Int($1) }
    let start = 8 + lengthBytes + length
    guard length <= 1 << 16, file.count >= start else { throw Tensor.failure("npy: the file ends inside its header") }
    let header = try NumpyHeader(Array(file[(start - length)..<start]))
    let count = try Tensor.count(of: header.shape, header.dtype)
    let size = count * header.dtype.size
    guard file.count - start >= size else {
      throw Tensor.failure(
        "npy: \(header.dtype) \(Tensor.text(of: header.shape)) has \(size) bytes, and the file has \(file.count - start) after its header")
    }
    let elements = UnsafeRawBufferPointer(rebasing: file[start..<start + size])
    let lying = header.isColumnMajor ? header.shape.reversed() : header.shape
    let read = try Tensor(header.dtype, shape: lying, bytes: elements)
    let turned = header.isColumnMajor ? try read.transposed().packed() : read
    try self.init(header.dtype, shape: header.shape, memory: turned.memory)
  }

  /// The bytes of a file, as numpy writes it (version 1).
  public func npy() throws -> [UInt8] {
    let sizes = shape.map { "\($0)," }.joined(separator: " ")
    let dimensions = rank == 1 ? "(\(shape[0]),)" : "(\(sizes.dropLast()))"
    var header = "{'descr': '\(NumpyHeader.name(of: dtype))', 'fortran_order': False, 'shape': \(dimensions), }"
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    var file = Tensor.magic + [1, 0, UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)] + header.utf8
    try TensorAllowance.take(byteCount)
    file.reserveCapacity(file.count + byteCount)
    try withBytes { bytes in
      try TensorPace(copies: 1, ofBytes: bytes.count).forEachPiece(of: bytes.count) { file.append(contentsOf: bytes[$0]) }
    }
    return file
  }
}

/// The description in the head of a numpy file: a Python dictionary of three known names.
struct NumpyHeader {
  var dtype = DType.float32
  var shape: [Int] = []
  var isColumnMajor = false

  static func name(of dtype: DType) -> String {
    switch dtype {
    case .bool: "|b1"
    case .int8: "|i1"
    case .uint8: "|u1"
    default: "<\(dtype.isFloat ? "f" : dtype.isSigned ? "i" : "u")\(dtype.size)"
    }
  }

  init(_ bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    func after(_ name: String) throws -> Substring {
      guard let place = text.firstRange(of: "'\(name)':") else { throw Tensor.failure("npy: the header has no '\(name)'") }
      return text[place.upperBound...].drop { $0 == " " }
    }
    let type = try after("descr")
    guard type.first == "'" else { throw Tensor.failure("npy: records of several types are not taken") }
    let name = type.dropFirst().prefix { $0 != "'" }
    guard let known = DType.allCases.first(where: { NumpyHeader.name(of: $0) == name || "=\(NumpyHeader.name(of: $0).dropFirst())" == name })
    else { throw Tensor.failure("npy: elements of type '\(name.prefix(32))' are not taken (little-endian numbers and bools are)") }
    dtype = known
    isColumnMajor = try after("fortran_order").hasPrefix("True")
    let sizes = try after("shape")
    guard sizes.first == "(", let end = sizes.firstIndex(of: ")") else { throw Tensor.failure("npy: the shape is malformed") }
    for part in sizes[sizes.index(after: sizes.startIndex)..<end].split(separator: ",") {
      let digits = part.filter { $0 != " " }
      if digits.isEmpty { continue }
      guard let size = Int(digits), size >= 0 else { throw Tensor.failure("npy: the shape is malformed") }
      shape.append(size)
    }
  }
}
