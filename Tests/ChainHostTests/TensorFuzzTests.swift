import FuzzTargets
import Testing

@Suite("Tensor functions with unusual arguments")
struct TensorFuzzTests {
  @Test("extreme numbers, NaN and empty shapes in each place: each call gives something sound, or says what is wrong")
  func each() throws { try tryEveryTensorFunction() }

  @Test("any functions, one after the other", arguments: 0..<300)
  func some(_ seed: UInt64) throws {
    var word = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    let bytes = (0..<192).map { _ -> UInt8 in
      word ^= word << 13
      word ^= word >> 7
      word ^= word << 17
      return UInt8(truncatingIfNeeded: word >> 24)
    }
    try #require(FuzzTarget.all.first { $0.name == "tensor" }).run(bytes)
  }
}
