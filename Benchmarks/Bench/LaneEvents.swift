import ChainHost
import Foundation
import Synchronization

/// The longest event of a lane while something large goes on there: how long another request could not run.
func laneEvents(_ bench: Bench) async throws {
  for (name, work) in LargeValues.requests {
    try await bench.measure("limits-lane-event-\(name)", unit: "ms", limit: 10, rounds: 3) {
      try await longestEvent { _, chain in try await work(chain) }
    }
  }
  try await bench.measure("limits-lane-event-close", unit: "ms", limit: 10, rounds: 3) {
    try await longestEvent(beside: LargeValues.full) { full, _ in
      await full?.close()
      try await Task.sleep(for: .milliseconds(200)) // a worker ends its state
    }
  }
}

/// Milliseconds of the longest event while `work` goes on, on a lane of its own. `beside`: another graph on that lane.
private func longestEvent(
  beside graph: String? = nil, _ work: @escaping @Sendable (_ other: Chain?, Chain) async throws -> Void
) async throws -> Double {
  let host = ChainHost()
  let isBegun = Atomic(false), isOver = Atomic(false)
  host.add(
    PrimitiveModule("lane") {
      Primitive("now") { () -> Double in
        isBegun.store(true, ordering: .relaxed)
        return Double(DispatchTime.now().uptimeNanoseconds) / 1e6
      }
      Primitive("isOver") { () -> Bool in isOver.load(ordering: .relaxed) }
    })
  do {
    let chain = try await host.load(files: ["graph.lua": LargeValues.graph])
    var other: Chain?
    if let graph { other = try await host.load(files: ["graph.lua": graph]) }
    async let longest = chain.run([:], .init(entry: "watch"))
    while !isBegun.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(1)) }
    defer { isOver.store(true, ordering: .relaxed) }
    try await work(other, chain)
    isOver.store(true, ordering: .relaxed)
    guard case .number(let milliseconds) = try await longest else { throw BenchFailure("the watch gave no number") }
    await host.shutdown()
    return milliseconds
  } catch {
    await host.shutdown()
    throw error
  }
}

/// Values of 16 MB near the default limit of 200,000 values, what takes and gives them, and a chainlet that watches its lane.
private enum LargeValues {
  static let count = 33_000
  private static let name = String(repeating: "n", count: 430)

  static let records: [UInt8] = {
    let items = (1...count).map { #"{"id":\#($0),"name":"\#(name)\#($0)","score":\#(Double($0) / 7),"active":true}"# }
    return Array(#"{"records":[\#(items.joined(separator: ","))]}"#.utf8)
  }()

  static let text = Array(#"{"text":""#.utf8) + [UInt8](repeating: 0x61, count: 16_000_000) + Array(#""}"#.utf8)

  /// Texts that each take nearly as many steps as one may take.
  static let slow = ChainValue.list([ChainValue](repeating: .string(String(repeating: "a", count: 48) + "xb"), count: 60))

  /// As base64 16 MB, too.
  private static let byteCount = 12_000_000
  static let bytes = Array(#"{"data":""#.utf8) + [UInt8](repeating: 0x61, count: byteCount / 3 * 4) + Array(#""}"#.utf8)

  static let graph = """
    local chain = require "chain"
    local json = require "json"
    local lane = require "lane"
    local t = chain.types
    local Records = t.list { id = t.integer, name = t.string, score = t.number, active = t.boolean }
    local limits = { memory = "256MB" }
    local function make_records()
      local name, records = ("n"):rep(430), {}
      for id = 1, \(count) do records[id] = { id = id, name = name .. id, score = id / 7, active = true } end
      return records
    end

    local Watch = chain.chainlet "Watch" { output = t.number }
    function Watch:run()
      local longest, last = 0.0, lane.now()
      while not lane.isOver() do
        chain.sleep(0)
        local now = lane.now()
        if now - last > longest then longest = now - last end
        last = now
      end
      return longest
    end

    local Take = chain.chainlet "Take" { input = { records = Records }, output = t.integer, limits = limits }
    function Take:run(req) return #req.records end

    local Text = chain.chainlet "Text" { input = { text = t.string }, output = t.integer, limits = limits }
    function Text:run(req) return #req.text end

    local Bytes = chain.chainlet "Bytes" { input = { data = t.bytes }, output = t.integer, limits = limits }
    function Bytes:run(req) return #req.data end

    local GiveBytes = chain.chainlet "GiveBytes" { output = t.bytes, limits = limits }
    function GiveBytes:init() self.data = ("data"):rep(\(byteCount / 4)) end
    function GiveBytes:run() return self.data end

    local Give = chain.chainlet "Give" { output = { records = Records }, limits = limits }
    function Give:init() self.records = make_records() end
    function Give:run() return { records = self.records } end

    local Pass = chain.chainlet "Pass" {
      output = t.integer, needs = { give = Give, take = Take }, limits = limits,
    }
    function Pass:run() return self.take(self.give()) end

    local Items = chain.chainlet "Items" { output = t.stream(Records, Records), limits = limits }
    function Items:init() self.records = make_records() end
    function Items:run(_, emit)
      emit(self.records)
      return self.records
    end

    local Read = chain.chainlet "Read" { input = { items = t.stream(Records) }, output = t.integer, limits = limits }
    function Read:run(req)
      local count = 0
      for records in req.items do count = count + #records end
      return count
    end

    local Hand = chain.chainlet "Hand" { output = t.integer, needs = { items = Items, read = Read }, limits = limits }
    function Hand:run()
      local result = self.items():result()
      return #result + self.read { items = self.items() }
    end

    local Wrong = chain.chainlet "Wrong" { output = t.string, needs = { take = Take }, limits = limits }
    function Wrong:init()
      self.records = make_records()
      self.records[#self.records].id = "x"
    end
    function Wrong:run()
      local _, failure = pcall(self.take, { records = self.records })
      return failure.message
    end

    local Script = chain.chainlet "Script" { output = t.integer, limits = limits }
    function Script:init() self.records = table.move(make_records(), 1, \(count / 2), 1, {}) end
    function Script:run() return #json.decode(json.encode(self.records)) end

    local Slow = chain.chainlet "Slow" { input = { words = t.list(t.string { pattern = "a*a*a*b" }) }, output = t.integer }
    function Slow:run(req) return #req.words end

    return { watch = Watch, take = Take, text = Text, bytes = Bytes, give = Give, give_bytes = GiveBytes, pass = Pass, items = Items, read = Read,
      hand = Hand, wrong = Wrong, script = Script, slow = Slow }
    """

  /// A state of nearly 64 MB, of small tables.
  static let full = """
    local chain = require "chain"
    local Full = chain.chainlet "Full" { limits = { memory = "80MB" } }
    function Full:init()
      self.all = {}
      for i = 1, 700000 do self.all[i] = { i } end
    end
    function Full:run() end
    return Full
    """

  static let requests: [(name: String, work: @Sendable (Chain) async throws -> Void)] = [
    ("json-in", { chain in _ = try await chain.run(json: records, .init(entry: "take")) }),
    ("text-in", { chain in _ = try await chain.run(json: text, .init(entry: "text")) }),
    ("bytes-in", { chain in _ = try await chain.run(json: bytes, .init(entry: "bytes")) }),
    (
      "bytes-out",
      { chain in
        let answer = try await chain.run(json: [], .init(entry: "give_bytes"))
        guard answer.count == byteCount / 3 * 4 + 2 else { throw BenchFailure("the answer has \(answer.count) bytes") }
      }
    ),
    (
      "json-out",
      { chain in
        let answer = try await chain.run(json: [], .init(entry: "give"))
        guard answer.count > 15 << 20 else { throw BenchFailure("the answer has \(answer.count) bytes") }
      }
    ),
    (
      "item-in",
      { chain in
        guard case .record(let fields) = try ChainValue(json: records) else { throw BenchFailure("no records") }
        let items = AsyncStream<[UInt8]> { continuation in
          continuation.yield(fields[0].value.json)
          continuation.finish()
        }
        _ = try await chain.run(json: Array("{}".utf8), .init(entry: "read", feed: ChainFeed(json: items)))
      }
    ),
    (
      "item-out",
      { chain in
        for try await item in try chain.stream(json: [], .init(entry: "items")) {
          guard case .json(let text) = item, text.count > 15 << 20 else { throw BenchFailure("the item is small") }
        }
      }
    ),
    ("item-crossing", { chain in _ = try await chain.run([:], .init(entry: "hand")) }),
    ("script-json", { chain in _ = try await chain.run([:], .init(entry: "script")) }),
    ("wrong", { chain in _ = try await chain.run([:], .init(entry: "wrong")) }),
    ("pattern", { chain in _ = try await chain.run(["words": slow], .init(entry: "slow")) }),
    ("crossing", { chain in _ = try await chain.run([:], .init(entry: "pass")) }),
  ]
}
