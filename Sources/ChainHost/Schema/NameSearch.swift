import CLuaGuard
import LuaBridge

/// Which of many names a text is, where it is not the one that was expected. A record or an enumeration may have thousands of
/// them: what is compared is work, as values are.
extension SchemaProgram {
  /// The first of `places` whose name is the text; nil also when the rest of the walk is not wanted.
  @inline(__always) func find(
    _ text: UnsafeRawBufferPointer, in places: Range<Int32>, _ pace: inout Pace, name: (Int32) -> Int32
  ) -> Int32? {
    guard let start = text.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
      return places.first { names[name($0)].length == 0 }
    }
    var comparisons = 0
    for place in places {
      let known = names[name(place)]
      comparisons &+= 1
      guard Int(known.length) == text.count else { continue }
      comparisons &+= text.count &>> 4
      if clg_same(start, self.text.start + Int(known.offset), text.count) != 0 {
        return pace.goesOn(afterComparisons: comparisons) ? place : nil
      }
      if comparisons >= SchemaProgram.comparedAtOnce {
        guard pace.goesOn(afterComparisons: comparisons) else { return nil }
        comparisons = 0
      }
    }
    _ = pace.goesOn(afterComparisons: comparisons)
    return nil
  }

  /// The field of a record.
  func find(_ name: String, in record: SchemaNode, _ pace: inout Pace) -> Int32? {
    var name = name
    return name.withUTF8 {
      find(UnsafeRawBufferPointer($0), in: record.first..<(record.first + record.count), &pace) { fields[$0].name }
    }
  }

  /// Far less than a millisecond, however long the names are that one text is compared with.
  private static var comparedAtOnce: Int { 4_096 }
}

extension SchemaBinding {
  /// The place in the order of a record's fields, from `seen` on, of the one that the key names.
  func position(
    ofKeyAt key: Int32, _ stack: LuaStack, _ node: UnsafeMutablePointer<SchemaNode>, after seen: Int32, _ pace: inout Pace
  ) -> Int32? {
    let fields = program.fields.start + Int(node.pointee.first), order = tableOrder + Int(node.pointee.first)
    return find(key, stack, in: seen..<node.pointee.count, &pace) { fields[Int(order[Int($0)])].name }
  }

  /// The name of an enumeration's value.
  func value(at index: Int32, _ stack: LuaStack, _ node: UnsafeMutablePointer<SchemaNode>, _ pace: inout Pace) -> Int32? {
    find(index, stack, in: node.pointee.first..<(node.pointee.first &+ node.pointee.count), &pace) { $0 }
  }

  /// Strings of up to 40 bytes are compared by address, longer ones by content.
  @inline(__always) private func find(
    _ index: Int32, _ stack: LuaStack, in places: Range<Int32>, _ pace: inout Pace, name: (Int32) -> Int32
  ) -> Int32? {
    guard stack.type(at: index) == .string else { return nil }
    guard stack.rawLength(at: index) <= SchemaBinding.longestInterned else {
      return program.find(stack.bytes(at: index), in: places, &pace, name: name)
    }
    let identity = stack.identity(at: index)
    for place in places where names[Int(name(place))].identity == identity {
      return pace.goesOn(afterComparisons: Int(place &- places.lowerBound)) ? place : nil
    }
    _ = pace.goesOn(afterComparisons: places.count)
    return nil
  }
}
