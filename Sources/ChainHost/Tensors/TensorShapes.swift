import ChainTensors
import LuaBridge

/// The functions that look at a tensor in another way, and take parts of it.
enum TensorShapes {
  static let methods: [(String, TensorFunctions.Body)] = [
    ("reshape", { a in TensorFunctions.push(try a.tensor(1).reshaped(to: a.sizes(from: 2)), a) }),
    ("transpose", { a in
      let tensor = try a.tensor(1)
      let axes = a.isAbsent(2) ? nil : try a.places(of: a.sizes(from: 2), 2, of: tensor)
      return TensorFunctions.push(try tensor.transposed(axes), a)
    }),
    ("broadcast", { a in TensorFunctions.push(try a.tensor(1).broadcast(to: a.sizes(from: 2)), a) }),
    ("expand", { a in
      let tensor = try a.tensor(1), axis = try a.integer(2)
      let place = axis < 0 ? axis + tensor.rank + 1 : axis - 1
      guard (0...tensor.rank).contains(place) else { throw a.wrong(2, "the new axis is one of 1 to \(tensor.rank + 1), got \(axis)") }
      return TensorFunctions.push(try tensor.expanded(at: place), a)
    }),
    ("squeeze", { a in
      let tensor = try a.tensor(1)
      return try a.give(tensor.squeezed(a.isAbsent(2) ? nil : a.axis(2, of: tensor)))
    }),
    ("cast", { a in TensorFunctions.push(try a.tensor(1).cast(to: a.dtype(2)), a) }),
    ("at", { a in
      var tensor = try a.tensor(1)
      let whole = tensor
      guard a.stack.top - 1 <= tensor.rank else { throw a.wrong(a.stack.top, "\(whole) has \(whole.rank) axes") }
      for index in 2..<max(a.stack.top + 1, 2) {
        let place = try a.position(index, axis: Int(index) - 2, of: whole)
        tensor = try tensor.selected(axis: 0, place)
      }
      return try a.give(tensor)
    }),
    ("slice", slice),
    ("take", { a in
      let tensor = try a.tensor(1), axis = try a.axis(3, of: tensor, absent: 1)
      var places = try a.integers(2)
      try TensorPace(places.count, cost: 4).forEachPiece(of: places.count) { piece in
        for place in piece { places[place] = try a.position(places[place], axis: axis, of: tensor, 2) }
      }
      return TensorFunctions.push(try tensor.taking(places, axis: axis), a)
    }),
    ("item", { a in
      a.push(try a.tensor(1).item())
      return 1
    }),
    ("table", { a in
      try a.pushTable(a.tensor(1))
      return 1
    }),
    ("bytes", { a in
      let tensor = try a.tensor(1)
      return try a.giveBytes(tensor.byteCount, of: tensor) { push in try tensor.withBytes(push) }
    }),
    ("npy", { a in
      let tensor = try a.tensor(1)
      return try a.giveBytes(tensor.byteCount, of: tensor) { push in try tensor.npy().withUnsafeBytes(push) }
    }),
  ]

  /// first, last (included), axis, step; as in `string.sub` what lies outside is left away.
  @Sendable private static func slice(_ a: TensorArguments) throws -> Int32 {
    let tensor = try a.tensor(1), axis = try a.axis(4, of: tensor, absent: 1)
    let size = tensor.shape[axis], step = a.isAbsent(5) ? 1 : try a.integer(5)
    guard step > 0 else { throw a.wrong(5, "the step must be at least 1, got \(step)") }
    let first = a.isAbsent(2) ? 1 : try a.integer(2), last = a.isAbsent(3) ? -1 : try a.integer(3)
    let start = max(first < 0 ? first + size : first - 1, 0)
    let end = min(last < 0 ? last + size + 1 : last, size)
    let range = start < end ? start..<end : 0..<0
    return TensorFunctions.push(try tensor.sliced(axis: axis, range, step: step), a)
  }
}
