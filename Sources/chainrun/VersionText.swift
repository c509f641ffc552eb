import ChainHost
import ChainLoop
import ChainModels
import LuaBridge

/// What `--version` says: ours, and what runs below it.
enum VersionText {
  static let own = "0.1.0"

  /// The parser wants it at every start; what it takes to say all, opening the engine's library, is for those who ask.
  static var shown: String { CommandLine.arguments.contains("--version") ? all : own }

  private static var all: String {
    var text = "chainrun \(own)\n\(LuaRelease.text)\nlibuv \(LoopRelease.text)"
    for bug in LuaRelease.knownBugs { text += "\n  known bug of this Lua: \(bug)" }
    switch Models.onnxRuntime() {
    case .success(let engine): text += "\n\(engine)"
    case .failure: text += "\nONNX Runtime: not installed (scripts/models installs it)"
    }
    return text
  }
}
