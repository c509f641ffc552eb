import ChainBase
import ChainHost
import ChainModels
import Foundation

/// Loads a graph with a model, asks it, and closes it, so many times; each graph is another one with the same model.
/// - Returns: whether one session was opened for all of them, every answer was right and memory stayed flat. Without ONNX
///   Runtime it says so, and nothing is wrong.
func loadsOfOneModel(rounds: Int) async throws -> Bool {
  if case .failure(let failure) = Models.onnxRuntime() {
    note("soak: models are left out: \(failure.message)")
    return true
  }
  let host = ChainHost(lanes: 2)
  host.add(Models.kind)
  var memory: [Double] = []
  var problem: String?
  for round in 1...rounds {
    let chain = try await host.load(files: ["graph.lua": graph(round % 1000)])
    let answer = try await chain.run([:])
    if answer != .number(Double((round % 1000) * (round % 1000))) { problem = "round \(round) answered \(answer)" }
    await chain.close()
    if round % (rounds / 50) == 0 { memory.append(residentMegabytes()) }
  }
  let loads = host.resourceTotals.loads
  await host.shutdown()
  if !host.resources.isEmpty { problem = "left behind: \(host.resources)" }
  let growth = Growth(of: memory.dropFirst(memory.count / 4))
  note("soak: \(rounds) loads and releases, \(loads) sessions; memory after warm-up \(growth)")
  if let problem { note("soak: \(problem)") }
  return problem == nil && loads == 1 && growth.ratio <= Growth.most
}

private let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../ChainModelsTests/Graphs/multiply.onnx").standardized.path

private func graph(_ round: Int) -> String {
  """
  local chain = require "chain"
  local tensor = require "tensor"
  local t = chain.types
  local Main = chain.chainlet "Main" { output = t.number, uses = { square = chain.model { path = "\(model)" } } }
  function Main:run() return self.square { X = tensor.full({ 3, 2 }, \(round).0) }.Y:at(1, 1) end
  return Main
  """
}
