import ChainBase

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

  /// False where there is none.
  static func multiply(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>, _ size: MatrixSize) -> Bool {
    guard let functions else { return false }
    functions.single(
      rowMajor, size.wayOfA, size.wayOfB, Int32(size.rows), Int32(size.columns), Int32(size.inner), 1, a, size.rowOfA, b, size.rowOfB,
      0, c, Int32(size.columns))
    return true
  }

  static func multiply(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ c: UnsafeMutablePointer<Double>, _ size: MatrixSize) -> Bool {
    guard let functions else { return false }
    functions.double(
      rowMajor, size.wayOfA, size.wayOfB, Int32(size.rows), Int32(size.columns), Int32(size.inner), 1, a, size.rowOfA, b, size.rowOfB,
      0, c, Int32(size.columns))
    return true
  }

  private static let rowMajor: Int32 = 101
}

/// The sizes of a product: A is `rows` by `inner`, B `inner` by `columns`, each as it is or as it lies when transposed.
struct MatrixSize {
  var rows: Int
  var inner: Int
  var columns: Int
  var aIsTransposed = false
  var bIsTransposed = false

  fileprivate var wayOfA: Int32 { aIsTransposed ? 112 : 111 }
  fileprivate var wayOfB: Int32 { bIsTransposed ? 112 : 111 }
  /// The elements from one row to the next, as they lie.
  fileprivate var rowOfA: Int32 { Int32(aIsTransposed ? rows : inner) }
  fileprivate var rowOfB: Int32 { Int32(bIsTransposed ? inner : columns) }
}
