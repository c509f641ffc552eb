import ChainBase
import ChainHost
import Testing

private func graph(_ limits: String) -> [String: String] {
  ["graph.lua": """
    local chain = require "chain"
    local t = chain.types
    local Main = chain.chainlet "Main" {
      input = { what = t.string }, output = t.any,
      \(limits)
    }
    function Main:run(req)
      if req.what == "fill" then local list = {} while true do list[#list + 1] = {} end end
      if req.what == "spin" then while true do end end
      if req.what == "wait" then chain.sleep(60) end
      if req.what == "long" then return ("x"):rep(5000) end
      if req.what == "many" then local list = {} for i = 1, 600 do list[i] = i end return list end
      return true
    end
    return Main
    """]
}

private func bounds(_ set: (inout OperatorLimits) -> Void) -> LoadOptions {
  var options = LoadOptions()
  set(&options.limits)
  return options
}

@Suite("The operator's limits")
struct OperatorLimitsTests {
  @Test("a chainlet that asks for more is refused with what it asks for and what is allowed", arguments: [
    ("memory = '65MB'", "limits.memory: asks for 65 MB, and the operator of this host allows 64 MB"),
    ("cpu = 3", "limits.cpu: asks for 3 s, and the operator of this host allows 2 s"),
    ("time = 31", "limits.time: asks for 31 s, and the operator of this host allows 30 s"),
    ("depth = 9", "limits.depth: asks for 9, and the operator of this host allows 8"),
    ("output = '2MB'", "limits.output: asks for 2 MB, and the operator of this host allows 1 MB"),
    ("nodes = 501", "limits.nodes: asks for 501, and the operator of this host allows 500"),
    ("coroutines = 101", "limits.coroutines: asks for 101, and the operator of this host allows 100"),
    ("tasks = 51", "limits.tasks: asks for 51, and the operator of this host allows 50"),
    ("source = '2MB'", "limits.source: asks for 2 MB, and the operator of this host allows 1 MB"),
  ])
  func refused(limits: String, message: String) async throws {
    var all = OperatorLimits()
    for (name, value) in [
      ("memory", "64MB"), ("cpu", "2"), ("time", "30"), ("depth", "8"), ("output", "1MB"), ("nodes", "500"), ("coroutines", "100"),
      ("tasks", "50"), ("source", "1MB"),
    ] { try all.set(name, to: value) }
    let host = ChainHost()
    do {
      _ = try await host.load(files: graph("limits = { \(limits) },"), bounds { $0 = all })
      Issue.record("it was loaded")
    } catch {
      #expect(error.code == Failure.Code.invalidGraph)
      #expect(error.message.hasPrefix("graph.lua:5: Main.\(message)"), "\(error.message)")
    }
    // Up to the bound everybody may ask, and who asks for nothing gets no more.
    let exact = "limits = { memory = '64MB', cpu = 2, time = 30, depth = 8, output = '1MB', nodes = 500, coroutines = 100, tasks = 50 },"
    #expect(try await host.load(files: graph(exact), bounds { $0 = all }).run(["what": ""]) == true)
    #expect(try await host.load(files: graph(""), bounds { $0 = all }).run(["what": ""]) == true)
    await host.shutdown()
  }

  @Test("a default beyond a bound is the bound, and its errors name that", arguments: [
    ("fill", "memory_limit", "its limit of 1 MB (limits.memory)"), ("spin", "cpu_limit", "its limit of 0.05 s (limits.cpu)"),
    ("wait", "timeout", "within 0.1 s (limits.time)"), ("long", "output_limit", "more than 1000 bytes"),
    ("many", "output_limit", "more than 500 values"),
  ])
  func lowered(what: String, code: String, text: String) async throws {
    let host = ChainHost()
    let chain = try await host.load(files: graph(""), bounds {
      $0.memory = 1 << 20
      if what == "spin" { $0.cpu = 0.05 }
      if what == "wait" { $0.time = 0.1 }
      $0.output = 1_000
      $0.nodes = 500
    })
    do {
      _ = try await chain.run(["what": .string(what)])
      Issue.record("it was not limited")
    } catch {
      #expect(error.code == code)
      #expect(error.message.contains(text), "\(error.message)")
    }
    await host.shutdown()
  }

  @Test("a store that may hold more than one may, or than all may together, is refused at its place", arguments: [
    ("", "s = chain.store { max_bytes = 1 << 50 }", "s.max_bytes: asks for 1048576 GB, and the operator of this host allows a store 1 GB"),
    (
      "store=1MB", "s = chain.store { max_bytes = 3145728 }",
      "s.max_bytes: asks for 3 MB, and the operator of this host allows a store 1 MB"
    ),
    ("store=1MB", "s = chain.store { max_bytes = 1048576 }", nil), ("store=1MB", "s = chain.store {}", nil),
    ("store=2GB", "s = chain.store { max_bytes = 1 << 31 }", nil),
    (
      "stores=100MB", "a = chain.store { name = 'a' }, b = chain.store { name = 'b' }, c = chain.store { name = 'c' }",
      "b: with this one the stores of the graph may hold 128 MB, and the operator of this host allows 100 MB"
    ),
    ("stores=100MB", "a = chain.store {}, b = chain.store {}, c = chain.store { max_bytes = 30000000 }", nil),
  ])
  func stores(limit: String, uses: String, problem: String?) throws {
    var options = LoadOptions()
    let words = limit.split(separator: "=").map(String.init)
    if words.count == 2 { try options.limits.set(words[0], to: words[1]) }
    let problems = ChainHost.check(files: graph("uses = { \(uses) },"), options).problems.map(\.description)
    guard let problem else {
      #expect(problems.isEmpty)
      return
    }
    #expect(problems.count == 1 && problems[0].contains("Main.uses.\(problem)"), "\(problems)")
  }

  @Test("a store that does not say what it may hold has the bound where its default is more")
  func loweredStore() async throws {
    let host = ChainHost()
    let files = ["graph.lua": """
      local chain = require "chain"
      local t = chain.types
      local Main = chain.chainlet "Main" { output = t.any, uses = { s = chain.store {} } }
      function Main:run()
        for i = 1, 20 do self.s:set("key" .. i, ("x"):rep(100000)) end
        local left = 0
        for i = 1, 20 do if self.s:get("key" .. i) then left = left + 1 end end
        return left
      end
      return Main
      """]
    #expect(try await host.load(files: files, bounds { $0.store = 1 << 20 }).run([:]) == 10)
    #expect(try await host.load(files: files).run([:]) == 20)
    await host.shutdown()
  }

  @Test("a bound that is none is refused by name", arguments: [
    ("memry", "1MB", "there is no limit 'memry'; did you mean 'memory'?"), ("memory", "much", "the limit 'memory' must be a number of bytes"),
    ("memory", "64TB", "the limit 'memory' must be a number of bytes or a text like 64MB (KB, MB or GB, at most 1048576 GB), got '64TB'"),
    ("cpu", "-1", "the limit 'cpu' must be a number of seconds above 0"), ("depth", "0", "the limit 'depth' must be an integer of at least 1"),
  ])
  func wrong(name: String, value: String, message: String) {
    var limits = OperatorLimits()
    do throws(Failure) {
      try limits.set(name, to: value)
      Issue.record("it was taken")
    } catch { #expect(error.message.hasPrefix(message), "\(error.message)") }
    #expect(limits == OperatorLimits())
  }

  @Test("a limit that is no number is told once: nobody asked for the default that stands in its place")
  func refusedValue() {
    let report = ChainHost.check(files: graph("limits = { cpu = { 1 } },"), bounds { $0.cpu = 3 })
    #expect(report.problems.map(\.message) == ["cpu must be a number of seconds above 0, got a table"])
  }

  @Test("a bound of one byte is told in good English")
  func oneByte() {
    let report = ChainHost.check(files: graph("limits = { output = 2 },"), bounds { $0.output = 1 })
    #expect(report.problems.map(\.message) == ["asks for 2 bytes, and the operator of this host allows 1 byte"])
  }

  @Test("ChainHost.check tells the same as load")
  func check() throws {
    let files = graph("limits = { memory = '1GB' },")
    let report = ChainHost.check(files: files, bounds { $0.memory = 1 << 20 })
    #expect(report.graph == nil)
    #expect(report.problems.count == 1)
    #expect(report.problems.first?.place?.line == 5)
    #expect(ChainHost.check(files: files).graph != nil)
  }
}
