import ChainBase
import ChainHost
import ChainModels
import ChainTensors
import Foundation
import Testing

/// Clients that load and unload the same models against each other. `scripts/sanitize models` runs them for longer, with
/// AddressSanitizer.
@Suite("The life of models", .enabled(if: Installed.hasEngine, "ONNX Runtime is not installed: run scripts/models"))
struct ModelLifeTests {
  static let seconds = ProcessInfo.processInfo.environment["MODELS_SECONDS"].flatMap(Double.init) ?? 1

  private static let graph = """
    local chain = require "chain"
    local tensor = require "tensor"
    local t = chain.types
    local Main = chain.chainlet "Main" {
      input = { x = t.number }, output = t.tensor("float32", { 3, 2 }),
      uses = { square = chain.model { path = "\(Installed.graph("multiply"))" } },
    }
    function Main:run(req) return self.square { X = tensor.full({ 3, 2 }, req.x, "float32") }.Y end
    local Batched = chain.chainlet "Batched" {
      input = { x = t.number }, output = t.list(t.number),
      uses = { square = chain.model { path = "\(Installed.graph("batched"))", batch = { max_size = 4, pad = { X = 0 } } } },
    }
    function Batched:run(req)
      return chain.map({ 1, 2, 3, 4, 5, 6 }, function(width)
        return self.square { X = tensor.full({ 1, width }, req.x, "float32") }.Y:at(1, width)
      end)
    end
    local Long = chain.chainlet "Long" { uses = { turns = chain.model { path = "\(Installed.graph("turns"))" } } }
    function Long:run() self.turns { turns = tensor.new { 1 << 50 }, X = tensor.full({ 1 }, 1.0) } end
    return { main = Main, batched = Batched, long = Long }
    """

  @Test("two clients that load and unload the same models meet no released one, and leave none", .timeLimit(.minutes(10)))
  func rivals() async throws {
    let host = ChainHost(lanes: 2)
    host.add(Models.kind)
    host.resourceGrace = 0
    let end = ContinuousClock.now + .seconds(ModelLifeTests.seconds)
    let rounds = try await withThrowingTaskGroup(of: Int.self) { group in
      for client in 1...2 { group.addTask { try await ModelLifeTests.client(client, host, until: end) } }
      return try await group.reduce(0, +)
    }
    while !host.resources.isEmpty { try await Task.sleep(for: .milliseconds(5)) } // a run that was cancelled ends a little later
    let totals = host.resourceTotals
    await host.shutdown()
    print("the life of models: \(rounds) rounds, \(totals.loads) loads, \(totals.unloads) unloads")
    #expect(totals.loads == totals.unloads && totals.failedLoads == 0)
  }

  private static func client(_ client: Int, _ host: ChainHost, until end: ContinuousClock.Instant) async throws -> Int {
    var rounds = 0
    repeat {
      rounds += 1
      let x = Double(client * 1000 + rounds % 1000)
      let input: ChainValue = ["x": .number(x)]
      let chain = try await host.load(files: ["graph.lua": graph])
      let batched = Task { try await chain.run(input, .init(entry: "batched")) }
      do throws(Failure) {
        try await _ = chain.run([:], .init(entry: "long", timeout: UInt64.random(in: 0..<2_000_000)))
        #expect(Bool(false), "the long run ended")
      } catch { #expect(error.code == Failure.Code.timeout, "\(error)") }
      let output = try await chain.run(input, .init(entry: "main"))
      #expect(try await batched.value == .list([ChainValue](repeating: .number(x * x), count: 6)))
      await chain.close()
      // An output lies over memory of the engine and keeps its model.
      guard case .reference(let reference) = output, let tensor = reference.object as? Tensor else { throw Failure(code: "test", message: "\(output)") }
      #expect(try tensor.array(of: Float.self) == [Float](repeating: Float(x * x), count: 6))
    } while ContinuousClock.now < end || host.resourceTotals.unloads < 10 // some were freed while the other client went on
    return rounds
  }
}
