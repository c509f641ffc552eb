import ArgumentParser
import ChainBase
import ChainHost
import ChainLoop
import LuaBridge

/// `chainrun GRAPH …`: runs a graph once and prints its output.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs a graph once and prints its output; 'run' may be left out.",
    discussion: """
      NAME=VALUE gives one field of the input: a string is taken as it is, another type is read as JSON. NAME=@FILE reads \
      a file, NAME=@- standard input; NAME=@@TEXT is a text that begins with @. A field that is a list may be given item \
      by item, by repeating its name; one that is a stream too, and a file is then read while it is taken: strings line by \
      line, bytes in pieces, other types a JSON text a line.

      The output is printed as JSON. Bytes are printed as they are. A stream prints each item on a line of its own as it \
      comes, then its result if it has one.

      A config value NAME is taken from --set, else CHAINRUN_CONFIG_<NAME>, else --config, else its default. Secrets are \
      the environment's variables of their names.
      """)

  @Argument(help: ArgumentHelp("The entry file of the graph.", valueName: "graph"), completion: .file(extensions: ["lua"]))
  var graph: String

  @Argument(help: ArgumentHelp("Fields of the input.", valueName: "name=value"))
  var words: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The whole input: JSON, @FILE, or - for standard input.", valueName: "json|@file|-"))
  var input: String?

  @Option(help: ArgumentHelp("Which entrypoint, where the graph has several.", valueName: "name"))
  var entry: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("Write the output to a file.", valueName: "file"), completion: .file())
  var output: String?

  @OptionGroup var graphOptions: GraphOptions

  @Option(help: ArgumentHelp("The request ends after so many seconds.", valueName: "seconds"))
  var timeout: Double?

  @Option(help: "Threads that run chainlets.")
  var lanes = 1

  @OptionGroup var confinement: Confinement
  @Option(
    help: ArgumentHelp(
      "Lanes that may be lost to native code that does not come back, before the program ends with status 4.", valueName: "n"))
  var lostLanes = 4

  @Option(help: "The least important lines of chainlets that are shown.")
  var logLevel = LogLevel.info

  func validate() throws {
    if let word = words.first(where: { !$0.dropFirst().contains("=") }) {
      let meant = nearestName(to: graph, among: Chainrun.subcommandNames).map { "; did you mean 'chainrun \($0)'?" } ?? ""
      throw ValidationError("'\(word)' is no NAME=VALUE\(meant)")
    }
    if input != nil, !words.isEmpty { throw ValidationError("--input gives the whole input; leave out '\(words[0])'") }
    if let timeout, !(0.001...1e9).contains(timeout) { throw ValidationError("--timeout takes seconds, from 0.001 to 1000000000") }
    if !(0...1_000).contains(lostLanes) { throw ValidationError("--lost-lanes takes a number from 0 to 1000") }
    if !(1...256).contains(lanes) { throw ValidationError("--lanes takes a number from 1 to 256") }
  }

  func run() throws {
    try confinement.begin(lanes: lanes)
    let interruption = Interruption()
    let environment = RealEnvironment()
    interruption.watch(with: environment)
    let options = try graphOptions.loadOptions()
    let host = ChainHost(
      lanes: lanes, environment: environment, mostLostLanes: lostLanes,
      tooManyLost: { failure in CommandFailure(.lanesLost, failure.message).exit() }, log: logLevel.printer)
    let read = try waiting { () throws(Failure) in try await host.read(graph, options) }
    let entrypoint = try Entrypoint(entry, of: read.graph)
    let (json, feed) = try RunInput(words: words, whole: input).read(for: entrypoint.chainlet)
    let output = try ResultFile(output)
    confinement.complete()
    let chain: Chain
    do { chain = try waiting { () throws(Failure) in try await host.load(read) } } catch {
      output.discard()
      throw error
    }

    let request = RunRequest(
      chain: chain, entrypoint: entrypoint, input: json, feed: feed?.feed(environment), timeout: timeout.map { UInt64($0 * 1e9) }, output: output)
    let failure = CommandTask.run({ () async -> CommandFailure? in
      let failure = await request.run()
      await host.shutdown()
      return failure
    }) { interruption.willRun(cancel: $0) }
    if let failure = interruption.failure ?? failure { throw failure }
  }

  /// The result of work that an interruption does not cancel, but ends with the program.
  private func waiting<Value: Sendable>(_ body: @escaping @Sendable () async throws(Failure) -> Value) throws(CommandFailure) -> Value {
    let result = CommandTask.run({ () async -> Result<Value, Failure> in
      do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
    }) { _ in }
    do throws(Failure) { return try result.get() } catch { throw CommandFailure(error) }
  }
}

/// The chainlet that a request goes to.
struct Entrypoint: Sendable {
  let name: String
  let chainlet: ChainletDeclaration

  /// - Throws: a wrong use.
  init(_ name: String?, of graph: Graph) throws(CommandFailure) {
    let names = graph.entrypoints.map(\.name)
    if name == nil, names.count > 1 {
      throw CommandFailure(.usage, "the graph has several entrypoints; choose one with --entry: \(names.joined(separator: ", "))")
    }
    guard let found = graph.entrypoints.first(where: { name == nil || $0.name == name }) else {
      let meant = name.flatMap { nearestName(to: $0, among: names) }.map { "; did you mean '\($0)'?" }
      throw CommandFailure(
        .usage, "--entry \(name ?? ""): there is no such entrypoint\(meant ?? "; there are: \(names.joined(separator: ", "))")")
    }
    self.name = found.name
    chainlet = graph.chainlets[found.chainlet]
  }
}
