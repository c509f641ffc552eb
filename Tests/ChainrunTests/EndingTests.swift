import Glibc
import Testing

@Suite("Signals and streams that close")
struct EndingTests {
  let waiting = graph("", "chain.log.info('ready') chain.sleep(100000)")

  @Test("Ctrl-C cancels the request and ends with 130", arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func interrupt(_ signal: Int32, _ status: Int32) throws {
    let process = try Program(["graph.lua": waiting]).start(["graph.lua"])
    process.waitForErrors("ready")
    process.send(signal)
    let outcome = process.outcome()
    #expect(outcome.errors == "info Main: ready\nchainrun: cancelled\n")
    #expect(outcome.output == "")
    #expect(outcome.status == status)
  }

  @Test("Ctrl-C ends code that never waits, and its close runs")
  func interruptLoop() throws {
    let text = graph("", "chain.log.info('ready') while true do end", above: "") + "\n"
    let closing = text.replacing("return Main", with: "function Main:close() chain.log.info('closed') end\nreturn Main")
    let process = try Program(["graph.lua": closing]).start(["graph.lua"])
    process.waitForErrors("ready")
    process.send(SIGINT)
    let outcome = process.outcome()
    #expect(outcome.errors.contains("closed"))
    #expect(outcome.errors.hasSuffix("chainrun: cancelled\n"))
    #expect(outcome.status == 130)
  }

  @Test("a second Ctrl-C does not wait for close")
  func interruptTwice() throws {
    let closing = waiting.replacing("return Main", with: "function Main:close() chain.log.info('closing') while true do end end\nreturn Main")
    let process = try Program(["graph.lua": closing]).start(["graph.lua"])
    process.waitForErrors("ready")
    process.send(SIGINT)
    process.waitForErrors("closing")
    process.send(SIGINT)
    #expect(process.outcome().status == 130)
  }

  @Test("Ctrl-C while files are loaded")
  func interruptLoading() throws {
    // Loading itself can print nothing: the name pipe tells that the program has begun.
    let program = try Program(["graph.lua": "while true do end"])
    let outcome = try program.shell("$chainrun graph.lua --config <(echo '{}'; echo begun >began) & while [ ! -s began ]; do sleep 0.01; done; sleep 0.1; kill -INT $!; wait $!")
    #expect(outcome.status == 130 || outcome.status == 3)
  }

  #if os(Linux)
    /// A native function that does not come back: the C library reads the time zone from a pipe that nobody writes to.
    @Test("more lost lanes than --lost-lanes bears end the program with status 4, and it says why")
    func lostLanes() throws {
      let program = try Program(["graph.lua": graph("t.string", "return os.date('%H', 0)", spec: "limits = { cpu = 0.2 },")])
      mkfifo("\(program.folder)/zone", 0o600)
      let outcome = try program.run("graph.lua", "--lost-lanes", "0", environment: ["TZ": ":\(program.folder)/zone"])
      #expect(outcome.errors.hasPrefix("error Main: lane 0 is lost: "))
      #expect(
        outcome.errors.hasSuffix("\nchainrun: 1 lanes are lost, more than the 0 that this host bears (mostLostLanes): restart the process\n"))
      #expect(outcome.output == "")
      #expect(outcome.status == 4)
    }
  #endif

  @Test("where there are too few descriptors the program says so, and is not ended by a signal", arguments: 3..<24)
  func fewDescriptors(_ most: Int) throws {
    let outcome = try Program(["graph.lua": graph("t.integer", "return 7")]).shell("ulimit -n \(most); exec $chainrun graph.lua")
    #expect(outcome.status == 0 && outcome.output == "7\n" || [1, 3, 127].contains(outcome.status) && !outcome.errors.isEmpty, "\(outcome)")
  }

  @Test("a reader that goes away ends it quietly, as a shell knows it")
  func brokenPipe() throws {
    let program = try Program(["graph.lua": graph("t.stream(t.integer)", "for i = 1, 10000000 do emit(i) end")])
    let outcome = try program.shell("$chainrun graph.lua | head -n 1; echo ${PIPESTATUS[0]}")
    #expect(outcome.output == "1\n141\n")
    #expect(outcome.errors == "")
  }

  @Test("standard output that cannot be written is an error")
  func closedOutput() throws {
    let program = try Program(["graph.lua": graph("t.integer", "return 7")])
    let closed = try program.shell("$chainrun graph.lua >&-")
    #expect(closed.errors == "chainrun: standard output cannot be written: Bad file descriptor\n")
    #expect(closed.status == 1)
    let full = try program.shell("$chainrun graph.lua >/dev/full")
    #expect(full.errors == "chainrun: standard output cannot be written: No space left on device\n")
    #expect(full.status == 1)
  }

  @Test("standard input and standard error may be closed")
  func closedOthers() throws {
    let program = try Program(["graph.lua": graph("t.integer", "print 'x' return 7")])
    let outcome = try program.shell("$chainrun graph.lua <&- 2>&-")
    #expect(outcome.output == "7\n")
    #expect(outcome.status == 0)
    let input = try program.shell("$chainrun graph.lua --input - <&-")
    #expect(input.errors.contains("standard input cannot be read"))
    #expect(input.status == 1)
  }
}
