extension Tensor {
  /// One after the other along a dimension; the other dimensions must be the same, and so must the element types.
  public static func concatenated(_ tensors: [Tensor], axis: Int = 0) throws -> Tensor {
    guard let first = tensors.first else { throw failure("concat: there must be at least one tensor") }
    let place = try first.axis(axis)
    var shape = first.shape
    shape[place] = 0
    let pace = try TensorPace(tensors.count, cost: 64)
    for tensor in tensors {
      try pace.passed(1)
      var rest = tensor.shape
      if rest.count == shape.count { rest[place] = shape[place] }
      guard rest == shape else {
        throw failure("concat: \(text(of: first.shape)) and \(text(of: tensor.shape)) differ in more than the dimension that is joined")
      }
      try tensor.mustBe(first.dtype, "concat")
      let (size, isOver) = shape[place].addingReportingOverflow(tensor.shape[place])
      guard !isOver else { throw failure("concat: the result is too large for a tensor") }
      shape[place] = size
    }
    return try joined(tensors, first.dtype, shape, axis: place)
  }

  /// One after the other along a new dimension, which `axis` will be; the shapes must be the same.
  public static func stacked(_ tensors: [Tensor], axis: Int = 0) throws -> Tensor {
    guard let first = tensors.first else { throw failure("stack: there must be at least one tensor") }
    let place = axis < 0 ? axis + first.rank + 1 : axis
    guard (0...first.rank).contains(place) else { throw failure("stack: \(text(of: first.shape)) has no place \(axis) for a new axis") }
    let pace = try TensorPace(tensors.count, cost: 8)
    for tensor in tensors {
      try pace.passed(1)
      guard tensor.shape == first.shape else {
        throw failure("stack: \(text(of: first.shape)) and \(text(of: tensor.shape)) differ")
      }
      try tensor.mustBe(first.dtype, "stack")
    }
    var shape = first.shape
    shape.insert(tensors.count, at: place)
    return try joined(tensors, first.dtype, shape, axis: place)
  }

  private func mustBe(_ dtype: DType, _ name: String) throws {
    guard self.dtype == dtype else { throw Tensor.failure("\(name): \(dtype) and \(self.dtype) differ: cast one of them first") }
  }

  /// Each has, before `axis`, the dimensions of the result, so as many stretches of elements to put between the others'.
  private static func joined(_ tensors: [Tensor], _ dtype: DType, _ shape: [Int], axis: Int) throws -> Tensor {
    try Tensor(dtype, shape: shape) { memory in
      guard var to = memory.baseAddress, memory.count > 0 else { return }
      let stretches = shape[..<axis].reduce(1, *)
      let row = memory.count / stretches
      let pace = try TensorPace(copies: TensorPace.product(stretches, tensors.count), ofBytes: row / tensors.count)
      for tensor in tensors { // one at a time: what does not lie row after row is copied before
        let size = tensor.byteCount / stretches
        try tensor.withBytes { bytes in
          guard size > 0, let from = bytes.baseAddress else { return try pace.passed(1) }
          for stretch in 0..<stretches {
            try pace.copy(from + stretch * size, to: to + stretch * row, byteCount: size)
          }
        }
        to += size
      }
    }
  }

  /// The positions of one dimension that are named, in that order; a position may come again.
  public func taking(_ positions: [Int], axis: Int = 0) throws -> Tensor {
    let axis = try self.axis(axis)
    try TensorPace(positions.count).forEachPiece(of: positions.count) { piece in
      for position in positions[piece] where !(0..<shape[axis]).contains(position) {
        throw Tensor.failure(
          "position \(position) is out of bounds for \(Tensor.text(of: shape)), whose axis \(axis) has \(shape[axis]) positions")
      }
    }
    var sizes = shape
    sizes[axis] = positions.count
    return try Tensor(dtype, shape: sizes) { memory in
      guard var to = memory.baseAddress, memory.count > 0 else { return }
      let outer = shape[..<axis].reduce(1, *)
      let inner = shape[(axis + 1)...].reduce(1, *) * dtype.size
      let pace = try TensorPace(copies: TensorPace.product(outer, positions.count), ofBytes: inner)
      try withBytes { bytes in
        guard let from = bytes.baseAddress else { return }
        for row in 0..<outer {
          for position in positions {
            try pace.copy(from + (row * shape[axis] + position) * inner, to: to, byteCount: inner)
            to += inner
          }
        }
      }
    }
  }
}
