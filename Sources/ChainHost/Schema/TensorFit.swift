import ChainTensors

/// Whether a tensor is of a declared type: its elements, the number of its dimensions, the sizes that are fixed, and that
/// dimensions of one name agree within one message.
enum TensorFit {
  /// No size is known yet for this name.
  static let unknown = -1

  /// `sizes` are those of the named dimensions of this message so far; what this tensor adds is noted there.
  static func admits(
    _ tensor: Tensor, _ node: SchemaNode, _ program: SchemaProgram, _ sizes: UnsafeMutablePointer<Int>
  ) -> Bool {
    guard tensor.dtype == dtype(of: node), tensor.rank == Int(node.count) else { return false }
    for axis in 0..<node.count {
      let dimension = program.dimensions[node.first &+ axis], size = tensor.shape[Int(axis)]
      guard dimension.name >= 0 else {
        if dimension.size != size { return false }
        continue
      }
      let known = sizes[Int(dimension.name)]
      if known == unknown { sizes[Int(dimension.name)] = size } else if known != size { return false }
    }
    return true
  }

  static func dtype(of node: SchemaNode) -> DType? {
    DType.allCases.indices.contains(Int(node.element)) ? DType.allCases[Int(node.element)] : nil
  }

  /// Why not, or nil; notes the sizes.
  static func complaint(
    about tensor: Tensor, _ node: SchemaNode, _ program: SchemaProgram, _ sizes: UnsafeMutablePointer<Int>
  ) -> Complaint? {
    let before = Array(UnsafeBufferPointer(start: sizes, count: program.dimensionNames.count))
    if admits(tensor, node, program, sizes) { return nil }
    let expected = program.origins[Int(node.origin)].expectation
    let wrong = Complaint(expected: expected, got: tensor.description)
    guard tensor.dtype == dtype(of: node), tensor.rank == Int(node.count) else { return wrong }
    var seen = before
    for axis in 0..<node.count {
      let dimension = program.dimensions[node.first + axis], size = tensor.shape[Int(axis)]
      guard dimension.name >= 0 else {
        if dimension.size != size { return wrong }
        continue
      }
      let name = Int(dimension.name)
      if seen[name] != unknown, seen[name] != size {
        let elsewhere = before[name] == unknown ? "in the same tensor" : "elsewhere in the same message"
        return Complaint(
          expected: expected, got: tensor.description,
          text: "\(wrong.text): '\(program.dimensionNames[name])' is \(size) here and \(seen[name]) \(elsewhere)")
      }
      seen[name] = size
    }
    return wrong
  }
}

/// A dimension of a declared tensor: a size, or a name and no size.
struct SchemaDimension: BitwiseCopyable {
  var size: Int
  /// Which of the program's dimension names, or -1.
  var name: Int32
}
