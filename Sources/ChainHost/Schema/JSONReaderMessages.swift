extension JSONReader {
  func type(of node: UnsafeMutablePointer<SchemaNode>) -> ChainType { program.origins[Int(node.pointee.origin)] }

  mutating func tooManyBytes() -> Bool { !quiet && fail(.tooManyBytes(limits.bytes)) }
  @inline(never) mutating func longKey(_ count: Int) -> Bool { !quiet && fail(.longKey(count)) }
  mutating func tooManyValues() -> Bool { !quiet && fail(.tooManyValues(limits.nodes)) }

  /// The value at `at` is of another type.
  @inline(never) mutating func mismatch(_ node: UnsafeMutablePointer<SchemaNode>) -> Bool {
    if quiet { return false }
    guard let got = describeToken() else { return false }
    return !quiet && fail(Complaint(expected: type(of: node).expectation, got: got))
  }

  /// On the way out of a failed value: the step that led to it. What is about the whole has no path.
  private mutating func step(_ step: PathStep) -> Bool {
    if let complaint, !complaint.isSize, !isSyntax(complaint) { path.append(step) }
    return false
  }
  private func isSyntax(_ complaint: Complaint) -> Bool { complaint.expected == "JSON" }

  @inline(never) mutating func inField(_ name: Int32) -> Bool { quiet ? false : step(.field(program.string(ofName: name))) }
  @inline(never) mutating func inPosition(_ position: Int64) -> Bool { step(.position(Int(position))) }
  @inline(never) mutating func inKey(_ token: UnsafePointer<UInt8>) -> Bool {
    guard !quiet else { return false }
    at = token
    return stringToken().map { step(.field(String(decoding: $0, as: UTF8.self))) } ?? false
  }
}
