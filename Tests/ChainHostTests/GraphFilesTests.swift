import ChainHost
import Foundation
import Testing

@Suite("The files of a graph")
struct GraphFilesTests {
  /// A folder of its own for each test.
  private func folder(_ files: [String: String]) throws -> URL {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("graph-files-\(UInt64.random(in: 0...UInt64.max))")
    for (path, text) in files {
      let url = root.appendingPathComponent(path)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: url, atomically: true, encoding: .utf8)
    }
    return root
  }

  private func problems(_ root: URL, libraries: [String: String] = [:], entry: String = "graph/graph.lua") -> [String] {
    GraphLoader.check(GraphSource(path: root.appendingPathComponent(entry).path, libraries: libraries)).problems.map(\.description)
  }

  private let chainlet = "local chain = require 'chain'\nlocal A = chain.chainlet 'A' {}\nfunction A:run() end\nreturn A\n"

  @Test("no link leads out of the folder; a link inside it is the file that it names")
  func links() throws {
    let root = try folder(["graph/graph.lua": "require 'inside'\nreturn require 'outside'\n", "graph/steps/a.lua": chainlet, "secret.lua": "return 7\n"])
    defer { try? FileManager.default.removeItem(at: root) }
    let graph = root.appendingPathComponent("graph")
    try FileManager.default.createSymbolicLink(atPath: graph.appendingPathComponent("inside.lua").path, withDestinationPath: "steps/a.lua")
    try FileManager.default.createSymbolicLink(atPath: graph.appendingPathComponent("outside.lua").path, withDestinationPath: "../secret.lua")
    #expect(problems(root).first?.hasPrefix("graph.lua:2: module 'outside' leads out of its folder: outside.lua is a link to a file elsewhere") == true)
    try "require 'inside'\nreturn require 'steps.a'\n".write(to: graph.appendingPathComponent("graph.lua"), atomically: true, encoding: .utf8)
    let outcome = GraphLoader.check(GraphSource(path: graph.appendingPathComponent("graph.lua").path))
    #expect(outcome.problems.map(\.description) == [])
    #expect(outcome.graph?.bundle.files.map(\.path) == ["graph.lua", "steps/a.lua"])
  }

  @Test("libraries are found by name, from the graph and from each other, with an init.lua for themselves")
  func libraries() throws {
    let root = try folder([
      "graph/graph.lua": "require 'shared'\nreturn require 'shared.deep.a'\n", "elsewhere/init.lua": "return require 'shared.b'\n",
      "elsewhere/b.lua": "return {}\n", "elsewhere/deep/a.lua": chainlet,
    ])
    defer { try? FileManager.default.removeItem(at: root) }
    let libraries = ["shared": root.appendingPathComponent("elsewhere").path]
    #expect(problems(root, libraries: libraries) == [])
    #expect(problems(root).first?.hasPrefix("graph.lua:1: module 'shared' is not found") == true)
    #expect(problems(root, libraries: ["json": root.path]) == ["--lib json: a built-in module has this name"])
    #expect(problems(root, libraries: ["shared": "/no/such/folder"]) == ["--lib shared: there is no folder /no/such/folder"])
    try chainlet.write(to: root.appendingPathComponent("graph/shared.lua"), atomically: true, encoding: .utf8)
    #expect(problems(root, libraries: libraries).first?.contains("'shared' is a library (--lib) and a module of the graph's folder") == true)
  }

  @Test("a file that is too large, a pipe and a folder are refused; a first line with # and a byte order mark are skipped")
  func oddFiles() throws {
    let root = try folder(["graph/graph.lua": String(repeating: "-- x\n", count: 300_000), "graph/script.lua": "\u{FEFF}#!/usr/bin/env chainrun\n" + chainlet])
    defer { try? FileManager.default.removeItem(at: root) }
    #expect(problems(root).first?.hasSuffix(
      "graph.lua is larger than a source file may be (limits.source: 1 MB); the operator's --limit source=… lets larger ones in") == true)
    #expect(problems(root, entry: "graph/script.lua") == [])
    #expect(problems(root, entry: "graph").first?.contains("is a folder") == true)
    #expect(problems(root, entry: "graph/none.lua").first?.hasPrefix("there is no file ") == true)
    mkfifo(root.appendingPathComponent("graph/pipe.lua").path, 0o600)
    #expect(problems(root, entry: "graph/pipe.lua").first?.hasSuffix("it is not a plain file") == true)
  }

  @Test("a plan from the bundle is the plan from the disk, when the disk has changed")
  func bundles() throws {
    let root = try folder(["graph/graph.lua": "return require 'a'\n", "graph/a.lua": chainlet])
    let graph = try GraphLoader.load(GraphSource(path: root.appendingPathComponent("graph/graph.lua").path))
    try FileManager.default.removeItem(at: root)
    let again = try GraphLoader.load(GraphSource(bundle: graph.bundle))
    #expect(again.chainlets == graph.chainlets && again.bundle == graph.bundle && again.bundle.digest == graph.bundle.digest)
  }
}
