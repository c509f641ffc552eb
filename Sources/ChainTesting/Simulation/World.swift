/// All that a seed decides: a graph, its clients, and what befalls them.
struct World: Sendable {
  var source = ""
  /// A second graph on the same host, where a property wants two versions at once.
  var other: String?
  /// Files beside `graph.lua`: if there are any, all are on the disk, and what befalls them there after the load.
  var files: [String: String] = [:]
  var edits: [Edit] = []
  var clients: [Client] = []
  var lanes = 1
  var faults = Faults.none
  var instructionsPerSlice: Int32 = 1_000
  var eventLimit = 600_000
  /// Virtual nanoseconds after which the host is shut down, while clients still ask.
  var shutdownAfter: UInt64?
  /// How often the innermost call that asks for retries may try.
  var attempts = 1
  /// Rounds in which the same clients come again.
  var rounds = 1
}

/// One change on the disk.
struct Edit: Sendable {
  /// Virtual nanoseconds after the beginning.
  var time: UInt64
  var path: String
  /// nil: the file is removed.
  var text: String?
}

/// Someone who asks once.
struct Client: Sendable {
  var id: Int
  var entry: String
  /// Whether the entrypoint streams.
  var streams = false
  var usesJSON = false
  /// Virtual nanoseconds after the beginning.
  var start: UInt64 = 0
  var timeout: UInt64?
  var cancelAfter: UInt64?
  /// Of a stream: stops reading after so many items.
  var reads: Int?
  /// Of a stream: waits so long before each item.
  var pause: UInt64 = 0
  /// Runs into a limit.
  var isKiller = false
  /// Asks the second graph.
  var asksOther = false
}

extension World: CustomStringConvertible {
  var description: String {
    var text = "\(lanes) lanes, slices of \(instructionsPerSlice) instructions, \(faults)"
    if let shutdownAfter { text += ", shutdown after \(shutdownAfter) ns" }
    for client in clients.prefix(20) { text += "\n\(client)" }
    if clients.count > 20 { text += "\n… \(clients.count) clients" }
    for edit in edits { text += "\n\(edit)" }
    for (path, source) in files.sorted(by: { $0.key < $1.key }) { text += "\n-- \(path)\n\(source)" }
    return text + "\n\(source)"
  }
}

extension Client {
  /// A client that may give up in several ways.
  static func drawn(_ id: Int, _ chance: inout SeededGenerator, entries: [Plan]) -> Client {
    let plan = entries[Int(chance.below(UInt64(entries.count)))]
    var client = Client(id: id, entry: plan.entry, streams: plan.kind == .writer)
    client.usesJSON = chance.happens(perThousand: 300)
    client.start = chance.below(30_000_000)
    // Nobody waits for ever: a drawn program may well take hours of its time.
    client.timeout = chance.happens(perThousand: 250) ? chance.within(1...80_000_000) : 1_500_000_000
    if chance.happens(perThousand: 300) { client.cancelAfter = chance.below(60_000_000) }
    if chance.happens(perThousand: 400) { client.reads = Int(chance.below(12)) }
    if chance.happens(perThousand: 300) { client.pause = chance.below(5_000_000) }
    return client
  }
}
