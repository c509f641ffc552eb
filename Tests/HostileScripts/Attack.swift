import ChainBase
import ChainHost
import Foundation

/// A file of Tests/Hostile: the body of a method, below comments that say how it must end and under which limits it runs.
package struct Attack: Sendable {
  package let name: String
  /// `ends: CODE`, `returns: JSON` or `error: PART OF THE MESSAGE`.
  package let ending: String
  private let limits: String
  private let body: String

  package static let all: [Attack] = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Hostile")
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    return files.filter { $0.pathExtension == "lua" }.sorted { $0.path < $1.path }.compactMap(Attack.init)
  }()

  private init?(_ file: URL) {
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return nil }
    let lines = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    guard lines.count == 3, lines[0].hasPrefix("-- ") else { return nil }
    name = file.deletingPathExtension().lastPathComponent
    ending = String(lines[0].dropFirst(3))
    limits = lines[1].hasPrefix("-- limits: ") ? String(lines[1].dropFirst(11)) : ""
    body = text
  }

  /// The attacker's chainlet, which is harmless when asked for nothing, and an honest one on the same lane.
  package var graph: String {
    // The clock of a busy machine goes on while others run: what must end in another way gets time for it.
    let cpu = ending.hasPrefix("ends: cpu_limit") ? "0.15" : "30"
    let defaults = [("cpu", cpu), ("memory", "\"16MB\"")].filter { !limits.contains($0.0 + " =") }.map { "\($0.0) = \($0.1)" }
    let all = (defaults + [limits]).filter { !$0.isEmpty }.joined(separator: ", ")
    return """
      local chain = require "chain"
      local t = chain.types
      local Attacker = chain.chainlet "Attacker" { input = { attack = t.boolean }, output = t.any, limits = { \(all) } }
      function Attacker:attack()
      \(body)
      end
      function Attacker:run(req)
        if req.attack then return self:attack() end
        return ("alive"):upper()
      end
      local Honest = chain.chainlet "Honest" { input = { n = t.integer }, output = t.integer }
      function Honest:run(req)
        local sum = 0
        for digit in tostring(req.n):gmatch("%d") do sum = sum + digit // 1 end
        return sum
      end
      return { attacker = Attacker, honest = Honest }
      """
  }

  /// Attacks: asks the attacker of the loaded graph.
  package func run(on chain: Chain) async -> Result<String, Failure> {
    do throws(Failure) {
      let output = try await chain.run(json: Array(#"{"attack":true}"#.utf8), .init(entry: "attacker"))
      return .success(String(decoding: output, as: UTF8.self))
    } catch { return .failure(error) }
  }

  /// What is wrong with how the attack ended, or nil.
  package func problem(of end: Result<String, Failure>) -> String? {
    let words = ending.split(separator: ":", maxSplits: 1).map(String.init)
    let wanted = words.count > 1 ? String(words[1].drop { $0 == " " }) : ""
    switch (words[0], end) {
    case ("ends", .failure(let failure)):
      guard failure.code == wanted else { return "must end by \(wanted), was \(failure.code): \(failure.message.prefix(300))" }
      return Self.limitCodes.contains(wanted) ? Self.missing(inLimit: failure) : nil
    case ("returns", .success(let text)):
      return text == wanted ? nil : "must return \(wanted), was \(text.prefix(300))"
    case ("error", .failure(let failure)):
      return problem(ofError: failure, wanted)
    default:
      return "must be '\(ending)', was \(end)"
    }
  }

  /// What the failure of a limit does not tell: the chainlet, the limit's name and value, and the Lua line.
  private static func missing(inLimit failure: Failure) -> String? {
    var missing: [String] = []
    if failure.chainlet == nil { missing.append("chainlet") }
    if case .string(let limit)? = failure.details["limit"] {
      if !failure.message.contains(limit) { missing.append("\(limit) in its message") }
    } else {
      missing.append("details.limit")
    }
    if failure.details["value"] == nil { missing.append("details.value") }
    if failure.trace.first?.place == nil { missing.append("line") }
    return missing.isEmpty ? nil : "must tell its \(missing.joined(separator: ", its ")): \(failure.message.prefix(300))"
  }

  private func problem(ofError failure: Failure, _ wanted: String) -> String? {
    let text = failure.message.prefix(300)
    if Self.limitCodes.contains(failure.code) { return "must be an error, was \(failure.code): \(text)" }
    if !wanted.isEmpty, !failure.message.contains(wanted) { return "the message must contain '\(wanted)': \(text)" }
    if failure.message.utf8.count >= 6000 { return "the message has \(failure.message.utf8.count) bytes: \(text)" }
    let isClean = failure.message.unicodeScalars.allSatisfy { $0.value >= 32 || $0 == "\n" || $0 == "\t" }
    return isClean ? nil : "control characters in the message: \(text)"
  }

  package static let limitCodes: Set = ["cpu_limit", "memory_limit", "timeout", "depth_limit", "output_limit"]
}
