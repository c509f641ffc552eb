import ChainBase
import ChainHost
import ChainModels
import Foundation
import Testing

@Suite("Models and calls that are wrong", .enabled(if: Installed.hasEngine, "ONNX Runtime is not installed: run scripts/models"))
struct BadModelTests {
  @Test("a model of operators that the engine does not know is refused, with the engine's reason")
  func opset() async {
    let said = await message("path = '\(Installed.graph("opset"))'")
    #expect(said.contains("graph.lua:5: Main.uses.m: chain.model \"\(Installed.graph("opset"))\" cannot be loaded: ONNX Runtime:"))
    #expect(said.contains("Opset 999"))
  }

  @Test("a file cut off anywhere is refused, whatever is left of it")
  func truncated() async throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: Installed.graph("multiply")))
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("cut-\(UUID()).onnx")
    defer { try? FileManager.default.removeItem(at: file) }
    for length in [0, 1, whole.count / 4, whole.count / 2, whole.count - 1] {
      try whole.prefix(length).write(to: file)
      #expect(await message("path = '\(file.path)'").contains("cannot be loaded: ONNX Runtime:"), "\(length) bytes")
    }
  }

  @Test("sizes that disagree are refused by the names of the dimensions")
  func dimensions() async {
    let uses = "path = '\(Installed.graph("add"))'"
    #expect(await message(uses, "return self.m { A = made.floats({ 1, 2 }, { 1, 2 }), B = made.floats({ 1, 2, 3 }, { 1, 3 }) }").contains(
      "input 'B': expected float32 [batch, width], got float32 [1, 3]; width is 2 in 'A'"))
    #expect(await message(uses, "return self.m { A = made.floats({ 1 }, { 1 }), B = made.floats({ 1 }, { 1 }) }").contains(
      "input 'A': expected float32 [batch, width], got float32 [1]"))
    #expect(await message(uses, "return self.m { A = made.ids({ 1 }), B = made.ids({ 1 }) }").contains(
      "input 'A': expected float32 [batch, width], got int64 [1, 1]"))
    #expect(await message(uses, "return self.m { A = made.floats({}, { 0, 2 }), B = made.floats({}, { 0, 2 }) }").contains(
      "input 'A': expected at least one row, got float32 [0, 2]"))
  }

  @Test("a run for which the engine has no memory fails alone")
  func outOfMemory() async throws {
    let value = try await run("path = '\(Installed.graph("fill"))'", """
      local function fill(count) return self.m { count = tensor.new { count } }.Y end
      local failures = {}
      for i, count in ipairs { 1 << 46, 1 << 62, -1 } do
        local ok, failure = pcall(fill, count)
        failures[i] = not ok and tostring(failure):match("ONNX Runtime: Non%-zero status code") or "none"
      end
      return { failures, fill(3):table() }
      """)
    let engine: ChainValue = "ONNX Runtime: Non-zero status code"
    #expect(value == [[engine, engine, engine], [1.0, 1.0, 1.0]])
  }

  @Test("an output that is larger than what the chainlet may hold ends the call at its memory limit; the model serves on")
  func largeOutput() async throws {
    let host = ChainHost()
    host.add(Models.kind)
    let chain = try await host.load(files: ["graph.lua": """
      local chain = require "chain"
      local tensor = require "tensor"
      local t = chain.types
      local Main = chain.chainlet "Main" {
        input = { count = t.integer }, output = t.integer, uses = { fill = chain.model { path = "\(Installed.graph("fill"))" } },
        limits = { memory = "16MB" },
      }
      function Main:run(req) return #self.fill { count = tensor.new { req.count } }.Y end
      return Main
      """])
    for _ in 0..<3 {
      do throws(Failure) {
        let count = try await chain.run(["count": 8_000_000])
        #expect(Bool(false), "it gave \(count)")
      } catch { #expect(error.code == Failure.Code.memoryLimit, "\(error)") }
      #expect(try await chain.run(["count": 1_000_000]) == 1_000_000)
    }
    await host.shutdown()
    #expect(host.resourceTotals.loads == 1)
  }

  @Test("of calls that run together, the one that the engine cannot run fails alone")
  func badItem() async throws {
    let value = try await run("path = '\(Installed.graph("pick"))', batch = { max_size = 8, max_delay = 0.05 }", """
      local settled = chain.settle({ 0, 9, 3, 2, 1 }, function(at) return self.m { at = made.ids { at } }.Y:item() end)
      local result = {}
      for i, one in ipairs(settled) do
        result[i] = one.ok and one.value or one.error.message:match("indices element out of data bounds, idx=9")
      end
      return { result, self.m:stats().largest > 1 }
      """)
    #expect(value == [[10.0, "indices element out of data bounds, idx=9", 40.0, 30.0, 20.0], true])
  }

  @Test("a call that is cancelled while the engine works ends at once, and the engine stops", .timeLimit(.minutes(1)))
  func cancelledAtWork() async throws {
    let host = ChainHost()
    host.add(Models.kind)
    host.resourceGrace = 0
    let chain = try await host.load(files: ["graph.lua": """
      local chain = require "chain"
      local tensor = require "tensor"
      local t = chain.types
      local Main = chain.chainlet "Main" {
        input = { turns = t.integer }, output = t.number, uses = { m = chain.model { path = "\(Installed.graph("turns"))" } },
      }
      function Main:run(req) return self.m { turns = tensor.new { req.turns }, X = tensor.full({ 1 }, 2.0) }.Y:item() end
      return Main
      """])
    for _ in 0..<3 {
      let request = Task { try await chain.run(["turns": .integer(1 << 50)]) } // centuries
      try await Task.sleep(for: .milliseconds(30))
      request.cancel()
      guard case .failure(let error) = await request.result else { return #expect(Bool(false)) }
      #expect((error as? Failure)?.code == Failure.Code.cancelled)
      #expect(try await chain.run(["turns": 0]) == .number(2))
    }
    do throws(Failure) {
      _ = try await chain.run(["turns": .integer(1 << 50)], .init(timeout: 30_000_000))
      #expect(Bool(false), "it returned")
    } catch { #expect(error.code == Failure.Code.timeout) }
    await chain.close()
    // Each run holds the model until it has ended.
    while !host.resources.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    #expect(host.resourceTotals.unloads == 1)
    await host.shutdown()
  }
}
