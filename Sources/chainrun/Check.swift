import ArgumentParser
import ChainHost

/// `chainrun check GRAPH`: everything that is wrong or doubtful, without running anything.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints every problem of a graph, with its line and what to do.",
    discussion: "Exit status: 0 when the graph can run, 3 when it cannot.")

  @Argument(help: ArgumentHelp("The entry file of the graph.", valueName: "graph"), completion: .file(extensions: ["lua"]))
  var graph: String

  @OptionGroup var graphOptions: GraphOptions

  @Flag(help: "A warning counts as an error.")
  var strict = false

  func run() throws {
    let report = ChainHost.check(graph, try graphOptions.loadOptions())
    var output = ResultFile.standardOutput
    for problem in report.problems { try output.write(Array(problem.description.utf8), line: true) }
    try output.write(Array("\(graph): \(summary(report))".utf8), line: true)
    let isValid = report.graph != nil && !(strict && !report.problems.isEmpty)
    if !isValid { throw CommandFailure(.invalidGraph, "") }
  }

  private func summary(_ report: GraphReport) -> String {
    func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }
    let warnings = report.problems.count(where: \.isWarning)
    let errors = report.problems.count - warnings
    var parts: [String] = []
    if let graph = report.graph {
      parts = [count(graph.chainlets.count, "chainlet"), count(graph.entrypoints.count, "entrypoint") + " (\(graph.entrypoints.map(\.name).joined(separator: ", ")))"]
    }
    if errors > 0 { parts.append(count(errors, "error")) }
    if warnings > 0 { parts.append(count(warnings, "warning")) }
    if report.problems.isEmpty { parts.append("no problems") }
    return parts.joined(separator: ", ")
  }
}
