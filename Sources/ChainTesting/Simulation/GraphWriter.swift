/// Writes a drawn graph as a Lua file. Its programs watch over themselves: what they find wrong they print as
/// `VIOLATION …`, which the stage takes as the property's failure.
struct GraphWriter {
  let plans: [Plan]
  let entries: [Plan]
  let shape: Shape
  /// A number that the answers carry, to tell one graph from another.
  var constant = 0
  var ticks = false
  var maxSteps = Int.max

  static let prelude = """
    local chain = require "chain"
    local t = chain.types
    local function bad(what) print("VIOLATION " .. what) end
    local function spin(n) local x = 0 for i = 1, n do x = x + i end return x end
    local function list(n) local l = {} for i = 1, n do l[i] = i end return l end
    local function key(self) self.keys = (self.keys or 0) + 1 return self.keys * 16 + self.index end
    local function sleep(s)
      local begun = os.clock()
      chain.sleep(s)
      if os.clock() - begun < s - 1e-6 then bad("a sleep of " .. s .. " ended after " .. (os.clock() - begun)) end
    end
    local function update(self, n)
      local before = self.n or 0
      spin(n)
      if (self.n or 0) ~= before then bad("an update without a wait was interleaved") end
      self.n = before + 1
    end
    local function lock(self)
      self.mutex = self.mutex or chain.mutex()
      local held = self.mutex:lock()
      return held
    end
    local function closer(f) return setmetatable({}, { __close = f }) end
    local function check(r, id, k) if r.id ~= id or r.k ~= k then bad("an answer of another call") end end

    """

  func source(_ chance: inout SeededGenerator) -> String {
    var text = GraphWriter.prelude
    for plan in plans.reversed() {
      var steps = StepWriter(plan: plan, plans: plans, shape: shape, ticks: ticks, left: min(shape.steps, maxSteps), chance: chance.split())
      text += declaration(of: plan) + steps.body(constant: constant) + "\n"
    }
    let public_ = entries.map { "\($0.entry) = \($0.name)" }.joined(separator: ", ")
    return text + "return { \(public_) }\n"
  }

  private func declaration(of plan: Plan) -> String {
    var spec: [String] = []
    let common = "id = t.integer, k = t.integer, v = t.optional(t.integer), f = t.optional(t.integer)"
    switch plan.kind {
    case .plain: spec.append("input = { \(common) }, output = { id = t.integer, k = t.integer, v = t.integer, c = t.integer }")
    case .writer: spec.append("input = { \(common), n = t.optional(t.integer) }, output = t.stream(t.integer, t.integer)")
    case .reader:
      spec.append("input = { \(common), xs = t.stream(t.integer) }, output = { id = t.integer, k = t.integer, v = t.integer, c = t.integer }")
    }
    if let concurrency = plan.concurrency { spec.append("scaling = { concurrency = \(concurrency) }") }
    if !plan.limits.isEmpty { spec.append("limits = { \(plan.limits.joined(separator: ", ")) }") }
    let plain = plan.needs.filter { !$0.path.hasPrefix("group.") }.map { "c\($0.target) = C\($0.target)\($0.options)" }
    let grouped = plan.needs.filter { $0.path.hasPrefix("group.") }.map { "c\($0.target) = C\($0.target)\($0.options)" }
    var needs = plain
    if !grouped.isEmpty { needs.append("group = { \(grouped.joined(separator: ", ")) }") }
    if !needs.isEmpty { spec.append("needs = { \(needs.joined(separator: ", ")) }") }
    return "local \(plan.name) = chain.chainlet \"\(plan.name)\" { \(spec.joined(separator: ", ")) }\n"
  }
}
