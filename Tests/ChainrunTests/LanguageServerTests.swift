import Glibc
import Testing

/// What `chainrun types` writes, read by a real language server. The cases stand in `Tests/LanguageServer/cases.py`.
@Suite(
  "Annotations in a language server",
  .enabled(if: LanguageServer.path != nil, "there is no language server; scripts/language-server fetches it"))
struct LanguageServerTests {
  @Test(
    "correct files raise no alarm, mistakes are marked in their line, names complete",
    arguments: ["Examples/hello", "Examples/reuse", "Examples/stream", "Examples/wordcount", "Examples/search", "Tests/LanguageServer/all-kinds"])
  func cases(_ folder: String) throws {
    let program = try Program()
    let script = "\(Page.root)/Tests/LanguageServer/cases.py"
    let server = try #require(LanguageServer.path)
    let words = ["python3", "-B", script, server, Program.path, "\(Page.root)/\(folder)", program.folder]
    let outcome = try #require(Spawned(words: words, in: program.folder, of: program)).outcome()
    #expect(outcome.output == "")
    #expect(outcome.status == 0, "\(outcome.errors)")
  }
}

enum LanguageServer {
  /// emmylua_ls, when it is there.
  static let path: String? = {
    guard let named = getenv("CHAINRUN_LANGUAGE_SERVER"), access(named, X_OK) == 0 else { return nil }
    return String(cString: named)
  }()
}
