import Foundation

/// `chainrun` from start to exit with the hello chain: wall time, and the most memory that was resident.
let start = Benchmark("start") { bench in
  guard let program = ProcessInfo.processInfo.environment["BENCH_CHAINRUN"] else {
    throw BenchFailure("BENCH_CHAINRUN must name the program; scripts/bench sets it")
  }
  let graph = try Scratch.file("graph.lua", Array(helloText.utf8))
  let launch = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(
    "launch")
  var most = 0.0
  func run() throws -> Double {
    let lines = try output(of: launch, [String(bench.once ? 1 : 5), program, graph, #"names=["Ada","Grace"]"#])
    let figures = lines.map { $0.split(separator: " ").compactMap { Double($0) } }
    guard !figures.isEmpty, figures.allSatisfy({ $0.count == 2 }) else { throw BenchFailure("chainrun failed") }
    most = max(most, figures.map { $0[1] / 1024 }.max() ?? 0)
    return median(figures.map { $0[0] })
  }
  try await bench.measure("start", unit: "ms", limit: 20) { try run() }
  try await bench.measure("start-memory", unit: "MB", limit: 15) { most }
}

private let helloText = """
  local chain = require "chain"
  local t = chain.types
  local SayHello = chain.chainlet "SayHello" { input = { name = t.string }, output = t.string }
  function SayHello:run(req) return "Hello, " .. req.name end
  local HelloAll = chain.chainlet "HelloAll" {
    input = { names = t.list(t.string) }, output = t.string, needs = { say_hello = SayHello },
  }
  function HelloAll:run(req)
    local lines = chain.map(req.names, function(name) return self.say_hello { name = name } end)
    return table.concat(lines, "\\n")
  end
  return HelloAll
  """

/// The lines that a program prints.
func output(of program: URL, _ arguments: [String]) throws -> [String] {
  let process = Process()
  let pipe = Pipe()
  process.executableURL = program
  process.arguments = arguments
  process.standardOutput = pipe
  try process.run()
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw BenchFailure("\(program.lastPathComponent) ended with status \(process.terminationStatus)")
  }
  return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
}
