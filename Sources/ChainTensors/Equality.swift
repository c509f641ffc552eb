extension Tensor {
  /// Whether type, shape and all elements are the same; NaN equals nothing, itself included.
  public func isEqual(to other: Tensor) throws -> Bool {
    guard dtype == other.dtype, shape == other.shape else { return false }
    let flags = try Tensor.apply(.equal, self, other)
    var isEqual = true
    try TensorPace(flags.count).forEachPiece(of: flags.count) { piece in
      for position in piece { isEqual = isEqual && flags.bytes[position] != 0 }
    }
    return isEqual
  }
}
