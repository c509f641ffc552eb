import ChainBase
import LuaBridge

/// What a graph is loaded from, and under which conditions.
package struct GraphSource: Sendable {
  var files: GraphFiles
  package var configuration = ConfigurationInput()
  /// Names of the built-in modules beyond the standard ones, and what pushes any of them.
  package var moduleNames: Set<String> = []
  package var modules: BuiltInModules = { _, _, _ in false }
  /// What chainlets may ask for.
  package var bounds = OperatorLimits()
  /// The kinds of resources that `uses` may name.
  package var kinds = HostKinds.all
  /// What this build can run.
  package var features: Set<Feature> = []
  /// Seconds that the evaluation of all files may run.
  package var timeLimit = 5.0
  /// Bytes that all of them may hold while they are planned.
  package var memoryLimit = 256 << 20

  /// Declared, checked, and refused as long as nothing runs it.
  package enum Feature: Sendable { case remote }

  /// The folder of the entry file; empty where there is none.
  package var folder: String {
    guard case .disk(let path, _) = files, let real = FileReader.realPath(path), let slash = real.lastIndex(of: "/") else { return "" }
    return slash == real.startIndex ? "/" : String(real[..<slash])
  }

  /// - Parameters:
  ///   - path: of the entry file.
  ///   - libraries: folders by name, as `--lib` gives them.
  package init(path: String, libraries: [String: String] = [:]) { files = .disk(path: path, libraries: libraries) }

  /// From texts by path: `["graph.lua": "…", "steps/hello.lua": "…"]`.
  package init(texts: [String: String], entry: String = "graph.lua") { files = .texts(texts.mapValues { Array($0.utf8) }, entry: entry) }

  /// From what was read before: a restart, a rollback.
  package init(bundle: Bundle) { files = .bundle(bundle) }
}

/// Where the values of `chain.config` come from.
package struct ConfigurationInput: Sendable {
  /// A text is taken raw for a string and parsed for other types.
  package enum Given: Sendable { case value(ChainValue), text(String) }
  package var values: [String: Given] = [:]
  /// Reads a text that is no string, as JSON.
  package var parse: @Sendable (String) -> ChainValue? = ConfigurationInput.parsePlain

  package init() {}

  /// Numbers and booleans.
  package static func parsePlain(_ text: String) -> ChainValue? {
    switch text {
    case "true": return .boolean(true)
    case "false": return .boolean(false)
    case "null": return .null
    default:
      if let integer = Int64(text) { return .integer(integer) }
      return Double(text).flatMap { $0.isFinite ? .number($0) : nil }
    }
  }
}

/// Where files are found while a graph is planned.
enum GraphFiles {
  case disk(path: String, libraries: [String: String])
  case texts([String: [UInt8]], entry: String)
  case bundle(Bundle)

  struct Text {
    var path: String
    var bytes: [UInt8]
  }

  /// Why there is no such file.
  struct Missing: Error {
    var message: String
    var suggestion: String?
  }

  /// The entry file, and what finds the modules that it requires.
  func open(limit: Int) throws(Missing) -> (entry: Text, find: (String) -> Result<Text, Missing>) {
    switch self {
    case .disk(let path, let libraries): return try GraphFiles.openDisk(path, libraries, limit)
    case .texts(let texts, let entry):
      guard let bytes = texts[entry] else { throw Missing(message: "there is no \(entry)") }
      return (
        Text(path: entry, bytes: bytes),
        { name in
          let inside = name.replacing(".", with: "/")
          for path in ["\(inside).lua", "\(inside)/init.lua"] {
            if let bytes = texts[path] { return .success(Text(path: path, bytes: bytes)) }
          }
          let near = nearestName(to: "\(inside).lua", among: texts.keys.sorted())
          return .failure(Missing(message: "module '\(name)' is not found: there is no \(inside).lua nor \(inside)/init.lua", suggestion: near.map { "did you mean '\($0.dropLast(4).replacing("/", with: "."))'?" }))
        }
      )
    case .bundle(let bundle):
      guard let entry = bundle.file(bundle.entry) else { throw Missing(message: "the bundle has no \(bundle.entry)") }
      return (
        Text(path: entry.path, bytes: entry.text),
        { name in
          guard let file = bundle.file(ofModule: name) else { return .failure(Missing(message: "module '\(name)' is not part of the bundle")) }
          return .success(Text(path: file.path, bytes: file.text))
        }
      )
    }
  }

  private static func openDisk(_ path: String, _ libraries: [String: String], _ limit: Int) throws(Missing) -> (
    entry: Text, find: (String) -> Result<Text, Missing>
  ) {
    func missing(_ shown: String, _ problem: FileReader.Problem) -> Missing {
      switch problem {
      case .missing: Missing(message: "there is no file \(shown)")
      case .directory: Missing(message: "\(shown) is a folder", suggestion: "name the file in it: \(shown.hasSuffix("/") ? shown : shown + "/")graph.lua")
      case .tooLarge(let limit):
        Missing(
          message: "\(shown) is larger than a source file may be (limits.source: \(byteText(limit)))",
          suggestion: "the operator's --limit source=… lets larger ones in")
      case .link: Missing(message: "\(shown) is a link")
      case .unreadable(let reason): Missing(message: "\(shown) cannot be read: \(reason)")
      }
    }
    let bytes: [UInt8]
    do throws(FileReader.Problem) { bytes = try FileReader.read(path, limit: limit) } catch { throw missing(path, error) }
    guard let real = FileReader.realPath(path), let slash = real.lastIndex(of: "/") else { throw missing(path, .missing) }
    var folders: [String: String] = [:]
    for (name, folder) in libraries.sorted(by: { $0.key < $1.key }) {
      guard RecordReader.isIdentifier(name) else { throw Missing(message: "--lib \(name): a library's name is a word of letters, digits and _") }
      guard !ModuleFinder.builtIn.contains(name) else { throw Missing(message: "--lib \(name): a built-in module has this name") }
      guard let real = FileReader.realPath(folder) else { throw Missing(message: "--lib \(name): there is no folder \(folder)") }
      folders[name] = real
    }
    let root = slash == real.startIndex ? "/" : String(real[..<slash])
    let finder = ModuleFinder(root: root, libraries: folders, limit: limit)
    return (
      Text(path: String(real[real.index(after: slash)...]), bytes: bytes),
      { name in
        switch finder.find(name) {
        case .problem(let message, let suggestion): return .failure(Missing(message: message, suggestion: suggestion))
        case .file(let path, let bytes):
          return bytes.map { Text(path: path, bytes: $0) }.mapError { missing(path, $0) }
        }
      }
    )
  }
}
