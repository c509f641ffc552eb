import ChainBase

/// A checked graph: what one entry file and the files that it requires declare.
public struct Graph: Sendable {
  /// All of them, in the order in which they were declared.
  public var chainlets: [ChainletDeclaration]
  public var entrypoints: [Entrypoint]
  /// The file returned one chainlet rather than a table of named ones.
  public var isSingle: Bool
  /// The chainlets that the entrypoints reach, callees before callers.
  public var live: [Int]
  public var configuration: Configuration
  public var bundle: Bundle
  public var warnings: [Problem]

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
  public func index(of name: String) -> Int? { chainlets.firstIndex { $0.name == name } }

  public func chainlet(named name: String) -> ChainletDeclaration? { chainlets.first { $0.name == name } }

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
