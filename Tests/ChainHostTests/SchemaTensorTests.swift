import ChainBase
import ChainHost
import ChainTensors
import LuaBridge
import Testing

@Suite("Tensors in messages") struct SchemaTensorTests {
  static func type(_ element: String, _ dimensions: ChainType.Dimension...) -> ChainType {
    ChainType(.tensor(element: element, dimensions: dimensions))
  }

  static func floats(_ shape: [Int]) throws -> Tensor {
    try Tensor((0..<shape.reduce(1, *)).map(Float.init), shape: shape)
  }

  /// Crosses `{ a = a, b = b }` from state to state; "" when it fits.
  private func refusal(_ type: ChainType, _ a: Tensor, _ b: Tensor? = nil) throws -> String {
    let bridge = try SchemaBridge(type)
    try bridge.first.set("a", to: a)
    try bridge.first.set("b", to: b)
    return try bridge.cross(b == nil ? "a" : "{ a = a, b = b }")?.message ?? ""
  }

  @Test("a tensor crosses from state to state by reference, and counts once in each")
  func byReference() throws {
    let tensor = try Self.floats([256, 256])
    let bridge = try SchemaBridge(.record(["a": Self.type("float32", .named("n"), .fixed(256)), "any": .any]))
    try bridge.first.set("a", to: tensor)
    let before = bridge.second.memoryUsed
    #expect(try bridge.cross("{ a = a, any = { deep = { a } } }") == nil)
    let added = bridge.second.memoryUsed - before
    #expect((262_144..<290_000).contains(added), "\(added)")
    let crossed: Tensor = try bridge.ask("it.a")
    #expect(crossed === tensor)
    let deep: Tensor = try bridge.ask("it.any.deep[1]")
    #expect(deep === tensor)
    try bridge.second.run("local it = it; it.a = nil; it.any = nil", name: "drop")
    bridge.second.collectGarbage()
    #expect(bridge.second.memoryUsed - before < 25_000)
  }

  @Test("elements, number of dimensions and fixed sizes are checked")
  func shapes() throws {
    let type = Self.type("float32", .named("n"), .fixed(3))
    #expect(try refusal(type, Self.floats([5, 3])) == "")
    #expect(try refusal(type, Self.floats([0, 3])) == "")
    let expected = "Test.input: expected tensor float32[n, 3], got tensor"
    #expect(try refusal(type, Self.floats([5, 4])) == "\(expected) float32 5x4")
    #expect(try refusal(type, Self.floats([3])) == "\(expected) float32 3")
    #expect(try refusal(type, Tensor([1, 2, 3] as [Int64], shape: [1, 3])) == "\(expected) int64 1x3")
    #expect(try SchemaBridge.refusal(type, "{ 1 }") == "Test.input: expected tensor float32[n, 3], got table")
    #expect(try SchemaBridge.refusal(type, "blob") == "Test.input: expected tensor float32[n, 3], got userdata")
    #expect(try SchemaBridge.refusal(.list(type), "{ blob }") == "Test.input[1]: expected tensor float32[n, 3], got userdata")
  }

  @Test("dimensions of one name agree within one message, not from message to message")
  func names() throws {
    let type = ChainType.record(["a": Self.type("float32", .named("n"), .named("m")), "b": Self.type("float32", .named("n"))])
    #expect(try refusal(type, Self.floats([2, 3]), Self.floats([2])) == "")
    let expected = "Test.input.b: expected tensor float32[n], got tensor float32 3: 'n' is 3 here and 2 elsewhere in the same message"
    #expect(try refusal(type, Self.floats([2, 3]), Self.floats([3])) == expected)
    let square = Self.type("float32", .named("n"), .named("n"))
    #expect(try refusal(square, Self.floats([3, 3])) == "")
    #expect(try refusal(square, Self.floats([2, 3])) == "Test.input: expected tensor float32[n, n], got tensor float32 2x3: 'n' is 3 here and 2 in the same tensor")
    let bridge = try SchemaBridge(square)
    for size in [2, 3] {
      try bridge.first.set("a", to: Self.floats([size, size]))
      #expect(try bridge.cross("a") == nil)
    }
    #expect(try bridge.read("[[1]]") == nil)
    #expect(try bridge.read("[[1, 2], [3, 4]]") == nil)
  }

  @Test("a member of a union that does not fit leaves no sizes behind")
  func unions() throws {
    let pair = ChainType.record(["a": Self.type("float32", .named("n")), "b": Self.type("int64", .named("n"))])
    let other = ChainType.record(["a": Self.type("float32", .named("m")), "b": Self.type("float32", .named("n"))])
    #expect(try refusal(.union(pair, other), Self.floats([2]), Self.floats([3])) == "")
    let bridge = try SchemaBridge(.union(pair, other))
    #expect(try bridge.read("{ \"a\": [1, 2], \"b\": [0.5, 1, 2] }") == nil)
    #expect(try bridge.ask("tostring(it.b)") == "tensor float32 3")
  }

  @Test("JSON has the bytes, the element type and the shape, both ways")
  func json() throws {
    let bridge = try SchemaBridge(Self.type("float32", .named("n"), .fixed(2)))
    try bridge.first.set("a", to: Tensor([1, -2, 0.5, 3] as [Float], shape: [2, 2]))
    let text = "{\"data_b64\":\"AACAPwAAAMAAAAA/AABAQA==\",\"dtype\":\"float32\",\"shape\":[2,2]}"
    #expect(try bridge.write("a").get() == text)
    #expect(try SchemaBridge.echo(Self.type("float32", .named("n"), .fixed(2)), text) == text)
    #expect(try SchemaBridge.echo(.union(.string, Self.type("float32", .named("n"), .fixed(2))), text) == text)
    let mixed = "{ \"shape\": [2, 2] , \"dtype\" : \"float32\", \"data_b64\": \"AACAPwAAAMAAAAA/AABAQA==\" }"
    #expect(try SchemaBridge.echo(Self.type("float32", .named("n"), .fixed(2)), mixed) == text)
    try bridge.first.set("a", to: Tensor([1, -2, 0.5, 3] as [Float], shape: [2, 2]).transposed())
    #expect(try bridge.write("a").get() == "{\"data_b64\":\"AACAPwAAAD8AAADAAABAQA==\",\"dtype\":\"float32\",\"shape\":[2,2]}")
    let any = try SchemaBridge(.any)
    try any.first.set("a", to: Tensor([true, false]))
    #expect(try any.write("{ a }").get() == "[{\"data_b64\":\"AQA=\",\"dtype\":\"bool\",\"shape\":[2]}]")
  }

  @Test("nested lists are read as tensors", arguments: [
    ("float32", "[[1, 2.5, -3e2], [4, 5, 6]]", "1.0 2.5 -300.0 4.0 5.0 6.0"), ("int8", "[[1], [-128]]", "1 -128"),
    ("uint64", "[[9223372036854775807]]", "9223372036854775807"), ("bool", "[[true, false]]", "true false"),
    ("float64", "[[\"NaN\", \"Infinity\", 0.1]]", "nan inf 0.1"), ("int32", "[]", ""), ("int64", "[[2.0]]", "2"),
  ])
  func nested(element: String, json: String, expected: String) throws {
    let bridge = try SchemaBridge(Self.type(element, .named("n"), .named("m")))
    #expect(try bridge.read(json) == nil)
    let tensor: Tensor = try bridge.ask("it")
    #expect(tensor.dtype.rawValue == element && tensor.rank == 2)
    let texts: [String] = switch tensor.dtype {
    case .float32: try tensor.array(of: Float.self).map { "\($0)" }
    case .float64: try tensor.array(of: Double.self).map { "\($0)" }
    case .int8: try tensor.array(of: Int8.self).map { "\($0)" }
    case .int32: try tensor.array(of: Int32.self).map { "\($0)" }
    case .int64: try tensor.array(of: Int64.self).map { "\($0)" }
    case .uint64: try tensor.array(of: UInt64.self).map { "\($0)" }
    default: try tensor.array(of: Bool.self).map { "\($0)" }
    }
    #expect(texts.joined(separator: " ") == expected)
  }

  @Test("what is no such tensor is refused by its place", arguments: [
    ("[[1, 2], [3]]", "[2]: expected 2 items, as in the lists before, got 1"),
    ("[[1, 2], 3]", "[2]: expected list, got integer (3)"),
    ("[[1, [2]]]", "[1][2]: expected int8, got list"),
    ("[[1, 300]]", "[1][2]: expected int8, got integer (300)"),
    ("[[1, 1.5]]", "[1][2]: expected int8, got number (1.5)"),
    ("[[1, \"x\"]]", "[1][2]: expected int8, got string (\"x\")"),
    ("7", ": expected tensor int8[n, 2], got integer (7)"),
    ("\"7\"", ": expected tensor int8[n, 2], got string (\"7\")"),
    ("[[1, 2, 3]]", ": expected tensor int8[n, 2], got tensor int8 1x3"),
    ("[[1, 2,]]", ": not valid JSON at line 1, column 8: expected a value, got ']'"),
    ("[[1, 2", ": not valid JSON at line 1, column 7: expected ',' or ']', got the end of the text"),
    ("{\"data_b64\":\"AQI=\",\"dtype\":\"int8\",\"shape\":[1,3]}", ": int8 1x3 has 3 bytes, got 2"),
    ("{\"data_b64\":\"AQI=\",\"dtype\":\"int9\",\"shape\":[1,2]}", ".dtype: expected one of float16, float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool, got string (\"int9\")"),
    ("{\"data_b64\":\"AQI=\",\"dtype\":\"uint8\",\"shape\":[1,2]}", ": expected tensor int8[n, 2], got tensor uint8 1x2"),
    ("{\"data_b64\":\"AQI\",\"dtype\":\"int8\",\"shape\":[1,2]}", ".data_b64: expected bytes as base64, got string (\"AQI\")"),
    ("{\"data_b64\":\"AQI=\",\"dtype\":\"int8\",\"shape\":[1,-2]}", ".shape: expected a size, at most 16 of them, got integer (-2)"),
    ("{\"data_b64\":\"AQI=\",\"dtype\":\"int8\",\"shape\":[9223372036854775807,9223372036854775807]}", ": 9223372036854775807x9223372036854775807 is too large for a tensor"),
    ("{\"data_b64\":\"AQI=\",\"dtype\":\"int8\"}", ": a tensor needs the fields data_b64, dtype and shape; shape is missing"),
    ("{\"data_b64\":\"AQI=\",\"dtyp\":\"int8\"}", ".dtyp: unknown field; did you mean 'dtype'?"),
  ])
  func refusals(json: String, expected: String) throws {
    #expect(try SchemaBridge.refusal(Self.type("int8", .named("n"), .fixed(2)), json: json) == "Test.input\(expected)")
  }

  @Test("the bytes of tensors count toward the size of a message in JSON")
  func sizes() throws {
    let bridge = try SchemaBridge(Self.type("float32", .named("n")))
    bridge.limits.bytes = 1000
    try bridge.first.set("a", to: Self.floats([251]))
    guard case .failure(let mismatch) = try bridge.write("a") else { return #expect(Bool(false), "it was written") }
    #expect(mismatch.message == "Test.output: too large: more than 1000 bytes of text in all")
    let list = "[" + [String](repeating: "1", count: 251).joined(separator: ",") + "]"
    #expect(try bridge.read(list)?.message == "Test.input: too large: more than 1000 bytes of text in all")
  }

  @Test("a tensor goes into a chain and comes out of it by reference")
  func throughChain() async throws {
    try await withChain("""
      local chain = require "chain"
      local t = chain.types
      local Inner = chain.chainlet "Inner" { input = { x = t.tensor("float32", { "n", 2 }) }, output = t.tensor("float32", { "n", 2 }) }
      function Inner:run(req) return req.x end
      local Outer = chain.chainlet "Outer" {
        input = { x = t.tensor("float32", { "n", 2 }) }, output = { x = t.tensor("float32", { "m", 2 }) }, needs = { inner = Inner } }
      function Outer:run(req) return { x = self.inner { x = req.x } } end
      return Outer
      """
    ) { (chain: Chain) async throws -> Void in
      let tensor = try Self.floats([3, 2])
      let reply = try await chain.run(["x": .tensor(tensor)])
      #expect(reply["x"]?.tensor === tensor)
      let nested = try await chain.run(["x": [[1, 2], [3.5, 4]]])
      #expect(try nested["x"]?.tensor?.array() == [1, 2, 3.5, 4] as [Float])
      let text = try await chain.run(json: Array("{\"x\":[[1,2]]}".utf8))
      #expect(String(decoding: text, as: UTF8.self) == "{\"x\":{\"data_b64\":\"AACAPwAAAEA=\",\"dtype\":\"float32\",\"shape\":[1,2]}}")
      do {
        _ = try await chain.run(["x": .tensor(try Self.floats([3, 3]))])
        #expect(Bool(false), "it was taken")
      } catch {
        #expect((error as? Failure)?.message == "Outer.input.x: expected tensor float32[n, 2], got tensor float32 3x3")
      }
    }
  }
}
