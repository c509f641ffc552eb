import ChainBase
import ChainTensors
import Testing

@Suite("Operations on tensors") struct OperationTests {
  let a = (try? Tensor(Numpy.a, shape: [3, 4]))!
  let b = (try? Tensor(Numpy.b, shape: [4, 5]))!
  let hidden = (try? Tensor(Numpy.hidden, shape: [2, 3, 4]))!

  private func expect(_ tensor: Tensor, _ expected: [Float], _ shape: [Int], within: Float = 1e-6, _ name: String) throws {
    #expect(tensor.shape == shape, "\(name)")
    let got = try tensor.cast(to: .float32).array(of: Float.self)
    #expect(got.count == expected.count)
    for (one, other) in zip(got, expected) {
      #expect(abs(one - other) <= within * max(1, abs(other)), "\(name): \(one) for \(other)")
    }
  }

  @Test("elementwise functions and arithmetic equal numpy's")
  func elementwise() throws {
    try expect(a.mapped(.exponential), Numpy.exp, [3, 4], "exp")
    try expect(a.mapped(.hyperbolicTangent), Numpy.tanh, [3, 4], "tanh")
    try expect(a.mapped(.sigmoid), Numpy.sigmoid, [3, 4], "sigmoid")
    try expect(a.mapped(.absolute).mapped(.logarithm), Numpy.logAbs, [3, 4], "log")
    try expect(a.mapped(.absolute).mapped(.squareRoot), Numpy.sqrtAbs, [3, 4], "sqrt")
    try expect(Tensor.apply(.power, a.mapped(.absolute), 1.5), Numpy.power, [3, 4], "power")
    try expect(Tensor.apply(.divide, a, a.taking([2, 1, 0])), Numpy.divide, [3, 4], within: 1e-5, "divide")
    try expect(Tensor.apply(.multiply, a, a.sliced(axis: 1, 0..<1)), Numpy.rowScaled, [3, 4], "rows scaled")
    try expect(Tensor.apply(.add, a.sliced(axis: 1, 0..<1), a.sliced(axis: 0, 0..<1)), Numpy.outer, [3, 4], "outer sum")
    let half = try a.cast(to: .float16)
    let sum = try Tensor.apply(.add, Tensor.apply(.multiply, half, 1.1), half)
    #expect(sum.dtype == .float16)
    try expect(sum, Numpy.half, [3, 4], within: 1e-3, "halves")
  }

  @Test("products of matrices equal numpy's, however they lie")
  func matmul() throws {
    try expect(Tensor.matmul(a, b), Numpy.matmul, [3, 5], "matmul")
    try expect(Tensor.matmul(a.transposed().contiguous().transposed(), b.transposed().contiguous().transposed()), Numpy.matmul, [3, 5], "transposed")
    try expect(Tensor.matmul(b.transposed(), a.transposed()).transposed(), Numpy.matmul, [3, 5], "turned")
    try expect(Tensor.matmul(a.cast(to: .float64), b.cast(to: .float64)), Numpy.matmul, [3, 5], "double")
    try expect(Tensor.matmul(hidden, hidden.transposed([0, 2, 1])), Numpy.batched, [2, 3, 3], "batched")
    try expect(Tensor.matmul(a.selected(axis: 0, 0), b), Array(Numpy.matmul[..<5]), [5], "a vector by a matrix")
    try expect(Tensor.matmul(a, b.selected(axis: 1, 0)), [0, 1, 2].map { Numpy.matmul[$0 * 5] }, [3], "a matrix by a vector")
    let counts = try Tensor([1, 2, 3, 4, 5, 6] as [Int32], shape: [2, 3])
    #expect(try Tensor.matmul(counts, counts.transposed()).array() == [14, 32, 32, 77] as [Int32])
    #expect(try Tensor.matmul(counts.sliced(axis: 1, 0..<0), counts.sliced(axis: 1, 0..<0).transposed()).array() == [0, 0, 0, 0] as [Int32])
  }

  @Test("reductions equal numpy's")
  func reductions() throws {
    try expect(a.reduced(.sum, axes: [0]), Numpy.sum0, [4], "sum")
    try expect(a.reduced(.sum, axes: [-1]), Numpy.sum1, [3], "sum")
    try expect(a.reduced(.sum, axes: [1], keeping: true), Numpy.sum1, [3, 1], "sum")
    try expect(a.reduced(.mean, axes: [0]), Numpy.mean0, [4], "mean")
    try expect(a.reduced(.maximum, axes: [1]), Numpy.max1, [3], "max")
    try expect(a.reduced(.minimum, axes: [0]), Numpy.min0, [4], "min")
    try expect(a.reduced(.sum), [Numpy.sum0.reduce(0, +)], [], "sum of all")
    #expect(try a.argmax().array() == [1, 3, 2] as [Int64])
    #expect(try a.argmax(axis: 0).array() == [0, 0, 2, 1] as [Int64])
    #expect(try Tensor([3, 9, 9, 1] as [Int32]).argmax().item() == 1)
    #expect(try Tensor([true, false, true]).reduced(.sum).item() == 2)
    #expect(try Tensor([200, 100] as [UInt8]).reduced(.sum).item() == 300)
    #expect(try Tensor([1, 2] as [Int32]).reduced(.mean).item() == 1.5)
  }

  @Test("softmax, lengths, cosines and pooling equal numpy's")
  func rows() throws {
    try expect(a.softmax(), Numpy.softmax1, [3, 4], "softmax")
    try expect(a.softmax(axis: 0), Numpy.softmax0, [3, 4], "softmax")
    try expect(a.normalized(), Numpy.normalized1, [3, 4], "normalize")
    try expect(a.normalized(axis: 0), Numpy.normalized0, [3, 4], "normalize")
    try expect(Tensor.cosine(a, a), Numpy.cosine, [3, 3], "cosine")
    try expect(Tensor.cosine(a, a.selected(axis: 0, 1)), [Numpy.cosine[1], Numpy.cosine[4], Numpy.cosine[7]], [3], "cosine")
    let mask = try Tensor([1, 1, 0, 0, 1, 1] as [Int64], shape: [2, 3])
    try expect(hidden.meanPooled(mask: mask), Numpy.pooled, [2, 4], "pooled")
    let none = try Tensor([0, 0, 0, 0, 0, 0] as [Int64], shape: [2, 3])
    try expect(hidden.meanPooled(mask: none), [Float](repeating: 0, count: 8), [2, 4], "no token")
    #expect(try Tensor([1000, 1000] as [Float]).softmax().array() == [0.5, 0.5] as [Float])
  }

  @Test("the largest come in order, the earlier of equal ones first", arguments: [3, 100])
  func largest(count: Int) throws {
    var random = SeededSource(state: 5)
    let scores = (0..<500).map { _ in Float(Int.random(in: 0..<50, using: &random)) }
    let (values, positions) = try Tensor(scores).largest(count)
    let expected = scores.indices.sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1] }.prefix(count)
    #expect(try positions.array() == expected.map(Int64.init))
    #expect(try values.array() == expected.map { scores[$0] })
    let columns = try Tensor([1, 5, 3, 4, 2, 6] as [Int8], shape: [3, 2]).largest(2, axis: 0)
    #expect(try columns.values.array() == [3, 6, 2, 5] as [Int8])
    #expect(try columns.positions.array() == [1, 2, 2, 0] as [Int64])
  }

  @Test("a pick follows the probabilities, the options and the chance alone")
  func picks() throws {
    let scores = try Tensor([1, 3, 2, 0] as [Float])
    #expect(try scores.pick(PickOptions(temperature: 0), chance: 0.99) == 1)
    #expect(try scores.pick(PickOptions(topK: 1), chance: 0.99) == 1)
    #expect(try scores.pick(PickOptions(topP: 0.1), chance: 0.99) == 1)
    var counts = [0, 0, 0, 0]
    for step in 0..<10_000 { counts[try scores.pick(chance: Double(step) / 10_000)] += 1 }
    let expected = try scores.softmax().array(of: Float.self)
    for (count, share) in zip(counts, expected) { #expect(abs(Float(count) / 10_000 - share) < 0.001) }
    counts = [0, 0, 0, 0]
    for step in 0..<1000 { counts[try scores.pick(PickOptions(topK: 2), chance: Double(step) / 1000)] += 1 }
    #expect(counts[0] == 0 && counts[3] == 0 && counts[1] > counts[2] && counts[2] > 200)
    #expect(message { try scores.pick(PickOptions(topP: 0), chance: 0) } == "pick: top_p must be more than 0 and at most 1, got 0.0")
    #expect(message { try Tensor([Float.nan]).pick(chance: 0) } == "pick: one of the scores is NaN")
  }

  @Test("types meet in the one that holds both")
  func types() throws {
    let cases: [(DType, DType, DType)] = [
      (.int32, .float32, .float32), (.int64, .float16, .float16), (.float32, .float64, .float64), (.int8, .uint8, .int16),
      (.uint32, .int32, .int64), (.uint8, .int64, .int64), (.bool, .int8, .int8), (.uint8, .uint16, .uint16),
    ]
    for (one, other, both) in cases {
      let sum = try Tensor.apply(.add, Tensor(filling: [2], with: 1, one == .bool ? .uint8 : one).cast(to: one), Tensor(filling: [2], with: 1, other))
      #expect(sum.dtype == both, "\(one) and \(other)")
      #expect(try sum.cast(to: .float64).array() == [2, 2] as [Double])
    }
    #expect(try Tensor.apply(.divide, Tensor([7, -7] as [Int32]), 2).array() == [3.5, -3.5] as [Float])
    #expect(try Tensor.apply(.add, Tensor([127] as [Int8]), 1).array() == [-128] as [Int8])
    #expect(try Tensor.apply(.add, Tensor([9_007_199_254_740_993] as [Int64]), 2).array() == [9_007_199_254_740_995] as [Int64])
    #expect(try Tensor.apply(.less, Tensor([3] as [Int8]), Tensor([4] as [Int8])).item() == true)
    #expect(try Tensor([2.9, -2.9, .nan, 300] as [Float]).cast(to: .int8).array() == [2, -2, 0, 127] as [Int8])
    #expect(try Tensor([300, -1] as [Int32]).cast(to: .uint8).array() == [44, 255] as [UInt8])
    #expect(try Tensor([0, 2] as [Int32]).cast(to: .bool).array() == [false, true])
    #expect(message { try Tensor.apply(.add, Tensor([1] as [UInt64]), Tensor([1] as [Int8])) } == "there is no integer type that holds both uint64 and int8: cast one of them first")
    #expect(message { try Tensor.apply(.add, Tensor([1] as [Int8]), 300) } == "300 does not fit int8")
  }

  @Test("tensors are joined, stacked, chosen from")
  func joining() throws {
    let one = try Tensor([1, 2, 3, 4] as [Int16], shape: [2, 2]), two = try Tensor([5, 6, 7, 8] as [Int16], shape: [2, 2]).transposed()
    #expect(try Tensor.concatenated([one, two]).array() == [1, 2, 3, 4, 5, 7, 6, 8] as [Int16])
    #expect(try Tensor.concatenated([one, two], axis: -1).array() == [1, 2, 5, 7, 3, 4, 6, 8] as [Int16])
    #expect(try Tensor.stacked([one, two], axis: -1).array() == [1, 5, 2, 7, 3, 6, 4, 8] as [Int16])
    #expect(try Tensor.stacked([one, two]).shape == [2, 2, 2])
    #expect(try one.taking([1, 1, 0], axis: 1).array() == [2, 2, 1, 4, 4, 3] as [Int16])
    let condition = try Tensor([true, false])
    #expect(try Tensor.choose(where: condition, one, two).array() == [1, 7, 3, 8] as [Int16])
    #expect(try one.isEqual(to: one.transposed().transposed()) && !one.isEqual(to: two))
  }

  @Test("what does not fit is refused with the shapes")
  func refusals() throws {
    #expect(message { try Tensor.matmul(a, a) } == "matmul: 3x4 by 3x4: the inner dimensions 4 and 3 differ")
    #expect(message { try Tensor.apply(.add, a, b) } == "add: 3x4 and 4x5 do not fit: 3 and 4 differ, and neither is 1")
    #expect(message { try Tensor.concatenated([a, b]) } == "concat: 3x4 and 4x5 differ in more than the dimension that is joined")
    #expect(message { try Tensor.stacked([a, b]) } == "stack: 3x4 and 4x5 differ")
    #expect(message { try a.sliced(axis: 0, 0..<0).reduced(.maximum, axes: [0]) } == "maximum: there is nothing in 0x4 to choose from")
    #expect(message { try a.largest(5) } == "top_k: 5 of 4 cannot be taken from 3x4")
    #expect(message { try a.meanPooled(mask: b) } == "mean_pool: expected a tensor [texts, tokens, width] and a mask [texts, tokens], got 3x4 and 4x5")
  }

  @Test("numpy's files are read and written")
  func numpyFiles() throws {
    let header = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }" + String(repeating: " ", count: 58) + "\n"
    var file: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 118, 0]
    file += header.utf8
    file += [0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0]
    let tensor = try file.withUnsafeBytes { try Tensor(npy: $0) }
    #expect(tensor.shape == [2, 3] && tensor.dtype == .int16)
    #expect(try tensor.npy() == file)
    for dtype in DType.allCases {
      for shape in [[], [4], [2, 0], [1, 2, 3]] {
        let made = try Tensor(filling: shape, with: 1, dtype == .bool ? .uint8 : dtype).cast(to: dtype)
        let back = try made.npy().withUnsafeBytes { try Tensor(npy: $0) }
        #expect(try back.isEqual(to: made), "\(made)")
      }
    }
    let column = Array("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }\n".utf8)
    var turned: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, UInt8(column.count), 0]
    turned += column
    for element: Double in [0, 3, 1, 4, 2, 5] { withUnsafeBytes(of: element) { turned += $0 } }
    #expect(try turned.withUnsafeBytes { try Tensor(npy: $0) }.array() == [0, 1, 2, 3, 4, 5] as [Double])
    for cut in 0..<file.count {
      #expect(message { try file[..<cut].withUnsafeBytes { try Tensor(npy: $0) } }.hasPrefix("npy: "))
    }
  }

  @Test("a tensor that no memory can hold is refused before it is made")
  func allowance() throws {
    #expect(message { try Tensor(filling: [1 << 30, 1 << 30, 1 << 30], with: 0, .float64) } == "1073741824x1073741824x1073741824 is too large for a tensor")
  }

  @Test("all that is alive at one time draws on the allowance, and gives it back when it goes")
  func allowanceOfMemory() throws {
    let kept = try TensorAllowance.within(bytes: 10_000) {
      for _ in 0..<10 { _ = try Tensor(filling: [1000], with: 1, .float32) }
      let x = try Tensor(filling: [1000], with: 1, .float32)
      let refused = message { try x.cast(to: .float64) }
      #expect(refused == "a tensor of 8000 bytes is more than the memory limit leaves (6000 bytes)")
      #expect(throws: Failure.self) { try [x, x].map { try $0.cast(to: .int32) } }
      return try x.reshaped(to: [10, 100])
    }
    #expect(try kept.reduced(.sum).item() == 1000.0)
  }

  @Test("work is refused before a loop begins, and what is allowed gives way now and then")
  func allowanceOfWork() throws {
    let x = try Tensor(filling: [300_000], with: 1, .float32)
    #expect(throws: TensorAllowance.TooMuchWork.self) { try TensorAllowance.within(bytes: .max, work: 1000) { try x.mapped(.exponential) } }
    var pauses = 0
    let sum = try TensorAllowance.within(bytes: .max, pause: { pauses += 1; return true }) { try x.mapped(.negate).reduced(.sum) }
    #expect(try sum.item() == -300_000.0 && pauses >= 4)
    #expect(throws: TensorAllowance.Unwanted.self) { try TensorAllowance.within(bytes: .max, pause: { false }) { try x.mapped(.negate) } }
  }

  @Test("a product in blocks is the product", arguments: [(5, 7, 9), (1, 20_000, 900), (900, 20_000, 1), (70, 5000, 60), (1, 1, 1)])
  func blocks(rows: Int, inner: Int, columns: Int) throws {
    let a = try Tensor(counting: rows * inner, .int64).cast(to: .float64).reshaped(to: [rows, inner])
    let b = try Tensor.apply(.subtract, Tensor(filling: [inner, columns], with: 1, .float64), Tensor(counting: columns, .float64))
    let whole = try Tensor.matmul(a, b)
    #expect(whole.shape == [rows, columns])
    // Each column of B is one number.
    let sums = try a.reduced(.sum, axes: [1], keeping: true)
    let expected = try Tensor.apply(.multiply, sums, b.sliced(axis: 0, 0..<1))
    let error = try Tensor.apply(.subtract, whole, expected).mapped(.absolute).reduced(.maximum).item().double
    let size = try expected.mapped(.absolute).reduced(.maximum).item().double
    #expect(error <= 1e-12 * max(size, 1))
    let turned = try Tensor.apply(.subtract, Tensor.matmul(b.transposed(), a.transposed()).transposed(), expected)
    #expect(try turned.mapped(.absolute).reduced(.maximum).item().double <= 1e-12 * max(size, 1))
  }

  @Test("floats are rounded down, up and to even")
  func rounding() throws {
    let x = try Tensor([1.5, -1.5, 2.5] as [Float])
    #expect(try x.mapped(.floor).array() == [1, -2, 2] as [Float])
    #expect(try x.mapped(.ceiling).array() == [2, -1, 3] as [Float])
    #expect(try x.mapped(.round).array() == [2, -2, 2] as [Float])
  }

  @Test("sizes beside an empty dimension are bounded, and so are steps and sums of sizes")
  func extremes() throws {
    #expect(message { try Tensor(.int8, shape: [1 << 40, 0]) { _ in } } == "1099511627776x0 is too large for a tensor: without elements there are at most 2147483648 positions")
    let x = try Tensor(filling: [10], with: 1, .float32)
    #expect(try x.sliced(axis: 0, 2..<10, step: .max).shape == [1])
    #expect(try x.sliced(axis: 0, 3..<3, step: .max).shape == [0])
    let wide = try x.sliced(axis: 0, 0..<1).broadcast(to: [1 << 58])
    #expect(throws: Failure.self) { try Tensor.concatenated([Tensor](repeating: wide, count: 40)) }
    #expect(throws: Failure.self) { try wide.contiguous() }
  }
}
