import ChainTensors
import LuaBridge

/// The functions that work with whole vectors: scores, probabilities, embeddings.
enum TensorScores {
  static let methods: [(String, TensorFunctions.Body)] = [
    ("matmul", { a in try a.give(Tensor.matmul(a.tensor(1), a.tensor(2))) }),
    ("cosine", { a in try a.give(Tensor.cosine(a.tensor(1), a.tensor(2))) }),
    ("softmax", { a in
      let tensor = try a.tensor(1)
      return TensorFunctions.push(try tensor.softmax(axis: a.axis(2, of: tensor)), a)
    }),
    ("normalize", { a in
      let tensor = try a.tensor(1)
      return TensorFunctions.push(try tensor.normalized(axis: a.axis(2, of: tensor)), a)
    }),
    ("mean_pool", { a in TensorFunctions.push(try a.tensor(1).meanPooled(mask: a.tensor(2)), a) }),
    ("clip", { a in
      let tensor = try a.tensor(1)
      return TensorFunctions.push(
        try tensor.clipped(a.isAbsent(2) ? nil : a.value(2), a.isAbsent(3) ? nil : a.value(3)), a)
    }),
    ("argmax", { a in
      let tensor = try a.tensor(1)
      return try a.give(Tensor.apply(.add, tensor.argmax(axis: a.axis(2, of: tensor)), 1))
    }),
    ("top_k", { a in
      let tensor = try a.tensor(1)
      let (values, positions) = try tensor.largest(a.integer(2), axis: a.axis(3, of: tensor))
      a.stack.push(values)
      a.stack.push(try Tensor.apply(.add, positions, 1))
      return 2
    }),
  ]

  private static let options = ["temperature", "top_k", "top_p", "seed"]

  /// `pick(scores, options)`: the id, from 0, of one of the scores. Behind the arguments stands a number of the state's
  /// own chance, which a seed replaces.
  @Sendable static func pick(_ a: TensorArguments) throws -> Int32 {
    let last = a.stack.top
    var chance = a.stack.number(at: last)
    var options = PickOptions()
    if last > 2, !a.isAbsent(2) {
      guard a.stack.type(at: 2) == .table else { throw a.wrong(2, "table of options expected, got \(a.stack.describe(at: 2))") }
      try a.stack.forEachField(at: 2) { name, place throws(LuaError) in
        do throws(LuaError) {
          switch name {
          case "temperature": options.temperature = try Double.read(from: a.stack, at: place)
          case "top_k": options.topK = try Int.read(from: a.stack, at: place)
          case "top_p": options.topP = try Double.read(from: a.stack, at: place)
          case "seed": chance = TensorScores.chance(of: try Int.read(from: a.stack, at: place))
          default:
            let near = nearestName(to: name, among: TensorScores.options).map { "; did you mean '\($0)'?" }
            throw LuaError(.runtime, "unknown option '\(name)'\(near ?? "; there are \(TensorScores.options.joined(separator: ", "))")")
          }
        } catch { throw a.wrong(2, error.message.hasPrefix("unknown ") ? error.message : "\(name): \(error.message)") }
      }
    }
    let tensor: Tensor = try last > 1 ? a.tensor(1) : { throw a.wrong(1, "tensor expected, got nothing") }()
    a.stack.push(integer: Int64(try tensor.pick(options, chance: chance)))
    return 1
  }

  /// A number from 0 to 1 that looks random (splitmix64).
  private static func chance(of seed: Int) -> Double {
    var word = UInt64(bitPattern: Int64(seed)) &+ 0x9E37_79B9_7F4A_7C15
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return Double((word ^ word >> 31) >> 11) * 0x1p-53
  }
}
