extension Tensor {
  /// Whether type, shape and all elements are the same; NaN equals nothing, itself included.
  public func isEqual(to other: Tensor) throws -> Bool {
    guard dtype == other.dtype, shape == other.shape else { return false }
    let flags = try Tensor.apply(.equal, self, other)
    return flags.bytes.allSatisfy { $0 != 0 }
  }
}
