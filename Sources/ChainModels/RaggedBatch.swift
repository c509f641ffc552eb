import ChainBase
import ChainTensors

/// Several calls of a model made one: inputs are put below each other along the first dimension, shorter ones padded, and
/// outputs are cut apart again, without copies.
struct RaggedBatch {
  /// The rows of each call, and where they begin.
  private let rows: [Range<Int>]
  /// Of each call, the sizes of named dimensions before padding.
  private let named: [[String: Int]]
  let inputs: [Tensor]

  /// Calls of one key can run together.
  struct Key: Hashable {
    var sizes: [[Int]]
  }

  /// - Parameter padded: names of the inputs that may differ in size past the first dimension.
  static func key(_ tensors: [Tensor], _ ports: [ModelPort], padded: Set<String>) -> Key {
    Key(sizes: zip(tensors, ports).map { tensor, port in
      tensor.shape.enumerated().map { axis, size in
        axis == 0 ? -1 : padded.contains(port.name) && !port.isFixed(axis) ? -1 : size
      }
    })
  }

  /// - Parameters:
  ///   - calls: the tensors of each, in the order of `ports`.
  ///   - padding: the value that fills up an input, by name.
  init(_ calls: [[Tensor]], _ ports: [ModelPort], padding: [String: Double]) throws {
    var rows: [Range<Int>] = []
    var named: [[String: Int]] = []
    var start = 0
    for call in calls {
      let count = call.first?.shape.first ?? 0
      rows.append(start..<(start + count))
      start += count
      var sizes: [String: Int] = [:]
      for (tensor, port) in zip(call, ports) {
        for (axis, dimension) in port.shape.enumerated() where axis > 0 {
          if case .named(let name) = dimension { sizes[name] = tensor.shape[axis] }
        }
      }
      named.append(sizes)
    }
    self.rows = rows
    self.named = named
    inputs = try ports.indices.map { position in
      try RaggedBatch.joined(calls.map { $0[position] }, padding: padding[ports[position].name] ?? 0)
    }
  }

  /// Below each other, each filled up to the largest.
  private static func joined(_ parts: [Tensor], padding: Double) throws -> Tensor {
    guard let first = parts.first else { throw Failure(code: Failure.Code.failed, message: "a batch of no calls") }
    guard parts.count > 1 else { return first }
    var shape = first.shape
    for axis in shape.indices { shape[axis] = axis == 0 ? parts.reduce(0) { $0 + $1.shape[0] } : parts.map { $0.shape[axis] }.max() ?? 0 }
    let isRagged = parts.contains { $0.shape.dropFirst() != shape.dropFirst() }
    let dtype = first.dtype
    return try Tensor(dtype, shape: shape) { memory in
      if isRagged { fill(memory, dtype, padding) }
      var strides = [Int](repeating: dtype.size, count: shape.count)
      for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
      var offset = 0
      for part in parts {
        try part.withBytes { bytes in
          var source = 0
          copy(part.shape, axis: 0, from: bytes, &source, to: memory, at: offset, strides, dtype.size)
        }
        offset += part.shape[0] * (strides.first ?? 0)
      }
    }
  }

  private static func copy(
    _ shape: [Int], axis: Int, from bytes: UnsafeRawBufferPointer, _ source: inout Int, to memory: UnsafeMutableRawBufferPointer,
    at offset: Int, _ strides: [Int], _ size: Int
  ) {
    if axis == shape.count - 1 {
      let count = shape[axis] * size
      memory[offset..<(offset + count)].copyBytes(from: bytes[source..<(source + count)])
      source += count
      return
    }
    for position in 0..<shape[axis] {
      copy(shape, axis: axis + 1, from: bytes, &source, to: memory, at: offset + position * strides[axis], strides, size)
    }
  }

  private static func fill(_ memory: UnsafeMutableRawBufferPointer, _ dtype: DType, _ value: Double) {
    func fill<Element: BitwiseCopyable>(_ element: Element) { memory.bindMemory(to: Element.self).update(repeating: element) }
    switch dtype {
    case .float32: fill(Float(value))
    case .float64: fill(value)
    case .int8: fill(Int8(value))
    case .int16: fill(Int16(value))
    case .int32: fill(Int32(value))
    case .int64: fill(Int64(value))
    case .uint8: fill(UInt8(value))
    case .uint16: fill(UInt16(value))
    case .uint32: fill(UInt32(value))
    case .uint64: fill(UInt64(value))
    case .bool: fill(value != 0)
    case .float16: fill(Half(Float(value)))
    }
  }

  /// Whether a value can fill an input of that type.
  static func canFill(_ dtype: DType?, with value: Double) -> Bool {
    switch dtype {
    case .int8: Int8(exactly: value) != nil
    case .int16: Int16(exactly: value) != nil
    case .int32: Int32(exactly: value) != nil
    case .int64: Int64(exactly: value) != nil
    case .uint8: UInt8(exactly: value) != nil
    case .uint16: UInt16(exactly: value) != nil
    case .uint32: UInt32(exactly: value) != nil
    case .uint64: UInt64(exactly: value) != nil
    default: true
    }
  }

  /// The outputs of each call: its rows, and of padded dimensions what was its own.
  func split(_ outputs: [Tensor], _ ports: [ModelPort]) throws -> [[Tensor]] {
    if rows.count == 1 { return [outputs] }
    return try rows.indices.map { call in
      try zip(outputs, ports).map { output, port in
        guard output.shape.first == rows.last?.upperBound else {
          throw Failure(
            code: Failure.Code.failed,
            message: "output '\(port.name)' has no row for each of the batch's (\(ModelPort.text(output))): this model cannot run in batches")
        }
        var own = try output.sliced(axis: 0, rows[call])
        for (axis, dimension) in port.shape.enumerated() where axis > 0 {
          guard case .named(let name) = dimension, let size = named[call][name], size < own.shape[axis] else { continue }
          own = try own.sliced(axis: axis, 0..<size)
        }
        return own
      }
    }
  }
}

extension ModelPort {
  func isFixed(_ axis: Int) -> Bool {
    guard shape.indices.contains(axis), case .fixed = shape[axis] else { return false }
    return true
  }
}
