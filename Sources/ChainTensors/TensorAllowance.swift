import ChainBase
import Synchronization

/// What the tensor operations of one call may take, all together: memory that is alive at one time, and work. Nothing
/// bounds them unless somebody who answers for a script's memory and time gives an allowance.
package final class TensorAllowance: @unchecked Sendable {
  // Unchecked: work is counted by the one thread that does it, while the call lasts.

  /// Lets others have their turn; false: the rest is not wanted.
  package typealias Pause = () -> Bool

  /// More steps than may be done; those of the loop that was about to begin among them.
  package struct TooMuchWork: Error { package let steps: Int }

  /// The rest is not wanted any more.
  package struct Unwanted: Error {}

  @TaskLocal static var current: TensorAllowance?

  private let bytes: Atomic<Int>
  private let mostWork: Int
  private var work = 0
  private var pause: Pause?
  private var stepsToPause = TensorPace.piece

  private init(_ bytes: Int, _ work: Int, _ pause: Pause?) {
    self.bytes = Atomic(bytes)
    mostWork = work
    self.pause = pause
  }

  /// - Parameters:
  ///   - bytes: of tensors that are made meanwhile, and of what they are made with.
  ///   - work: steps, of about a nanosecond each.
  ///   - pause: called now and then in the midst of long loops.
  /// - Throws: what `body` throws, and that the allowance is exhausted: a failure of code `memory_limit` before memory is
  ///   taken, or `TooMuchWork` before a loop begins; `Unwanted` after a pause.
  package static func within<Result>(
    bytes: Int, work: Int = .max, pause: Pause? = nil, _ body: () throws -> Result
  ) throws -> Result {
    let allowance = TensorAllowance(bytes, work, pause)
    defer { allowance.pause = nil } // what was made may outlive the call, and keeps its allowance
    return try $current.withValue(allowance, operation: body)
  }

  // MARK: Memory

  /// Takes memory for what is no tensor, until the call ends.
  package static func take(_ bytes: Int) throws { try current?.take(bytes) }

  /// Takes memory for what is no tensor, while `body` runs.
  static func holding<Result>(_ bytes: Int, _ body: () throws -> Result) throws -> Result {
    let current = current
    try current?.take(bytes)
    defer { current?.giveBack(bytes) }
    return try body()
  }

  /// Refuses what there would be no room for.
  static func check(_ bytes: Int) throws {
    try holding(bytes) {}
  }

  func take(_ count: Int) throws {
    let left = bytes.wrappingSubtract(count, ordering: .relaxed).newValue
    guard left < 0 else { return }
    giveBack(count)
    throw TensorAllowance.noRoom(for: count, left: Swift.max(left &+ count, 0))
  }

  /// Any thread, and after the call, too.
  func giveBack(_ count: Int) { bytes.wrappingAdd(count, ordering: .relaxed) }

  static func noRoom(for bytes: Int, left: Int) -> Failure {
    Failure(code: Failure.Code.memoryLimit, message: "a tensor of \(bytes) bytes is more than the memory limit leaves (\(left) bytes)")
  }

  // MARK: Work

  var givesWay: Bool { pause != nil }

  func begin(_ steps: Int) throws {
    let (sum, isOver) = work.addingReportingOverflow(steps)
    work = isOver ? .max : sum
    guard work <= mostWork else { throw TooMuchWork(steps: work) }
  }

  @inline(__always) func passed(_ steps: Int) throws {
    stepsToPause &-= steps
    if stepsToPause < 0 { try giveWay() }
  }

  @inline(never) private func giveWay() throws {
    stepsToPause = TensorPace.piece
    guard pause?() ?? true else { throw Unwanted() }
  }
}

extension Tensor {
  /// Refuses a shape that there is no room for.
  package static func checkRoom(for shape: [Int], _ dtype: DType) throws {
    try TensorAllowance.check(Tensor.count(of: shape, dtype) * dtype.size)
  }
}
