import Testing

@Suite("Logs that nobody reads")
struct LogTests {
  /// `Main` is a stream: the longest that a neighbour waited for its 10 ms beside a chainlet that logs 3 MB, then `after`.
  private func noise(after: String = "") -> String {
    graph("t.stream(t.number)", """
      local longest = 0
      chain.all { noisy = function() self.noisy {} end, sleeper = function() longest = self.sleeper {} end }
      emit(longest)
      \(after)
      """, spec: "needs = { noisy = Noisy, sleeper = Sleeper },", above: """
        local Noisy = chain.chainlet "Noisy" {}
        function Noisy:run() for _ = 1, 10000 do print(("x"):rep(300)) end end
        local Sleeper = chain.chainlet "Sleeper" { output = t.number }
        function Sleeper:run()
          local longest = 0
          for _ = 1, 50 do
            local left = chain.context().remaining()
            chain.sleep(0.01)
            longest = math.max(longest, left - chain.context().remaining())
          end
          return longest
        end
        """)
  }

  @Test("a lane does not wait for the reader of standard error, and the program ends without one")
  func unread() throws {
    let outcome = try Program(["graph.lua": noise()])
      .shell("mkfifo errors; exec 3<>errors; exec $chainrun graph.lua --timeout 100 --lost-lanes 0 2>errors")
    let longest = try #require(Double(outcome.output.dropLast()))
    #expect(longest < 0.5)
    #expect(outcome.status == 0)
  }

  @Test("a reader that comes late is told how many lines it missed, and has the error last")
  func readLate() throws {
    let program = try Program(["graph.lua": noise(after: "chain.sleep(0.5) print 'after' error 'broken'")])
    let outcome = try program.shell("""
      mkfifo errors; exec 3<>errors
      $chainrun graph.lua --timeout 100 >out 2>errors 3>&- & pid=$!
      until [ -s out ] || ! kill -0 $pid; do sleep 0.02; done
      cat <errors 3>&- & exec 3>&-; wait $pid; status=$?; wait; exit $status
      """)
    let lines = outcome.output.split(separator: "\n")
    let noise = lines.count { $0.hasPrefix("info Noisy: xxx") }
    let rest = lines.dropFirst(noise)
    #expect(rest.first == "log: \(10_000 - noise) lines dropped, standard error is read too slowly")
    #expect(rest.dropFirst().first == "info Main: after")
    #expect(rest.dropFirst(2).first?.contains("broken") == true)
    #expect(outcome.status == 1)
  }
}
