import ChainBase
import LuaBridge

/// `chain.describe(self.tools)`: name, doc and JSON Schema of the input of each need, as tables.
///
/// They are written as one JSON text and read as one value: so they are as large at most as what crosses, all together.
extension ChainModule {
  func describe(_ stack: LuaStack, _ stepping: Stepping) -> Int32 {
    guard let state else { return refuseWhileLoading(stack, "chain.describe") }
    guard let identity = stack.identity(at: 1), let needs = state.describable[identity] else {
      return stack.fail("chain.describe: expected a need or a group of needs such as self.tools, got \(stack.describe(at: 1))")
    }
    let limits = CrossingLimits()
    let share = stepping.share.map { CrossingLimits($0) }
    guard let text = ChainModule.json(
      of: needs, in: state.program.graph, most: share?.jsonBytes ?? limits.bytes, work: share?.nodes ?? 4 * limits.nodes, stepping.pause)
    else {
      guard share != nil else { return tooLarge(stack, limits) }
      stack.setTop(1)
      return LuaStack.waits
    }
    defer { extendLifetime(text) }
    // Others may use these meanwhile: there is nothing in them that changes.
    let (program, binding) = (anything.program.takeUnretainedValue(), anything.binding.takeUnretainedValue())
    do throws(TypeMismatch) {
      try JSONReader.read(
        text.bytes, program: program, onto: stack, binding: binding, limits: limits, root: "chain.describe", pause: stepping.pause)
    } catch { return tooLarge(stack, limits) }
    return 1
  }

  private func tooLarge(_ stack: LuaStack, _ limits: CrossingLimits) -> Int32 {
    stack.fail(
      "chain.describe: too large: at most \(limits.nodes) values and \(limits.bytes) bytes of text in all; describe fewer needs at once")
  }

  /// nil: there is more of it than is wanted.
  private static func json(
    of needs: [ChainletDeclaration.Need], in graph: Graph, most: Int, work: Int, _ pause: Pace.Pause?
  ) -> ByteBuffer? {
    var buffer = ByteBuffer()
    var pace = Pace(CrossingLimits(work: work), pause)
    buffer.append("[")
    for need in needs {
      guard let target = graph.chainlet(named: need.target) else { continue }
      if buffer.count > 1 { buffer.append(",") }
      var fields = [ChainValue.Field("name", .string(need.path.last ?? need.target))]
      if let doc = target.doc { fields.append(.init("doc", .string(doc))) }
      fields.append(.init("schema", JSONSchema.document(of: target.input, &pace)))
      ChainValue.record(fields).appendJSON(to: &buffer, most: most, &pace)
      guard pace.goesOn(), buffer.count < most else { return nil }
    }
    buffer.append("]")
    return buffer
  }
}
