extension Tensor {
  /// One after the other along a dimension; the other dimensions must be the same, and so must the element types.
  public static func concatenated(_ tensors: [Tensor], axis: Int = 0) throws -> Tensor {
    guard let first = tensors.first else { throw failure("concat: there must be at least one tensor") }
    let place = try first.axis(axis)
    var shape = first.shape
    shape[place] = 0
    for tensor in tensors {
      var rest = tensor.shape
      if rest.count == shape.count { rest[place] = shape[place] }
      guard rest == shape else {
        throw failure("concat: \(text(of: first.shape)) and \(text(of: tensor.shape)) differ in more than the dimension that is joined")
      }
      guard tensor.dtype == first.dtype else {
        throw failure("concat: \(first.dtype) and \(tensor.dtype) differ: cast one of them first")
      }
      shape[place] += tensor.shape[place]
    }
    return try first.joined(tensors, shape, axis: place)
  }

  /// One after the other along a new dimension, which `axis` will be; the shapes must be the same.
  public static func stacked(_ tensors: [Tensor], axis: Int = 0) throws -> Tensor {
    guard let first = tensors.first else { throw failure("stack: there must be at least one tensor") }
    let place = axis < 0 ? axis + first.rank + 1 : axis
    for tensor in tensors where tensor.shape != first.shape {
      throw failure("stack: \(text(of: first.shape)) and \(text(of: tensor.shape)) differ")
    }
    return try concatenated(tensors.map { try $0.expanded(at: place) }, axis: place)
  }

  private func joined(_ tensors: [Tensor], _ shape: [Int], axis: Int) throws -> Tensor {
    let sources = try tensors.map { try $0.contiguous() }
    let outer = shape[..<axis].reduce(1, *)
    let inner = shape[(axis + 1)...].reduce(1, *) * dtype.size
    return try Tensor(dtype, shape: shape) { memory in
      guard var to = memory.baseAddress else { return }
      for row in 0..<outer {
        for source in sources {
          let size = source.shape[axis] * inner
          guard size > 0, let base = source.bytes.baseAddress else { continue }
          to.copyMemory(from: base + row * size, byteCount: size)
          to += size
        }
      }
    }
  }

  /// The positions of one dimension that are named, in that order; a position may come again.
  public func taking(_ positions: [Int], axis: Int = 0) throws -> Tensor {
    let axis = try self.axis(axis)
    for position in positions where !(0..<shape[axis]).contains(position) {
      throw Tensor.failure(
        "position \(position) is out of bounds for \(Tensor.text(of: shape)), whose axis \(axis) has \(shape[axis]) positions")
    }
    let source = try contiguous()
    let outer = shape[..<axis].reduce(1, *)
    let inner = shape[(axis + 1)...].reduce(1, *) * dtype.size
    var sizes = shape
    sizes[axis] = positions.count
    return try Tensor(dtype, shape: sizes) { memory in
      guard var to = memory.baseAddress, let from = source.bytes.baseAddress, inner > 0 else { return }
      for row in 0..<outer {
        for position in positions {
          to.copyMemory(from: from + (row * shape[axis] + position) * inner, byteCount: inner)
          to += inner
        }
      }
    }
  }
}
