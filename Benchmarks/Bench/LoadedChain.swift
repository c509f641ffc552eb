import ChainHost

/// Runs `body` with a chain of these files on one lane of its own.
func withChain(_ source: String, _ body: (Chain) async throws -> Void) async throws {
  let host = ChainHost()
  do {
    let chain = try await host.load(files: ["graph.lua": source])
    try await body(chain)
  } catch {
    await host.shutdown()
    throw error
  }
  await host.shutdown()
}
