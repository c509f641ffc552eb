import ChainHost
import Floors
import Foundation

/// A thousand chainlets, one a file, loaded in one process, beside a C loop that opens as many sandboxed states and runs
/// the same files in them from source; and how much resident memory they add to a process that has just started.
let thousand = Benchmark("thousand") { bench in
  let count = bench.once ? 10 : 1000
  let folder = try Scratch.folder("thousand-\(count)")
  let files = try writeChainlets(count, in: folder)
  let entry = folder + "/graph.lua"
  try await bench.compare(
    Comparison(
      name: "thousand", unit: "ms", limit: .ratio(2.5),
      floor: {
        let spent = files.withCStrings { floor_open_states($0, Int32(count)) }
        floor_close_states()
        guard spent >= 0 else { throw BenchFailure("a file does not run in the bare sandbox") }
        return spent
      },
      ours: {
        let host = ChainHost()
        let spent = try await nanoseconds { _ = try await host.load(entry) }
        await host.shutdown()
        return spent / 1e6
      }))
  let program = URL(fileURLWithPath: CommandLine.arguments[0])
  try await bench.measure("thousand-memory", unit: "MB", limit: 60, rounds: 1) {
    guard let line = try output(of: program, ["--load", entry]).first, let megabytes = Double(line) else {
      throw BenchFailure("no figure")
    }
    return megabytes
  }
}

private func writeChainlets(_ count: Int, in folder: String) throws -> [String] {
  var files: [String] = []
  for n in 1...count {
    let text = """
      local chain = require "chain"
      local t = chain.types

      local Step = chain.chainlet "Step\(n)" { doc = "Step \(n).", input = { name = t.string, n = t.integer }, output = t.string }

      function Step:run(req)
        if req.n > \(n) then return req.name .. " is past \(n)" end
        return "Hello, " .. req.name
      end

      return Step
      """
    let file = "\(folder)/step\(n).lua"
    try text.write(toFile: file, atomically: false, encoding: .utf8)
    files.append(file)
  }
  let entry =
    "local steps = {}\nfor n = 1, \(count) do steps[\"step\" .. n] = require(\"step\" .. n) end\nreturn steps\n"
  try entry.write(toFile: folder + "/graph.lua", atomically: false, encoding: .utf8)
  return files
}

/// In a process of its own: loads the graph and prints the megabytes of resident memory that this added.
func printGrowth(loading entry: String) async {
  let host = ChainHost()
  let before = residentMegabytes()
  do {
    let chain = try await host.load(entry)
    Output.line(String(residentMegabytes() - before))
    await chain.close()
  } catch {
    Output.error("bench: \(error)")
    exit(1)
  }
}

private func residentMegabytes() -> Double {
  let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
  let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
  return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
}

extension [String] {
  /// Runs `body` with the strings as C sees them.
  fileprivate func withCStrings<R>(_ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R) -> R {
    let copies = map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return copies.map { UnsafePointer($0) }.withUnsafeBufferPointer { body($0.baseAddress!) }
  }
}
