import CLuaGuard

/// The Lua that really runs, and what is known to be wrong with it.
public enum LuaRelease {
  /// `Lua 5.4.8 with Chainrun's fixes`.
  public static var text: String { "Lua \(number)\(isFixed ? " with Chainrun's fixes" : "")" }

  /// The number in the library's own identification: headers of another release do not count.
  static var number: String {
    let identification = String(cString: clg_lua_identification())
    return identification.split(separator: " ").dropFirst(2).first.map(String.init) ?? "of an unknown release"
  }

  static var isFixed: Bool { clg_lua_is_fixed() != 0 }

  /// Bugs that a script can reach, as sentences; none for the Lua that `scripts/setup` builds.
  public static var knownBugs: [String] {
    let parts = number.split(separator: ".").compactMap { Int($0) }
    let release = parts.count == 3 ? parts[2] : 0
    return bugs.filter { bug in isFixed ? false : bug.fixedIn.map { release < $0 } ?? true }.map(\.sentence)
  }

  /// `fixedIn`: the release of 5.4 that no longer has it; nil: none has it fixed.
  private static let bugs: [(sentence: String, fixedIn: Int?)] = [
    ("a concatenation whose __concat grows the stack can crash (Debian's 5.4.4)", 5),
    ("a long chain of coroutine.close overflows the C stack", 5),
    ("leaving a for loop with a closing value by break closes the wrong variable", 5),
    ("an error in a very long expression overflows the C stack", 7),
    ("under a memory limit, a weak table can corrupt the heap", 8),
    ("a message handler of xpcall can be overwritten when a waiting coroutine is closed", 8),
    ("an all-weak table that gets another metatable during a collection can crash", nil),
    ("a table that is its own __call hangs where no limit reaches", nil),
  ]
}
