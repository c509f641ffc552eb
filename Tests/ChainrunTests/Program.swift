import Glibc
import Testing

/// The built program, run as a process in a folder of its own.
final class Program: Sendable {
  /// Where the test's files are, and where the program runs.
  let folder: String

  struct Outcome: Sendable {
    /// 128 and the number of the signal that ended it, as a shell says it.
    var status: Int32
    var output: String
    var errors: String
  }

  init(_ files: [String: String] = [:]) throws {
    var template = Array("\(TemporaryFolder.path)/chainrun-test-XXXXXX".utf8CString)
    folder = try #require(template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) }.map { String(cString: $0) })
    for (path, text) in files { try write(Array(text.utf8), to: path) }
  }

  deinit { _ = Spawned(words: ["/bin/rm", "-rf", folder], in: "/")?.wait() }

  func write(_ bytes: [UInt8], to path: String) throws {
    if let slash = path.lastIndex(of: "/") { mkdir("\(folder)/\(path[..<slash])", 0o777) }
    let file = try #require(fopen("\(folder)/\(path)", "w"))
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }

  func read(_ path: String) -> [UInt8]? { readAll("\(folder)/\(path)") }
  func text(_ path: String) -> String? { read(path).map { String(decoding: $0, as: UTF8.self) } }

  /// Runs the program to its end.
  func run(_ words: String..., input: String = "", environment: [String: String] = [:]) throws -> Outcome {
    try run(words, input: input, environment: environment)
  }

  func run(_ words: [String], input: String = "", environment: [String: String] = [:]) throws -> Outcome {
    let process = try start(words, input: input, environment: environment)
    return process.outcome()
  }

  /// Runs a shell's line in which `$chainrun` is the program.
  func shell(_ line: String) throws -> Outcome {
    try #require(Spawned(words: ["/bin/bash", "-c", line], in: folder, environment: ["chainrun": Program.path], of: self)).outcome()
  }

  func start(_ words: [String], input: String = "", environment: [String: String] = [:]) throws -> Spawned {
    try #require(Spawned(words: [Program.path] + words, in: folder, input: input, environment: environment, of: self))
  }

  static let path = built("chainrun")

  /// Whether sanitizers are built in: they do behind the program's back what a wall forbids.
  static let isSanitized = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil

  /// A program of this package: it lies beside the bundle of the tests.
  static func built(_ name: String) -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes { readlink("/proc/self/exe", $0.baseAddress!, $0.count) }
    let own = count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : CommandLine.arguments[0]
    for place in [CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? own, own] {
      let path = (place.lastIndex(of: "/").map { String(place[...$0]) } ?? "./") + name
      if access(path, X_OK) == 0 { return path.hasPrefix("/") ? path : "\(String(cString: getcwd(nil, 0)))/\(path)" }
    }
    return name
  }
}

/// Where folders of tests are made.
enum TemporaryFolder {
  static var path: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }
}

func readAll(_ path: String) -> [UInt8]? {
  guard let file = fopen(path, "r") else { return nil }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = fread(&block, 1, block.count, file)
    if count == 0 { return bytes }
    bytes += block[..<count]
  }
}

/// A process that runs, with its streams in files.
final class Spawned: Sendable {
  private let process: pid_t
  private let streams: String
  /// Its folder must outlive it.
  private let program: Program?

  init?(words: [String], in folder: String, input: String = "", environment: [String: String] = [:], of program: Program? = nil) {
    self.program = program
    var template = Array("\(TemporaryFolder.path)/chainrun-streams-XXXXXX".utf8CString)
    guard let made = template.withUnsafeMutableBufferPointer({ mkdtemp($0.baseAddress!) }) else { return nil }
    streams = String(cString: made)
    if let file = fopen("\(streams)/in", "w") {
      fwrite(Array(input.utf8), 1, input.utf8.count, file)
      fclose(file)
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "\(streams)/in", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "\(streams)/out", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, "\(streams)/err", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var variables = environment
    variables["PATH", default: "/usr/bin:/bin"] += ""
    let words = ["/bin/sh", "-c", #"cd "$0" && exec "$@""#, folder] + words
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var given: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0)=\($1)") } + [nil]
    defer { (arguments + given).forEach { free($0) } }
    var started: pid_t = 0
    guard posix_spawn(&started, words[0], &actions, &attributes, &arguments, &given) == 0 else { return nil }
    process = started
  }

  var id: Int32 { process }

  /// Sends a signal.
  func send(_ signal: Int32) { kill(process, signal) }

  /// Returns when a text stands on standard error, or the process has ended.
  func waitForErrors(_ text: String) {
    while !errors.contains(text) {
      var status = siginfo_t()
      waitid(P_PID, id_t(process), &status, WEXITED | WNOHANG | WNOWAIT)
      if status.si_signo == SIGCHLD { return }
      usleep(2_000)
    }
  }

  func wait() -> Int32 {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F)
  }

  deinit {
    for name in ["in", "out", "err"] { unlink("\(streams)/\(name)") }
    rmdir(streams)
  }

  func outcome() -> Program.Outcome {
    let status = wait()
    return Program.Outcome(status: status, output: read("out"), errors: errors)
  }

  private var errors: String { read("err") }
  private func read(_ name: String) -> String { String(decoding: readAll("\(streams)/\(name)") ?? [], as: UTF8.self) }
}
