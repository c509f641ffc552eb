import ChainBase
import ChainHost
import Foundation
import Testing

/// A file of Tests/Hostile: the body of a method, below comments that say how it must end and under which limits it runs.
struct Attack: CustomTestStringConvertible, Sendable {
  let name: String
  let ending: String
  let limits: String
  let body: String
  var testDescription: String { name }

  static let all: [Attack] = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Hostile")
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    return files.filter { $0.pathExtension == "lua" }.sorted { $0.path < $1.path }.compactMap(Attack.init)
  }()

  init?(_ file: URL) {
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return nil }
    let lines = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    guard lines.count == 3, lines[0].hasPrefix("-- ") else { return nil }
    name = file.deletingPathExtension().lastPathComponent
    ending = String(lines[0].dropFirst(3))
    limits = lines[1].hasPrefix("-- limits: ") ? String(lines[1].dropFirst(11)) : ""
    body = text
  }

  /// The attacker's chainlet, which is harmless when asked for nothing, and an honest one on the same lane.
  var graph: String {
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
}

@Suite("Hostile scripts", .serialized)
struct HostileTests {
  @Test("enough of them are found") func count() { #expect(Attack.all.count >= 60) }

  @Test("ends as it must, while and after which others are served", .timeLimit(.minutes(2)), arguments: Attack.all)
  func ends(attack: Attack) async throws {
    do { try await serve(attack) } catch let failure as Failure where failure.code == Failure.Code.invalidGraph {
      check(.failure(failure), attack) // it is refused before it runs
    }
  }

  private func serve(_ attack: Attack) async throws {
    try await withChain(attack.graph) { chain in
      let finished = Finished()
      async let served = serve(chain, until: finished)
      let ending = await end(of: attack, chain)
      finished.set()
      let (count, problem) = await served
      #expect(problem == nil, "an honest request failed")
      #expect(count > 0)
      check(ending, attack)
      let after = try await chain.run(["attack": false], .init(entry: "attacker"))
      #expect(after == "ALIVE", "the attacker's chainlet serves its next request")
      #expect(try await chain.run(["n": 1234], .init(entry: "honest")) == 10)
    }
  }

  /// Honest requests, one after the other, at least one; how many, and the first that failed.
  private func serve(_ chain: Chain, until finished: Finished) async -> (Int, Failure?) {
    var count = 0
    repeat {
      do throws(Failure) {
        guard try await chain.run(["n": 1234], .init(entry: "honest")) == 10 else {
          return (count, Failure(code: "wrong", message: "another result"))
        }
        count += 1
      } catch { return (count, error) }
      try? await Task.sleep(for: .milliseconds(2))
    } while !finished.isSet
    return (count, nil)
  }

  private func end(of attack: Attack, _ chain: Chain) async -> Result<String, Failure> {
    do throws(Failure) {
      let output = try await chain.run(json: Array(#"{"attack":true}"#.utf8), .init(entry: "attacker"))
      return .success(String(decoding: output, as: UTF8.self))
    } catch { return .failure(error) }
  }

  private func check(_ ending: Result<String, Failure>, _ attack: Attack) {
    let words = attack.ending.split(separator: ":", maxSplits: 1).map(String.init)
    let wanted = words.count > 1 ? String(words[1].drop { $0 == " " }) : ""
    switch (words[0], ending) {
    case ("ends", .failure(let failure)):
      #expect(failure.code == wanted, "\(failure.message.prefix(300))")
    case ("returns", .success(let text)):
      #expect(text == wanted)
    case ("error", .failure(let failure)):
      let limits = ["cpu_limit", "memory_limit", "timeout", "depth_limit", "output_limit"]
      #expect(!limits.contains(failure.code), "\(failure.message.prefix(300))")
      #expect(wanted.isEmpty || failure.message.contains(wanted), "\(failure.message.prefix(300))")
      #expect(failure.message.utf8.count < 6000)
      #expect(failure.message.unicodeScalars.allSatisfy { $0.value >= 32 || $0 == "\n" || $0 == "\t" })
    default:
      Issue.record("must be '\(attack.ending)', was \(ending)")
    }
  }
}

/// A flag that two tasks share.
private final class Finished: @unchecked Sendable {
  // Guarded by the lock.
  private let lock = NSLock()
  private var value = false
  var isSet: Bool { lock.withLock { value } }
  func set() { lock.withLock { value = true } }
}
