/// Other looks at the same elements. They share the memory; only a reshape of what does not lie row after row copies.
extension Tensor {
  /// The same elements, row after row, in another shape; one size may be -1, which stands for what is left.
  public func reshaped(to shape: [Int]) throws -> Tensor {
    var sizes = shape
    if let open = shape.firstIndex(of: -1) {
      let others = try Tensor.count(of: shape.enumerated().map { $0.offset == open ? 1 : $0.element }, dtype)
      guard others > 0, count % others == 0 else { throw misfit(shape) }
      sizes[open] = count / others
    }
    guard try Tensor.count(of: sizes, dtype) == count else { throw misfit(shape) }
    let source = try contiguous()
    return Tensor(view: source.memory, dtype, shape: sizes, strides: Tensor.strides(of: sizes), offset: source.offset)
  }

  private func misfit(_ shape: [Int]) -> any Error {
    Tensor.failure("reshape: the \(count) elements of \(Tensor.text(of: self.shape)) do not fill \(Tensor.text(of: shape))")
  }

  /// The dimensions in another order: the new dimension `i` is the old `axes[i]`. Without axes their order is reversed.
  public func transposed(_ axes: [Int]? = nil) throws -> Tensor {
    let order = try axes?.map { try axis($0) } ?? shape.indices.reversed()
    guard order.sorted() == Array(shape.indices) else {
      throw Tensor.failure("transpose: each of the \(rank) axes of \(Tensor.text(of: shape)) must be named once")
    }
    return Tensor(view: memory, dtype, shape: order.map { shape[$0] }, strides: order.map { strides[$0] }, offset: offset)
  }

  /// Every `step`-th position of a range of one dimension. The range must lie within it.
  public func sliced(axis: Int, _ range: Range<Int>, step: Int = 1) throws -> Tensor {
    let axis = try self.axis(axis)
    guard step > 0 else { throw Tensor.failure("slice: the step must be at least 1, got \(step)") }
    guard range.lowerBound >= 0, range.upperBound <= shape[axis] else {
      throw Tensor.failure("slice: \(range) is out of bounds for \(Tensor.text(of: shape)), whose axis \(axis) has \(shape[axis]) positions")
    }
    var (sizes, steps) = (shape, strides)
    let stride = Swift.min(step, Swift.max(range.count, 1)) // beyond the range there is nothing to step on
    sizes[axis] = (range.count + stride - 1) / stride
    steps[axis] *= stride
    return Tensor(view: memory, dtype, shape: sizes, strides: steps, offset: offset + (range.isEmpty ? 0 : range.lowerBound * strides[axis]))
  }

  /// One position of a dimension, without that dimension.
  public func selected(axis: Int, _ position: Int) throws -> Tensor {
    let axis = try self.axis(axis)
    let place = position < 0 ? position + shape[axis] : position
    guard shape[axis] > 0, shape.indices.contains(axis), (0..<shape[axis]).contains(place) else {
      throw Tensor.failure(
        "position \(position) is out of bounds for \(Tensor.text(of: shape)), whose axis \(axis) has \(shape[axis]) positions")
    }
    var (sizes, steps) = (shape, strides)
    sizes.remove(at: axis)
    steps.remove(at: axis)
    return Tensor(view: memory, dtype, shape: sizes, strides: steps, offset: offset + place * strides[axis])
  }

  /// One more dimension, of size 1, before `axis`; `rank` puts it last.
  public func expanded(at axis: Int) throws -> Tensor {
    let place = axis < 0 ? axis + rank + 1 : axis
    guard (0...rank).contains(place) else { throw outOfRange(axis) }
    var (sizes, steps) = (shape, strides)
    sizes.insert(1, at: place)
    steps.insert(0, at: place)
    guard sizes.count <= Tensor.mostDimensions else {
      throw Tensor.failure("a tensor has at most \(Tensor.mostDimensions) dimensions")
    }
    return Tensor(view: memory, dtype, shape: sizes, strides: steps, offset: offset)
  }

  /// Without a dimension of size 1; without any of them when none is named.
  public func squeezed(_ axis: Int? = nil) throws -> Tensor {
    var dropped = Set(shape.indices.filter { shape[$0] == 1 })
    if let axis {
      let place = try self.axis(axis)
      guard shape[place] == 1 else {
        throw Tensor.failure("squeeze: axis \(place) of \(Tensor.text(of: shape)) has \(shape[place]) positions, not 1")
      }
      dropped = [place]
    }
    let kept = shape.indices.filter { !dropped.contains($0) }
    return Tensor(view: memory, dtype, shape: kept.map { shape[$0] }, strides: kept.map { strides[$0] }, offset: offset)
  }

  /// The same elements repeated where this has a dimension of size 1, or none: nothing is copied.
  public func broadcast(to shape: [Int]) throws -> Tensor {
    // It may be handed to somebody who must copy it: a model, or JSON.
    try Tensor.checkRoom(for: shape, dtype)
    return try repeated(to: shape)
  }

  /// The same for those who see to it themselves that there is room for what they make of it.
  func repeated(to shape: [Int]) throws -> Tensor {
    _ = try Tensor.count(of: shape, dtype)
    guard let strides = broadcastStrides(to: shape) else {
      throw Tensor.failure("\(Tensor.text(of: self.shape)) cannot be spread to \(Tensor.text(of: shape))")
    }
    return Tensor(view: memory, dtype, shape: shape, strides: strides, offset: offset)
  }

  /// Its strides when it is read in a larger shape; nil when it does not fit.
  func broadcastStrides(to target: [Int]) -> [Int]? {
    let added = target.count - rank
    guard added >= 0 else { return nil }
    var result = [Int](repeating: 0, count: target.count)
    for axis in shape.indices {
      if shape[axis] == target[axis + added] {
        result[axis + added] = strides[axis]
      } else if shape[axis] != 1 {
        return nil
      }
    }
    return result
  }

  /// The place of an axis that may count from the end.
  func axis(_ axis: Int) throws -> Int {
    let place = axis < 0 ? axis + rank : axis
    guard shape.indices.contains(place) else { throw outOfRange(axis) }
    return place
  }

  private func outOfRange(_ axis: Int) -> any Error {
    Tensor.failure("axis \(axis) is out of bounds for \(Tensor.text(of: shape)), which has \(rank) dimensions")
  }
}
