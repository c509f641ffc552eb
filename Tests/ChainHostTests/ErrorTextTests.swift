import ChainBase
import ChainHost
import Testing

/// What of a script's errors is told: enough to understand them, however long they are.
@Suite("Texts of errors")
struct ErrorTextTests {
  private func failure(_ body: String, before: String = "") async throws -> Failure? {
    do {
      _ = try await withChain("""
        local chain = require "chain"
        local t = chain.types
        local Main = chain.chainlet "Main" { output = t.any }
        \(before)function Main:run()
        \(body)
        end
        return Main
        """) { try await $0.run([:]) }
    } catch let failure as Failure { return failure }
    return nil
  }

  @Test("the line is shown, wherever it is in a long file", arguments: [0, 1, 62, 63, 64, 65, 127, 1_000])
  func line(_ lines: Int) async throws {
    let failure = try await failure("  local x x.y = 1", before: String(repeating: "--\n", count: lines))
    #expect(failure?.message == """
      graph.lua:\(lines + 5): attempt to index a nil value (local 'x')
        \(lines + 5) |   local x x.y = 1
      \(String(repeating: " ", count: "\(lines + 5)".count + 2)) |         ^
      """)
  }

  @Test("a long one is cut between two characters")
  func cut() async throws {
    let failure = try await failure(#"  error(("ä"):rep(5000), 0)"#)
    #expect(failure?.message == String(repeating: "ä", count: 2048) + "…")
    let odd = try await self.failure(#"  error("x" .. ("ä"):rep(5000), 0)"#)
    #expect(odd?.message == "x" + String(repeating: "ä", count: 2047) + "…")
  }

  @Test("names that could have been meant are found behind several steps, and behind metatables")
  func meant() async throws {
    let failure = try await failure("""
        local tools = { deep = { er = setmetatable({}, { __index = { search = print } }) } }
        tools.deep.er.serach()
      """)
    #expect(failure?.message.hasPrefix("graph.lua:6: attempt to call a nil value (field 'serach'); did you mean 'search'?") == true)
  }
}
