import ArgumentParser
import ChainHost
import Glibc

/// `chainrun types GRAPH`: annotations for editors.
struct Types: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes annotations, so that an editor completes and checks the graph.",
    discussion: """
      Writes chain.lua, json.lua and types.lua to .chainrun beside the graph, for a language server of Lua that reads \
      LuaCATS annotations, and .emmyrc.json where there is none. Write them again when the graph has changed.
      """)

  @Argument(help: ArgumentHelp("The entry file of the graph.", valueName: "graph"), completion: .file(extensions: ["lua"]))
  var graph: String

  @OptionGroup var graphOptions: GraphOptions

  func run() throws {
    let planned = try graphOptions.graph(of: graph)
    let parent = graph.lastIndex(of: "/").map { String(graph[...$0]) } ?? ""
    let folder = parent + ".chainrun"
    if mkdir(folder, 0o777) != 0, errno != EEXIST {
      throw CommandFailure(.failed, "\(folder) cannot be made: \(FileBytes.reason(errno))")
    }
    try write(LuaAnnotations.module, to: "\(folder)/chain.lua")
    try write(LuaAnnotations.json, to: "\(folder)/json.lua")
    try write(LuaAnnotations.tensor, to: "\(folder)/tensor.lua")
    try write(LuaAnnotations.text, to: "\(folder)/text.lua")
    try write(LuaAnnotations.types(of: planned, kinds: GraphOptions.kinds), to: "\(folder)/types.lua")
    // The author may have settings of their own.
    let settings = "\(parent).emmyrc.json"
    if access(settings, F_OK) != 0 { try write(LuaAnnotations.settings, to: settings) }
  }

  /// An editor that reads meanwhile sees the old text or the new one.
  private func write(_ text: String, to path: String) throws {
    let new = path + ".new"
    var file = try ResultFile(new)
    try file.write(Array(text.utf8))
    guard rename(new, path) == 0 else { throw CommandFailure(.failed, "\(path) cannot be written: \(FileBytes.reason(errno))") }
    var output = ResultFile.standardOutput
    try output.write(Array(path.utf8), line: true)
  }
}
