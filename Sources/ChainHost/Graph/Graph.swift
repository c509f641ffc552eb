import ChainBase

/// A checked graph: what one entry file and the files that it requires declare.
public struct Graph: Sendable {
  /// All of them, in the order in which they were declared.
  public let chainlets: [ChainletDeclaration]
  public let entrypoints: [Entrypoint]
  /// The file returned one chainlet rather than a table of named ones.
  public let isSingle: Bool
  /// The chainlets that the entrypoints reach, callees before callers.
  public let live: [Int]
  public let configuration: Configuration
  public let bundle: Bundle
  public internal(set) var warnings: [Problem]
  /// Positions by name; of two chainlets of one name, which is a problem, the first.
  private let positions: [String: Int]

  init(
    chainlets: [ChainletDeclaration], entrypoints: [Entrypoint], isSingle: Bool, live: [Int], configuration: Configuration,
    bundle: Bundle, warnings: [Problem]
  ) {
    self.chainlets = chainlets
    self.entrypoints = entrypoints
    self.isSingle = isSingle
    self.live = live
    self.configuration = configuration
    self.bundle = bundle
    self.warnings = warnings
    positions = Dictionary(chainlets.enumerated().map { ($0.element.name, $0.offset) }) { first, _ in first }
  }

  public struct Entrypoint: Sendable, Hashable {
    public var name: String
    public var chainlet: Int
  }

  /// What `chain.config` declared, and the values that it gave.
  public struct Configuration: Sendable, Hashable {
    public var schema: [ChainType.Field] = []
    public var values: [ChainValue.Field] = []
  }

  /// The position of a chainlet by name.
  public func index(of name: String) -> Int? { positions[name] }

  public func chainlet(named name: String) -> ChainletDeclaration? { positions[name].map { chainlets[$0] } }

  /// The names of a chainlet and of all that it extends, nearest first.
  func lineage(of declaration: ChainletDeclaration) -> [String] {
    var names = [declaration.name]
    var current = declaration
    while let parent = current.parent, !names.contains(parent), let next = chainlet(named: parent) {
      names.append(parent)
      current = next
    }
    return names
  }
}
