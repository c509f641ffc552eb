import ArgumentParser
import ChainLoop
import Glibc

/// The program: `chainrun graph.lua …` runs a graph, other words are subcommands.
@main
struct Chainrun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chainrun",
    abstract: "Runs chains of small Lua programs, each in a sandbox of its own, with typed inputs and outputs.",
    usage: """
      chainrun GRAPH [NAME=VALUE ...] [OPTIONS]
      chainrun SUBCOMMAND ...
      """,
    discussion: """
      Run a graph. Its output is printed as JSON, all else goes to standard error:
        chainrun graph.lua name=Ada                 a string is taken as it is
        chainrun graph.lua n=3 'tags=["a","b"]'     other types are JSON
        chainrun graph.lua names=Ada names=Grace    a repeated name is a list
        chainrun graph.lua text=@book.txt           a file; @- is standard input
        chainrun graph.lua --input '{"n": 3}'       all of it as JSON; @FILE, -
        chainrun graph.lua --entry summary -o out.json
      All options of it: chainrun help run

      Look before you run:
        chainrun check graph.lua                    every problem, with its line
        chainrun draw graph.lua --format svg -o graph.svg
        chainrun types graph.lua                    completion in your editor

      Exit status: 0 done, 1 the chain failed or its input does not fit, 2 wrong use of this program, 3 the graph is invalid, 4 too many lanes are lost.
      """,
    version: VersionText.shown,
    subcommands: [Run.self, Check.self, Draw.self, Types.self],
    defaultSubcommand: Run.self)

  static var subcommandNames: [String] { configuration.subcommands.compactMap { $0._commandName } }

  static func main() {
    ProcessMemory.returnLargeBlocks()
    StandardStreams.prepare()
    if CommandLine.argc < 2 {
      StandardStreams.finish(printing: helpMessage() + "\n")
    }
    do {
      try checkWords()
      var command = try parseAsRoot()
      try command.run()
      StandardError.flush()
    } catch let failure as CommandFailure {
      failure.exit()
    } catch {
      leave(with: error)
    }
  }

  /// Swift would mend words that are not UTF-8, and so change an input silently.
  private static func checkWords() throws(CommandFailure) {
    for position in 1..<Int(CommandLine.argc) {
      guard let word = CommandLine.unsafeArgv[position], String(validatingCString: word) == nil else { continue }
      throw CommandFailure(.usage, "word \(position) of the command is not UTF-8 text; give such data as a file, NAME=@FILE")
    }
  }

  /// What the parser threw: a request for help goes to standard output, a wrong use to standard error.
  private static func leave(with error: any Error) -> Never {
    let code = exitCode(for: error)
    guard code != .success else { StandardStreams.finish(printing: fullMessage(for: error) + "\n") }
    guard code == .validationFailure else { exit(withError: error) }
    let message = message(for: error)
    CommandFailure(.usage, message.isEmpty ? "see chainrun --help" : "\(message)\nSee 'chainrun --help' for how it is used.").exit()
  }
}
