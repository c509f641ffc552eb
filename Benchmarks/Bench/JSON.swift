import ChainHost

/// One megabyte of JSON records in and out through a chainlet that gives back what it gets: decoded into Lua tables,
/// checked, and encoded, beside `loads` and `dumps` of Python's orjson. Nanoseconds of one request.
let json = Benchmark("json", needsPython: true) { bench in
  let source = """
    local chain = require "chain"
    local t = chain.types
    local Records = t.list { id = t.integer, name = t.string, score = t.number, active = t.boolean, tags = t.list(t.string) }
    local Same = chain.chainlet "Same" { input = { records = Records }, output = { records = Records } }
    function Same:run(req) return req end
    return Same
    """
  let text = records(bytes: 1 << 20)
  let path = try Scratch.file("records.json", text)
  let peer = try Peer("json_round_trip.py", [path])
  let requests = 10
  try await withChain(source) { chain in
    let answer = try await chain.run(json: text)
    guard answer.count > text.count * 9 / 10 else { throw BenchFailure("the answer has \(answer.count) bytes") }
    try await bench.compare(
      Comparison(
        name: "json", unit: "ns", limit: .ratio(2),
        floor: { try peer.measure(requests) },
        ours: {
          try await nanoseconds { for _ in 0..<requests { _ = try await chain.run(json: text) } } / Double(requests)
        }))
  }
}

private func records(bytes: Int) -> [UInt8] {
  var text = #"{"records":["#
  var id = 0
  while text.utf8.count < bytes {
    if id > 0 { text += "," }
    id += 1
    text += #"{"id":\#(id),"name":"record number \#(id)","score":\#(Double(id) / 7),"active":\#(id % 3 == 0),"#
    text += #""tags":["red","green","blue"]}"#
  }
  return Array((text + "]}").utf8)
}
