import LuaBridge
struct SharedTables {
  init(_ host: PlanningHost, _ stack: LuaStack) {}
  func run(reachable: Set<Int>) {}
}
