// Runs a target under libFuzzer: `fuzz TARGET [libFuzzer's options] [folders]`; scripts/fuzz builds it.

import FuzzTargets
import Glibc

guard let name = CommandLine.arguments.dropFirst().first, Fuzzing.choose(name) else {
  print("usage: fuzz \(FuzzTarget.all.map(\.name).joined(separator: "|")) [libFuzzer's options] [folders]")
  exit(2)
}
exit(Fuzzing.run())
