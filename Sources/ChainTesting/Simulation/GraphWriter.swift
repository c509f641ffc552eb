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
    local json = require "json"
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
      if n % 3 == 0 and #json.decode(json.encode(list(20))) ~= 20 then bad("JSON lost something") end
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

  /// What a stream carries for a number: itself, or so much that it crosses in pieces.
  private static let smallItems = """
    local Item = t.integer
    local function item(n) return n end
    local function number(x) return x end

    """
  static let largeItem = 30
  private static let largeItems = """
    local Item = t.list(t.integer)
    local function item(n) local l = {} for i = 1, \(largeItem) do l[i] = n end return l end
    local function number(l)
      if l == nil then return nil end
      for i = 1, \(largeItem) do if l[i] ~= l[1] then bad("an item of several") end end
      return l[1]
    end

    """

  func source(_ chance: inout SeededGenerator) -> String {
    var text = GraphWriter.prelude + (plans.count % 2 == 0 ? GraphWriter.largeItems : GraphWriter.smallItems)
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
    case .writer: spec.append("input = { \(common), n = t.optional(t.integer) }, output = t.stream(Item, Item)")
    case .reader:
      spec.append("input = { \(common), xs = t.stream(Item) }, output = { id = t.integer, k = t.integer, v = t.integer, c = t.integer }")
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
