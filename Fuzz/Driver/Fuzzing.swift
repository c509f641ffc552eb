import CFuzzer
import FuzzTargets
import Glibc

enum Fuzzing {
  // The main thread alone touches it, and libFuzzer calls back on the thread that it was started by.
  nonisolated(unsafe) private static var chosen: FuzzTarget?

  static func choose(_ name: String) -> Bool {
    chosen = FuzzTarget.all.first { $0.name == name }
    return chosen != nil
  }

  /// Until the time that the options give, or a finding.
  static func run() -> Int32 {
    // The name of the target is no word of libFuzzer's.
    var words: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.enumerated().filter { $0.offset != 1 }.map { strdup($0.element) }
    var count = Int32(words.count)
    words.append(nil)
    return words.withUnsafeMutableBufferPointer { buffer in
      var start = buffer.baseAddress
      return LLVMFuzzerRunDriver(&count, &start) { data, length in
        Fuzzing.tryOne(UnsafeBufferPointer(start: data, count: length))
        return 0
      }
    }
  }

  private static func tryOne(_ bytes: UnsafeBufferPointer<UInt8>) {
    do { try chosen?.run(Array(bytes)) } catch {
      print("\(error)")
      abort() // how libFuzzer learns of a finding
    }
  }
}
