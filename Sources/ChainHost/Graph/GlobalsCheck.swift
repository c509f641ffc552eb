import LuaBridge
struct GlobalsCheck {
  init(_ host: PlanningHost, _ stack: LuaStack) {}
  func run() {}
}
