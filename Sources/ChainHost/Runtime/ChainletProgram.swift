import ChainBase
import LuaBridge

/// A declaration with its types compiled: the same for every lane.
final class ChainletProgram: Sendable {
  let declaration: ChainletDeclaration
  let graph: Graph
  /// The declared limits within the operator's bounds.
  let limits: ChainletDeclaration.Limits
  let input: SchemaProgram
  /// For a stream: of its items.
  let output: SchemaProgram
  /// For a stream: of what follows the items.
  let result: SchemaProgram?
  let isStream: Bool

  init(_ declaration: ChainletDeclaration, in graph: Graph, bounds: OperatorLimits = OperatorLimits()) {
    self.declaration = declaration
    limits = bounds.bounding(declaration.limits)
    self.graph = graph
    input = SchemaProgram(declaration.input)
    let output = declaration.output ?? ChainletProgram.nothing
    if case .stream(let item, let result) = output.kind {
      isStream = true
      self.output = SchemaProgram(item)
      self.result = SchemaProgram(result ?? ChainletProgram.nothing)
    } else {
      isStream = false
      self.output = SchemaProgram(output)
      result = nil
    }
  }

  /// What a chainlet without an output gives: nil, and no value fits.
  static let nothing = ChainType(.optional(ChainType(.enumeration([]))))

  var outputLimits: CrossingLimits {
    CrossingLimits(bytes: limits.output, nodes: limits.nodes, direction: .output)
  }

  // MARK: Messages

  /// Why an input of a nested call did not fit. It answers 500: an inner bug must not blame the client.
  func explainInput(_ stack: LuaStack, at index: Int32, limits: CrossingLimits, pause: Pace.Pause? = nil) -> Failure {
    let mismatch = TypeMismatch.explain(
      input, from: stack, at: index, root: "\(declaration.name).input", limits: limits, pause: pause)
    return Failure(code: mismatch.code, message: mismatch.message, status: 500, chainlet: declaration.name)
  }

  /// What a value that is given back is: of a stream, the result is what follows the items.
  enum Given: String { case output, result }

  /// - Parameter limits: those in which the value did not fit.
  func explainOutput(
    _ stack: LuaStack, at index: Int32, _ given: Given = .output, limits: CrossingLimits, pause: Pace.Pause? = nil
  ) -> Failure {
    let what = given.rawValue
    let program = given == .result ? result ?? output : output
    if program.type == ChainletProgram.nothing {
      return Failure(
        code: Failure.Code.badOutput,
        message: "\(declaration.name).\(what): expected nothing, got \(stack.describe(at: index)); "
          + "declare its type as 'output' in the spec of \(declaration.name)", chainlet: declaration.name)
    }
    let mismatch = TypeMismatch.explain(
      program, from: stack, at: index, root: "\(declaration.name).\(what)", limits: limits, pause: pause)
    let code = mismatch.code == Failure.Code.badInput ? Failure.Code.badOutput : mismatch.code
    return Failure(code: code, message: mismatch.message, chainlet: declaration.name)
  }
}
