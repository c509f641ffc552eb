// A program of its own that runs a chain, with a primitive and a native object that the chain uses.
import ChainHost

/// A native object with a life of its own.
final class Thermometer: Sendable {
  let room: String
  init(room: String) { self.room = room }
  func read() async throws -> Double { room == "attic" ? 31.5 : 19 }
  func close() { print("closed the thermometer of the \(room)") }
}

/// What `{ … }` takes in `uses`.
struct ThermometerOptions: ChainRecord {
  var room: String
}

let sensors = PrimitiveModule("sensors") {
  Primitive("fahrenheit", doc: "Degrees Celsius in degrees Fahrenheit.", parameters: ["celsius"]) { (celsius: Double) in
    celsius * 9 / 5 + 32
  }
  ResourceType(
    "thermometer", doc: "A room's thermometer.", options: ThermometerOptions.self,
    open: { options in Thermometer(room: options.room) },
    close: { thermometer in thermometer.close() }
  )
  .method("read", doc: "Degrees Celsius, now.") { (thermometer: Thermometer) async throws -> Double in
    try await thermometer.read()
  }
  .stream("readings", parameters: ["count"]) { (thermometer: Thermometer, count: Int) -> AsyncThrowingStream<Double, any Error> in
    AsyncThrowingStream { feed in
      Task {
        for _ in 0..<count { feed.yield(try await thermometer.read()) }
        feed.finish()
      }
    }
  }
}

let graph = """
  local chain = require "chain"
  local t = chain.types
  local sensors = require "sensors"

  local Attic = chain.chainlet "Attic" {
    output = t.string,
    uses   = { thermometer = sensors.thermometer { room = "attic" } },
  }

  function Attic:run()
    local sum = 0
    for celsius in self.thermometer:readings(4) do sum = sum + celsius end
    return string.format("%.1f degrees Fahrenheit on average", sensors.fahrenheit(sum / 4))
  end

  return Attic
  """

let host = ChainHost()
host.add(sensors)
let chain = try await host.load(files: ["graph.lua": graph])
let answer = try await chain.run([:])
if case .string(let text) = answer { print(text) }
await host.shutdown()
