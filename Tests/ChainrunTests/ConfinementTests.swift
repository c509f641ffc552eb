import Glibc
import Testing

@Suite("The outer wall", .enabled(if: !Program.isSanitized))
struct ConfinementTests {
  /// The note that a test run by root brings is no matter here.
  private func errors(_ outcome: Program.Outcome) -> String {
    outcome.errors.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.contains("keeps root's rights") }
      .joined(separator: "\n")
  }

  private func probe(_ stage: String) throws -> [String: String] {
    let program = try Program()
    let outcome = try #require(Spawned(words: [Program.built("confine-probe"), stage], in: program.folder, of: program)).outcome()
    try #require(outcome.status == 0)
    return Dictionary(
      outcome.output.split(separator: "\n").map { line in
        let parts = line.split(separator: ":", maxSplits: 1)
        return (String(parts[0]), parts[1].trimmingPrefix(" ").description)
      }) { $1 }
  }

  private static let needed = ["wall", "thread", "memory", "eventfd", "epoll", "clock", "fstat", "a signal to itself"]

  @Test("while the graph runs, nothing but what a run needs is let through")
  func running() throws {
    let results = try probe("running")
    let done = results.filter { $0.value == "done" }.keys
    #expect(Set(done) == Set(Self.needed))
    #expect(results.filter { $0.value == "Operation not permitted" }.count == results.count - done.count)
    for name in ["execve", "fork", "socket", "socket in an older thread", "open for reading", "open for writing", "open in a thread"] {
      #expect(results[name] == "Operation not permitted", "\(name)")
    }
  }

  @Test("while the graph is loaded, files can be opened besides, and no more")
  func loading() throws {
    let results = try probe("loading")
    let opening = ["open for reading", "open for writing", "open in a thread", "stat"]
    #expect(Set(results.filter { $0.value == "done" }.keys) == Set(Self.needed + opening))
    #expect(Set(results.filter { $0.value != "done" && $0.value != "Operation not permitted" }.keys) == ["unlink", "another filter"])
  }

  @Test("both filters, no new privileges and the limits are on every thread of a run")
  func process() throws {
    let program = try Program(["graph.lua": graph("", "chain.log.info('ready') chain.sleep(100000)")])
    let process = try program.start(["graph.lua", "--confine", "--confine-files", "77", "--confine-memory", "3000", "--lanes", "2"])
    process.waitForErrors("ready")
    let looked = try program.shell(
      "cat /proc/\(process.id)/limits; for t in /proc/\(process.id)/task/*; do echo thread; cat $t/status; done")
    process.send(SIGINT)
    #expect(process.outcome().status == 130)
    let lines = looked.output.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
    let threads = lines.count { $0 == "thread" }
    #expect(threads > 2)
    #expect(lines.count { $0 == "Seccomp: 2" } == threads)
    #expect(lines.count { $0 == "Seccomp_filters: 2" } == threads)
    #expect(lines.count { $0 == "NoNewPrivs: 1" } == threads)
    #expect(lines.contains("Max open files 77 77 files"))
    #expect(lines.contains("Max address space \(3000 << 20) \(3000 << 20) bytes"))
  }

  @Test("a run behind the wall gives the same: inputs, files, streams, the time zone, exit status")
  func same() throws {
    let program = try Program([
      "graph.lua": """
        local chain = require "chain"
        local t = chain.types
        local part = require "part"
        local Echo = chain.chainlet "Echo" { input = { text = t.string, n = t.integer }, output = t.any }
        function Echo:run(req)
          if req.n == 0 then error("no, " .. req.text) end
          chain.sleep(0.01)
          return { part(req.text), req.n, os.date("%H %Z", 0) }
        end
        local Count = chain.chainlet "Count" { output = t.stream(t.integer) }
        function Count:run(_, emit) for i = 1, 3 do emit(i) end end
        return { echo = Echo, count = Count }
        """, "part.lua": "return string.upper", "text": "from a file", "bad.lua": "x = 1",
    ])
    // A zone of its own, 5 hours east: read from a file, as the machine's is.
    let zone: [UInt8] = Array("TZif".utf8) + [UInt8](repeating: 0, count: 16 + 16) + [0, 0, 0, 1, 0, 0, 0, 4]
      + [0, 0, 0x46, 0x50, 0, 0] + Array("XYZ\0".utf8)
    try program.write(zone, to: "zone")
    let environment = ["TZ": ":\(program.folder)/zone"]
    for words in [
      ["graph.lua", "--entry", "echo", "text=@text", "n=1"], ["graph.lua", "--entry", "echo", "--input", "-"],
      ["graph.lua", "--entry", "echo", "text=x", "n=0"], ["graph.lua", "--entry", "echo", "text=x", "n=many"],
      ["graph.lua", "--entry", "count"], ["graph.lua", "--entry", "non"], ["bad.lua"], ["missing.lua"],
      ["graph.lua", "--entry", "echo", "text=@nowhere", "n=1"], ["graph.lua", "--entry", "echo", "text=@text", "n=1", "-o", "out"],
    ] {
      let free = try program.run(words, input: #"{"text":"a","n":2}"#, environment: environment)
      let written = program.text("out")
      let confined = try program.run(words + ["--confine"], input: #"{"text":"a","n":2}"#, environment: environment)
      #expect(confined.status == free.status, "\(words)")
      #expect(confined.output == free.output, "\(words)")
      #expect(errors(confined) == free.errors, "\(words)")
      #expect(program.text("out") == written)
    }
    #expect(program.text("out") == "[\"FROM A FILE\",1,\"05 XYZ\"]\n")
  }

  @Test("a limit that leaves no room, options without the flag, users that cannot be", arguments: [
    (["--confine-files", "9"], "--confine-files belongs to --confine"),
    (["--confine", "--confine-files", "9"], "--confine-files 9: with --lanes 1 at least 40 are needed"),
    (["--confine", "--confine-memory", "5"], "--confine-memory 5: with --lanes 1 at least 512 are needed"),
    (["--confine", "--confine-memory", "512", "--lanes", "12"], "--confine-memory 512: with --lanes 12 at least 1304 are needed"),
    (["--confine", "--confine-user", "no-such-user"], "--confine-user no-such-user: there is no such user"),
    (["--confine", "--confine-user", "0"], "name an unprivileged user"),
    (["--confine", "--confine-user", "4294967295"], "that number is no user's"),
  ])
  func wrong(_ words: [String], _ expected: String) throws {
    let outcome = try Program(["graph.lua": graph("", "")]).run(["graph.lua"] + words)
    #expect(outcome.errors.contains(expected), "\(outcome.errors)")
    #expect(outcome.status == 2)
  }

  @Test("the least memory is enough for many lanes, and so is the default", arguments: [(12, "1304"), (256, "18872"), (256, "")])
  func leastMemory(_ lanes: Int, _ megabytes: String) throws {
    let memory = megabytes.isEmpty ? [] : ["--confine-memory", megabytes]
    let outcome = try Program(["graph.lua": graph("t.integer", "return 7")])
      .run(["graph.lua", "--confine", "--lanes", "\(lanes)", "--confine-files", "0"] + memory)
    #expect(outcome.output == "7\n", "\(outcome.errors)")
    #expect(outcome.status == 0)
  }

  @Test("too few processes are said", .enabled(if: geteuid() == 0), arguments: [1, 6, 15])
  func processes(_ most: Int) throws {
    let words = ["graph.lua", "--lanes", "12", "--confine", "--confine-user", "54321", "--confine-processes", "\(most)"]
    let outcome = try Program(["graph.lua": graph("", "")]).run(words)
    #expect(outcome.errors.contains("--confine: with --lanes 12 18 threads are needed, and they cannot be made"), "\(outcome.errors)")
    #expect(outcome.status == 1)
  }

  @Test(
    "a model runs behind the wall as before it", .enabled(if: ModelExampleTests.hasEngine, "ONNX Runtime is not here: run scripts/models"))
  func model() throws {
    let text = """
      local chain = require "chain"
      local t = chain.types
      local tensor = require "tensor"
      local options = { path = "\(ModelExampleTests.root)/Tests/ChainModelsTests/Graphs/add.onnx", threads = 2, batch = {} }
      local Main = chain.chainlet "Main" { output = t.any, uses = { add = chain.model(options) } }
      function Main:run()
        local sums = chain.map({ 1, 2, 3, 4 }, function(n)
          local rows = tensor.new { { n, n + 0.5 } }
          return self.add { A = rows, B = rows }.Y:table()
        end)
        return sums
      end
      return Main
      """
    let words = ["graph.lua", "--confine", "--lanes", "2"]
    let outcome = try Program(["graph.lua": text]).run(words, environment: ModelExampleTests.environment())
    #expect(outcome.output == "[[[2.0,3.0]],[[4.0,5.0]],[[6.0,7.0]],[[8.0,9.0]]]\n", "\(outcome.errors)")
    #expect(outcome.status == 0)
  }

  @Test("root becomes another user before it reads anything", .enabled(if: geteuid() == 0))
  func user() throws {
    let program = try Program(["graph.lua": graph("", "chain.log.info('ready') chain.sleep(100000)")])
    let words = ["graph.lua", "--confine", "--confine-user", "54321"]
    let refused = try program.run(words)
    #expect(refused.errors.contains("graph.lua"))
    #expect(refused.status == 3)
    chmod(program.folder, 0o755)
    let process = try program.start(words)
    defer { _ = process.outcome() }
    process.waitForErrors("ready")
    let looked = try program.shell("grep -h -E '^(Uid|Gid|Groups)' /proc/\(process.id)/task/*/status")
    process.send(SIGINT)
    let lines = Set(looked.output.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") })
    #expect(lines == ["Uid: 54321 54321 54321 54321", "Gid: 54321 54321 54321 54321", "Groups:"])
  }

  @Test("where the kernel has no filter, it says what does not hold and what does, and goes on")
  func withoutFilter() throws {
    // A kernel without it, made by a filter that answers ENOSYS to the call `seccomp`.
    let older = """
      import ctypes, os, platform, struct, sys
      number = {"x86_64": 317, "aarch64": 277}[platform.machine()]
      code = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7FFF0000)]
      text = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *line) for line in code))
      class Program(ctypes.Structure): _fields_ = [('count', ctypes.c_ushort), ('code', ctypes.c_void_p)]
      program = Program(len(code), ctypes.cast(text, ctypes.c_void_p))
      libc = ctypes.CDLL(None, use_errno=True)
      assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0
      os.execv(sys.argv[1], sys.argv[1:])
      """
    let program = try Program(["graph.lua": graph("t.integer", "return 7"), "older.py": older])
    let outcome = try program.shell("python3 older.py $chainrun graph.lua --confine")
    #expect(outcome.output == "7\n")
    #expect(outcome.status == 0)
    #expect(
      errors(outcome) == "chainrun: --confine: not offered here: no filter of system calls (Operation not supported): only the "
        + "sandbox keeps it from files, sockets and programs. What holds: no new privileges, at most 8192 MB of address space, "
        + "at most 4096 processes of the user, at most 80 open files\n")
  }
}
