import ArgumentParser
import ChainBase
import ChainHost
import ChainModels
import Glibc

/// What every command that reads a graph takes: its file, libraries and configuration.
struct GraphOptions: ParsableArguments {
  @Option(
    name: .customLong("lib"),
    help: ArgumentHelp("A folder of Lua files that the graph may require under this name.", valueName: "name=dir"))
  var libraries: [String] = []

  @Option(name: .customLong("config"), help: ArgumentHelp("A JSON file with values for chain.config.", valueName: "file.json"))
  var configFile: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("One value for chain.config. Wins over CHAINRUN_CONFIG_<NAME> and --config.", valueName: "name=value"))
  var settings: [String] = []

  @Option(
    name: .customLong("limit"),
    help: ArgumentHelp(
      "The most that chainlets may ask for by this name in their limits, such as memory=128MB, or for their stores. "
        + "Wins over CHAINRUN_LIMIT_<NAME>.",
      valueName: "name=value"))
  var limits: [String] = []

  /// The kinds of resources that this program adds to the host's.
  static let kinds = [Models.kind]

  /// - Throws: a wrong use.
  func loadOptions() throws(CommandFailure) -> LoadOptions {
    var options = LoadOptions()
    for word in libraries {
      let (name, folder) = try pair(word, of: "--lib", "NAME=DIR")
      guard options.libraries.updateValue(folder, forKey: name) == nil else {
        throw CommandFailure(.usage, "--lib \(name) is given twice")
      }
    }
    let environment = ProcessVariables.all
    options.secrets = environment
    options.kinds = GraphOptions.kinds
    if isatty(STDERR_FILENO) != 0 { options.progress = { StandardError.note($0) } }
    options.configuration = try valuesOfFile()
    for (name, text) in environment {
      guard let name = ProcessVariables.configurationName(name) else { continue }
      options.configuration[name] = nil
      options.settings[name] = text
    }
    for word in settings {
      let (name, text) = try pair(word, of: "--set", "NAME=VALUE")
      options.configuration[name] = nil
      options.settings[name] = text
    }
    options.limits = try operatorLimits(environment)
    return options
  }

  /// The graph of a file, for commands that do not run it; its warnings go to standard error.
  /// - Throws: every problem that it has.
  func graph(of file: String) throws(CommandFailure) -> Graph {
    let report = ChainHost.check(file, try loadOptions())
    guard let graph = report.graph else {
      let problems = report.problems.filter { !$0.isWarning }
      throw CommandFailure(.invalidGraph, problems.map(\.description).joined(separator: "\n"))
    }
    for warning in report.problems { StandardError.note(warning.description) }
    return graph
  }

  private func operatorLimits(_ environment: [String: String]) throws(CommandFailure) -> OperatorLimits {
    var bounds = OperatorLimits()
    for (variable, text) in environment.sorted(by: { $0.key < $1.key }) where variable.hasPrefix("CHAINRUN_LIMIT_") {
      do throws(Failure) {
        try bounds.set(variable.dropFirst("CHAINRUN_LIMIT_".utf8.count).lowercased(), to: text)
      } catch { throw CommandFailure(.usage, "\(variable): \(error.message)") }
    }
    var given: Set<String> = []
    for word in limits {
      let (name, text) = try pair(word, of: "--limit", "NAME=VALUE")
      guard given.insert(name).inserted else { throw CommandFailure(.usage, "--limit \(name) is given twice") }
      do throws(Failure) { try bounds.set(name, to: text) } catch { throw CommandFailure(.usage, "--limit \(word): \(error.message)") }
    }
    return bounds
  }

  private func valuesOfFile() throws(CommandFailure) -> [String: ChainValue] {
    guard let configFile else { return [:] }
    let bytes: [UInt8]
    do { bytes = try FileBytes.read(configFile) } catch { throw CommandFailure(.usage, "--config: \(error.message)") }
    let value: ChainValue
    do throws(Failure) { value = try ChainValue(json: bytes) } catch {
      throw CommandFailure(.usage, "--config \(configFile): \(error.message)")
    }
    guard case .record(let fields) = value else {
      throw CommandFailure(.usage, "--config \(configFile): expected a JSON object of names and values")
    }
    return Dictionary(fields.map { ($0.name, $0.value) }) { $1 }
  }

  private func pair(_ word: String, of option: String, _ form: String) throws(CommandFailure) -> (String, String) {
    guard let sign = word.firstIndex(of: "="), sign != word.startIndex else {
      throw CommandFailure(.usage, "\(option) \(word): expected \(form)")
    }
    return (String(word[..<sign]), String(word[word.index(after: sign)...]))
  }
}

/// The process's variables: configuration by `CHAINRUN_CONFIG_<NAME>`, secrets by their own names.
enum ProcessVariables {
  static var all: [String: String] {
    var result: [String: String] = [:]
    var place = environ
    while let entry = place.pointee {
      let text = String(cString: entry)
      if let sign = text.firstIndex(of: "=") { result[String(text[..<sign])] = String(text[text.index(after: sign)...]) }
      place += 1
    }
    return result
  }

  /// `max_words` for `CHAINRUN_CONFIG_MAX_WORDS`; a name that has small letters is taken as it is.
  static func configurationName(_ variable: String) -> String? {
    let prefix = "CHAINRUN_CONFIG_"
    guard variable.hasPrefix(prefix), variable != prefix else { return nil }
    let name = String(variable.dropFirst(prefix.utf8.count))
    return name.contains { $0.isLowercase } ? name : name.lowercased()
  }
}
