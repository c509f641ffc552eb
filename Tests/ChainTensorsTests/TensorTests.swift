import ChainBase
import ChainTensors
import Testing

@Suite("A tensor") struct TensorTests {
  @Test("has a shape, strides and elements, row after row")
  func basics() throws {
    let tensor = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    #expect(tensor.dtype == .float32 && tensor.shape == [2, 3] && tensor.strides == [3, 1])
    #expect(tensor.count == 6 && tensor.byteCount == 24 && tensor.isContiguous)
    #expect(try tensor.array(of: Float.self) == [1, 2, 3, 4, 5, 6])
    #expect("\(tensor)" == "tensor float32 2x3")
  }

  @Test("may lie over memory of somebody else's, without a copy, which it keeps alive")
  func borrowed() async throws {
    final class Owner: Sendable {
      let gone: @Sendable () -> Void
      init(_ gone: @escaping @Sendable () -> Void) { self.gone = gone }
      deinit { gone() }
    }
    let memory = UnsafeMutableBufferPointer<Int32>.allocate(capacity: 4)
    defer { memory.deallocate() }
    _ = memory.initialize(from: [1, 2, 3, 4])
    try await confirmation { gone in
      var tensor: Tensor? = try Tensor(
        .int32, shape: [2, 2], over: UnsafeRawPointer(memory.baseAddress!), byteCount: 16, owner: Owner { gone() })
      var column = try tensor?.selected(axis: 1, 1)
      #expect(try tensor?.withBytes { $0.baseAddress } == UnsafeRawPointer(memory.baseAddress))
      tensor = nil
      #expect(try column?.array() == [2, 4] as [Int32])
      column = nil
    }
  }

  @Test("views share the memory and read the right elements, whatever is combined", arguments: 0..<200)
  func views(seed: Int) throws {
    var random = SeededSource(state: UInt64(seed) + 1)
    var shape = (0..<Int.random(in: 1...4, using: &random)).map { _ in Int.random(in: 0...4, using: &random) }
    let elements = (0..<shape.reduce(1, *)).map { Int64($0) }
    var tensor = try Tensor(elements, shape: shape)
    var model = Model(shape: shape, elements: elements)
    for _ in 0..<5 {
      guard tensor.rank > 0, tensor.rank < 6 else { break }
      let axis = Int.random(in: 0..<tensor.rank, using: &random)
      let size = tensor.shape[axis]
      switch Int.random(in: 0..<6, using: &random) {
      case 0:
        let order = Array(tensor.shape.indices).shuffled(using: &random)
        (tensor, model) = (try tensor.transposed(order), model.transposed(order))
      case 1:
        let start = Int.random(in: 0...size, using: &random)
        let range = start..<Int.random(in: start...size, using: &random)
        let step = Int.random(in: 1...3, using: &random)
        (tensor, model) = (try tensor.sliced(axis: axis, range, step: step), model.taking(axis, Array(stride(from: range.lowerBound, to: range.upperBound, by: step))))
      case 2 where size > 0:
        let position = Int.random(in: 0..<size, using: &random)
        (tensor, model) = (try tensor.selected(axis: axis - tensor.rank, position - size), model.taking(axis, [position]))
        model.shape.remove(at: axis)
      case 3:
        tensor = try tensor.expanded(at: axis)
        model.shape.insert(1, at: axis)
      case 4:
        let repeated = try tensor.expanded(at: axis).broadcast(to: model.shape[..<axis] + [2] + model.shape[axis...])
        model.shape.insert(1, at: axis)
        (tensor, model) = (repeated, model.taking(axis, [0, 0]))
      default:
        shape = [-1] + tensor.shape.dropFirst(1)
        guard shape.dropFirst().reduce(1, *) > 0 else { continue }
        tensor = try tensor.reshaped(to: shape)
      }
      #expect(tensor.shape == model.shape)
      #expect(try tensor.array() == model.elements)
      #expect(try tensor.contiguous().isContiguous && tensor.count == model.elements.count)
    }
  }

  @Test("what does not fit is refused with the shapes")
  func refusals() throws {
    let tensor = try Tensor(.float32, shape: [3, 4]) { $0.initializeMemory(as: Float.self, repeating: 0) }
    #expect(message { try tensor.reshaped(to: [5, 2]) } == "reshape: the 12 elements of 3x4 do not fill 5x2")
    #expect(message { try tensor.reshaped(to: [-1, -1]) } == "a dimension cannot be negative: 1x-1")
    #expect(message { try tensor.selected(axis: 1, 4) } == "position 4 is out of bounds for 3x4, whose axis 1 has 4 positions")
    #expect(message { try tensor.selected(axis: 2, 0) } == "axis 2 is out of bounds for 3x4, which has 2 dimensions")
    #expect(message { try tensor.sliced(axis: 0, 1..<4) } == "slice: 1..<4 is out of bounds for 3x4, whose axis 0 has 3 positions")
    #expect(message { try tensor.transposed([0, 0]) } == "transpose: each of the 2 axes of 3x4 must be named once")
    #expect(message { try tensor.broadcast(to: [3, 5]) } == "3x4 cannot be spread to 3x5")
    #expect(message { try Tensor([1, 2, 3] as [Float], shape: [2, 2]) } == "3 elements do not fill 2x2")
    #expect(message { try Tensor(.int8, shape: [1 << 40, 1 << 40]) { _ in } } == "1099511627776x1099511627776 is too large for a tensor")
    #expect(message { try tensor.array(of: Double.self) } == "a tensor of float32 cannot be read as float64: cast it first")
    #expect(message { try Tensor(.int8, shape: [Int](repeating: 1, count: 17)) { _ in } } == "a tensor has at most 16 dimensions, got 17")
  }

  @Test("a half reads back as itself, and rounds to the nearest")
  func halves() {
    for bits in UInt16.min...UInt16.max {
      let half = Half(bits: bits)
      let back = Half(half.float)
      if half.float.isNaN { #expect(back.float.isNaN) } else { #expect(back == half) }
    }
    let cases: [(Float, UInt16)] = [
      (1, 0x3C00), (65504, 0x7BFF), (65519.996, 0x7BFF), (65520, 0x7C00), (0x1p-24, 1), (0x1p-25, 0), (0x1.8p-25, 1),
      (1.00048828125, 0x3C00), (1.0014648, 0x3C02), (-2.5, 0xC100), (0x1.ff8p-15, 0x3FF), (0x1.ffcp-15, 0x400),
    ]
    for (value, bits) in cases { #expect(Half(value).bits == bits, "\(value)") }
  }
}

/// What a tensor is compared with: elements in order, and nothing clever.
struct Model {
  var shape: [Int]
  var elements: [Int64]

  private func positions() -> [[Int]] {
    shape.reduce([[]]) { all, size in all.flatMap { start in (0..<size).map { start + [$0] } } }
  }

  private func element(at position: [Int]) -> Int64 {
    elements[zip(position, shape).reduce(0) { $0 * $1.1 + $1.0 }]
  }

  func transposed(_ order: [Int]) -> Model {
    var result = Model(shape: order.map { shape[$0] }, elements: [])
    result.elements = result.positions().map { position in
      var old = position
      for (new, axis) in order.enumerated() { old[axis] = position[new] }
      return element(at: old)
    }
    return result
  }

  func taking(_ axis: Int, _ places: [Int]) -> Model {
    var result = Model(shape: shape, elements: [])
    result.shape[axis] = places.count
    result.elements = result.positions().map { position in
      var old = position
      old[axis] = places[position[axis]]
      return element(at: old)
    }
    return result
  }
}

struct SeededSource: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }
}

func message(_ body: () throws -> some Any) -> String {
  do {
    _ = try body()
    return "nothing was refused"
  } catch { return (error as? Failure)?.message ?? "\(error)" }
}
