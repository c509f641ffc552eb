import Foundation

/// A line on standard error.
func note(_ text: String) {
  var line = text + "\n"
  line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// Of this process, after the allocator has given back what it can.
func residentMegabytes() -> Double {
  if let trim = dlsym(nil, "malloc_trim") { _ = unsafeBitCast(trim, to: (@convention(c) (Int) -> Int32).self)(0) }
  let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
  let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
  return (pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 104_857.6).rounded() / 10
}

/// Ends the program, so that its core can be looked at, when nothing has ended for two minutes.
func watchProgress(of soak: Soak) {
  Task.detached {
    var seen = (0, 0)
    while true {
      try? await Task.sleep(for: .seconds(120))
      let now = soak.tally.withLock { ($0.attacks, $0.honest) }
      if now == seen {
        note("soak: nothing has ended for two minutes")
        abort()
      }
      seen = now
    }
  }
}
