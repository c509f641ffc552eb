import ChainBase
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The BLAS of the machine: OpenBLAS, or Accelerate on a Mac. It is opened when the first matrix is multiplied, because
/// OpenBLAS takes tens of megabytes and milliseconds of every program that is linked with it.
enum BLAS {
  /// C = A B, row-major: order, transposed A and B, m, n, k, alpha, A, its row length, B, its row length, beta, C, its row
  /// length.
  typealias MultiplySingle = @convention(c) (
    Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32, UnsafePointer<Float>, Int32, Float,
    UnsafeMutablePointer<Float>, Int32
  ) -> Void
  typealias MultiplyDouble = @convention(c) (
    Int32, Int32, Int32, Int32, Int32, Int32, Double, UnsafePointer<Double>, Int32, UnsafePointer<Double>, Int32, Double,
    UnsafeMutablePointer<Double>, Int32
  ) -> Void

  private struct Functions {
    var single: MultiplySingle
    var double: MultiplyDouble
  }

  /// The names by which it is looked for.
  static let names = [
    "libopenblas.so.0", "libblas.so.3", "/System/Library/Frameworks/Accelerate.framework/Accelerate",
    "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
  ]

  private static let functions: Functions? = {
    for name in names {
      guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { continue }
      guard let single = dlsym(library, "cblas_sgemm"), let double = dlsym(library, "cblas_dgemm") else { continue }
      // A lane is one thread; threads of OpenBLAS's own would take the cores of the other lanes.
      if let limit = dlsym(library, "openblas_set_num_threads") {
        unsafeBitCast(limit, to: (@convention(c) (Int32) -> Void).self)(1)
      }
      return Functions(
        single: unsafeBitCast(single, to: MultiplySingle.self), double: unsafeBitCast(double, to: MultiplyDouble.self))
    }
    return nil
  }()

  static var isThere: Bool { functions != nil }

  // MARK: Opening

  private static let isOpen = Atomic(false)
  /// Opening it takes so many steps: more than a lane has time for at once, and few enough for where it cannot give way.
  private static let stepsToOpen = 1 << 23

  private static func lookForIt() {
    _ = functions
    isOpen.store(true, ordering: .relaxed)
  }

  /// Before the first product: who gives way while it is opened waits for that beside it.
  static func open() throws {
    guard !isOpen.load(ordering: .relaxed) else { return }
    let pace = try TensorPace(stepsToOpen)
    guard pace.givesWay else { return lookForIt() }
    Task.detached { lookForIt() }
    while !isOpen.load(ordering: .relaxed) {
      usleep(100)
      try pace.passed(stepsToOpen)
    }
  }

  /// False where there is none.
  static func multiply(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>, _ size: MatrixSize) -> Bool {
    guard let functions else { return false }
    functions.single(
      rowMajor, size.wayOfA, size.wayOfB, Int32(size.rows), Int32(size.columns), Int32(size.inner), 1, a, Int32(size.rowOfA), b,
      Int32(size.rowOfB), size.adds ? 1 : 0, c, Int32(size.rowOfC))
    return true
  }

  static func multiply(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ c: UnsafeMutablePointer<Double>, _ size: MatrixSize) -> Bool {
    guard let functions else { return false }
    functions.double(
      rowMajor, size.wayOfA, size.wayOfB, Int32(size.rows), Int32(size.columns), Int32(size.inner), 1, a, Int32(size.rowOfA), b,
      Int32(size.rowOfB), size.adds ? 1 : 0, c, Int32(size.rowOfC))
    return true
  }

  private static let rowMajor: Int32 = 101
}

/// The sizes of a product: A is `rows` by `inner`, B `inner` by `columns`, each as it is or as it lies when transposed.
struct MatrixSize {
  var rows: Int
  var inner: Int
  var columns: Int
  let aIsTransposed, bIsTransposed: Bool
  /// The elements from one row to the next, as they lie.
  let rowOfA, rowOfB, rowOfC: Int
  /// Whether the product is added to what there is, or replaces it.
  var adds = false

  /// Of whole matrices.
  init(rows: Int, inner: Int, columns: Int, aIsTransposed: Bool, bIsTransposed: Bool) {
    (self.rows, self.inner, self.columns) = (rows, inner, columns)
    (self.aIsTransposed, self.bIsTransposed) = (aIsTransposed, bIsTransposed)
    rowOfA = aIsTransposed ? rows : inner
    rowOfB = bIsTransposed ? inner : columns
    rowOfC = columns
  }

  fileprivate var wayOfA: Int32 { aIsTransposed ? 112 : 111 }
  fileprivate var wayOfB: Int32 { bIsTransposed ? 112 : 111 }

  // MARK: Blocks

  /// So many multiplications take a BLAS about a millisecond.
  private static let block = 1 << 24
  /// Of a longer inner dimension so much is multiplied at once, where it is split.
  private static let innerBlock = 4096

  /// Parts of the product that take about as long as one another, and a BLAS not much longer together than the whole: as
  /// square as can be. `body` is told where each begins in A, B and C.
  func forEachBlock(_ body: (MatrixSize, _ a: Int, _ b: Int, _ c: Int) throws -> Void) rethrows {
    var part = self
    let isLong = TensorPace.product(TensorPace.product(rows, columns), inner) > MatrixSize.block
    if isLong { part.inner = Swift.min(inner, MatrixSize.innerBlock) }
    let cells = Swift.max(MatrixSize.block / Swift.max(part.inner, 1), 1)
    let side = Swift.max(Int(Double(cells).squareRoot()), 1)
    let (high, wide) = (Swift.min(rows, Swift.max(side, cells / columns)), Swift.min(columns, Swift.max(side, cells / rows)))
    for row in stride(from: 0, to: rows, by: high) {
      for column in stride(from: 0, to: columns, by: wide) {
        for place in stride(from: 0, to: inner, by: part.inner) {
          var block = part
          (block.rows, block.columns) = (Swift.min(high, rows - row), Swift.min(wide, columns - column))
          block.inner = Swift.min(part.inner, inner - place)
          block.adds = place > 0
          try body(
            block, aIsTransposed ? place * rowOfA + row : row * rowOfA + place,
            bIsTransposed ? column * rowOfB + place : place * rowOfB + column, row * rowOfC + column)
        }
      }
    }
  }
}
