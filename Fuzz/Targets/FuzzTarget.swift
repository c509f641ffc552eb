/// What is fuzzed: takes any bytes, and throws when something is wrong with what they lead to.
public struct FuzzTarget: Sendable {
  public let name: String
  public let run: @Sendable ([UInt8]) throws -> Void

  public static let all = [
    FuzzTarget(name: "json") { try fuzzJSON($0) }, FuzzTarget(name: "copy") { try fuzzCopy($0) },
    FuzzTarget(name: "pattern") { try fuzzPattern($0) }, FuzzTarget(name: "tensor") { try fuzzTensor($0) },
  ]
}

/// Something that must not be.
struct Finding: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
