/// Writes the body of one chainlet from a small language of steps.
struct StepWriter {
  let plan: Plan
  let plans: [Plan]
  var shape: Shape
  let ticks: Bool
  /// Steps that may still be written.
  var left: Int
  var chance: SeededGenerator
  private var names = 0

  init(plan: Plan, plans: [Plan], shape: Shape, ticks: Bool, left: Int, chance: SeededGenerator) {
    self.plan = plan
    self.plans = plans
    self.shape = shape
    self.ticks = ticks
    self.left = left
    self.chance = chance
  }

  mutating func body(constant: Int) -> String {
    var text = "function \(plan.name):run(req, emit)\n  self.index = \(plan.index)\n  local id, version = req.id, chain.context().version\n"
    // So that calls of calls of calls come to an end.
    text += "  local fuel = req.f or 8 ^ (1 + id % 3) // 1 | 0\n"
    text += "  if req.v and req.v ~= version then bad(\"version \" .. req.v .. \" called \" .. version) end\n"
    if ticks { text += "  local function tick() chain.log.debug(\"TICK \" .. id) end\n" }
    let steps = "if fuel > 0 then\n\(block(depth: 0))end\n"
    switch plan.kind {
    case .plain: text += steps
    case .writer:
      text += "  for i = 1, req.n or 7 do\n    emit(item(req.k * 1000 + i))\n\(steps)  end\n  return item(req.k)\nend\n"
      return text
    case .reader:
      text += "  local last = 0\n  for x in req.xs do\n    x = number(x)\n    if x <= last then bad(\"an item out of order\") end\n    last = x\n"
      text += steps + (chance.happens(perThousand: 300) ? "    if last % 1000 == 3 then break end\n  end\n" : "  end\n")
    }
    return text + "  return { id = id, k = req.k, v = version, c = \(constant) }\nend\n"
  }

  // MARK: Blocks

  private mutating func block(depth: Int) -> String {
    var text = ""
    for _ in 0..<chance.within(depth == 0 ? 1...5 : 1...2) where left > 0 {
      left -= 1
      if ticks { text += "tick() " }
      text += step(depth) + "\n"
    }
    return text
  }

  private mutating func name(_ stem: String) -> String {
    names += 1
    return "\(stem)\(names)"
  }

  private typealias Maker = (inout StepWriter, Int) -> String

  private mutating func step(_ depth: Int) -> String {
    var makers: [(UInt64, Maker)] = [
      (10, { writer, _ in writer.sleep() }), (8, { writer, _ in "spin(\(writer.chance.below(writer.shape.spin)))" }),
      (8, { writer, _ in "update(self, \(writer.chance.below(writer.shape.spin)))" }),
    ]
    if !plan.needs.isEmpty { makers.append((30, { $0.call($1) })) }
    if depth < 3 {
      makers.append((6, { writer, depth in "pcall(function()\n\(writer.block(depth: depth + 1))end)" }))
      if shape.wraps { makers.append((5, { writer, depth in
        "for _ in coroutine.wrap(function() for i = 1, 2 do\n\(writer.block(depth: depth + 1))coroutine.yield(i) end end) do end"
      })) }
      if shape.groups { makers.append((16, { $0.group($1) })) }
      if shape.tasks { makers.append((10, { $0.task($1) })) }
      if shape.timeouts { makers.append((6, { $0.timeout($1) })) }
      if shape.locks { makers.append((5, { $0.locked($1) })) }
      if shape.closers { makers.append((6, { $0.closing($1) })) }
      if shape.streams { makers.append((6, { $0.localStream($1) })) }
      if shape.endless { makers.append((8, { $0.endless($1) })) }
    }
    if shape.errors { makers.append((3, { writer, _ in writer.error() })) }
    if shape.background { makers.append((2, { writer, _ in "pcall(chain.background, function() \(writer.sleep()) end)" })) }
    var draw = chance.below(makers.reduce(0) { $0 + $1.0 })
    for (weight, make) in makers {
      if draw < weight { return make(&self, depth) }
      draw -= weight
    }
    return ""
  }

  private mutating func sleep() -> String {
    // Times that meet, so that many things happen at one moment.
    let times = ["0", "0.001", "0.002", "0.005", "0.01", "0.0\(chance.within(1...49))"]
    return "sleep(\(times[Int(chance.below(UInt64(times.count)))]))"
  }

  private mutating func endless(_ depth: Int) -> String {
    // Without groups and tasks: they would pile up.
    let all = shape
    (shape.groups, shape.tasks, shape.endless) = (false, false, false)
    defer { shape = all }
    return "while true do pcall(function()\n\(block(depth: depth + 1))end) pcall(sleep, 0.001) end"
  }

  private mutating func error() -> String {
    switch chance.below(3) {
    case 0: "if spin(3) then error(\"boom\", 0) end"
    case 1: "if spin(3) then error(chain.failure { code = \"busy\", message = \"busy\", retry = true }) end"
    default: "if chain.context().id % 2 == 0 then error({}) end"
    }
  }

  // MARK: Calls

  private mutating func call(_ depth: Int) -> String {
    let need = plan.needs[Int(chance.below(UInt64(plan.needs.count)))]
    let key = name("k")
    var options = ""
    if shape.timeouts, chance.happens(perThousand: 200) { options = ", { timeout = \(Double(chance.within(1...40)) / 1000) }" }
    let open = "do local \(key) = key(self) "
    let common = "id = id, k = \(key), v = version, f = fuel // 8"
    switch plans[need.target].kind {
    case .plain: return open + "check(self.\(need.path)({ \(common) }\(options)), id, \(key)) end"
    case .writer: return open + read("self.\(need.path)({ \(common), n = \(chance.below(40)) }\(options))", key, depth) + " end"
    case .reader:
      let items = "for i = 1, \(chance.below(30)) do emit(item(\(key) * 1000 + i)) end"
      var stream = "chain.stream(function(emit) \(items) end)"
      if let other = plan.needs.first(where: { plans[$0.target].kind == .writer }), chance.happens(perThousand: 500) {
        stream = "self.\(other.path) { \(common), n = \(chance.below(40)) }"
      }
      if plan.kind == .reader, chance.happens(perThousand: 300) { stream = "req.xs" }
      return open + "local xs = \(stream) \(chance.happens(perThousand: 200) ? "xs() " : "")"
        + "check(self.\(need.path)({ \(common), xs = xs }\(options)), id, \(key)) end"
    }
  }

  private mutating func localStream(_ depth: Int) -> String {
    let key = name("k")
    let stream = "chain.stream(function(emit) for i = 1, \(chance.below(40)) do emit(item(\(key) * 1000 + i))\n\(block(depth: depth + 1))end return item(\(key)) end)"
    return "do local \(key) = key(self) " + read(stream, key, depth) + " end"
  }

  /// Reads a stream whose items are `key * 1000 + i`, in one of several ways.
  private mutating func read(_ stream: String, _ key: String, _ depth: Int) -> String {
    let inner = chance.happens(perThousand: 500) ? "" : block(depth: depth + 1)
    let stop = chance.happens(perThousand: 400) ? "if i == \(chance.within(1...20)) then break end " : ""
    let inOrder = "i = i + 1 if number(x) ~= \(key) * 1000 + i then bad(\"an item out of order\") end "
    let all = "local i = 0 for x in s do \(inOrder)\(stop)\(inner)end "
    switch chance.below(6) {
    case 0: return "local i = 0 for x in \(stream) do \(inOrder)\(stop)\(inner)end"
    case 1: return "local s <close> = \(stream) s() \(inner)s() s:close() s:close()"
    case 2: return "local s <close> = \(stream) s() \(inner)local r = number(s:result()) if r ~= nil and r ~= \(key) then bad(\"a result of another stream\") end"
    case 3: return "local s = \(stream) \(all)"
    case 4: // several readers
      return "local s = \(stream) chain.each(list(3), function() for x in s do if number(x) // 1000 ~= \(key) then bad(\"an item of another stream\") end \(inner)end end)"
    default: // one closes while another waits
      return "local s = \(stream) local t = chain.async(function() for _ in s do end end) \(inner)\(sleep()) s:close() t:await()"
    }
  }

  // MARK: At once

  private mutating func group(_ depth: Int) -> String {
    let isLarge = depth == 0 && chance.happens(perThousand: 150)
    let count = isLarge ? chance.within(33...80) : chance.within(0...(depth == 0 ? 6 : 3))
    let running = name("running")
    let kind = chance.below(5)
    let inner = isLarge ? few(kind < 3) : block(depth: depth + 1)
    let open = "\(inner)if \(running) then bad(\"an item outlives its group\") end "
    let after = "\(running) = true"
    let limit = chance.happens(perThousand: 400) ? ", { limit = \(chance.within(1...5)) }" : ""
    let raise = chance.happens(perThousand: 500) ? " if not ok then error(out, 0) end" : ""
    let begin = "do local \(running) = false local ok, out = pcall("
    switch kind {
    case 0:
      return begin + "chain.map, list(\(count)), function(x, i) \(open)return x * 2 end\(limit)) \(after)"
        + " if ok then for i = 1, \(count) do if out[i] ~= i * 2 then bad(\"map mixed its results\") end end end\(raise) end"
    case 1: return begin + "chain.each, list(\(count)), function(x) \(open)end\(limit)) \(after)\(raise) end"
    case 2:
      return begin + "chain.settle, list(\(count)), function(x) \(open)return x end\(limit)) \(after)"
        + " if #out ~= \(count) then bad(\"settle lost an entry\") end"
        + " for i, e in ipairs(out) do if e.ok and e.value ~= i or not e.ok and e.error == nil then bad(\"settle mixed its results\") end end end"
    case 3: return begin + "chain.all, { a = function() \(open)return 1 end, b = function() \(sleep()) return 2 end }) \(after)"
        + " if ok and (out.a ~= 1 or out.b ~= 2) then bad(\"all mixed its results\") end\(raise) end"
    default: return begin + "chain.race, { a = function() \(open)return \"a\" end, b = function() \(sleep()) return \"b\" end }) \(after)\(raise) end"
    }
  }

  /// What a large group may do at each item.
  private mutating func few(_ hasItems: Bool) -> String {
    let errors = hasItems && shape.errors && chance.happens(perThousand: 500) ? "if x == \(chance.within(1...80)) then error('boom', 0) end\n" : ""
    return errors + (chance.happens(perThousand: 700) ? "\(sleep())\n" : "")
  }

  private mutating func task(_ depth: Int) -> String {
    let task = name("task")
    let open = "do local k = key(self) local \(task) = chain.async(function()\n\(block(depth: depth + 1))return k end)\n\(block(depth: depth + 1))"
    let awaited = "local r = \(task):await() if r ~= k then bad(\"a value of another task\") end"
    switch chance.below(5) {
    case 0: return open + "\(task):cancel() end"
    case 1: return open + "end"
    case 2: return open + "chain.each(list(3), function() \(awaited) end) end"
    case 3: return open + "local other = chain.async(function() \(awaited) end) \(sleep()) \(task):cancel() pcall(other.await, other) end"
    default: return open + "\(awaited) end"
    }
  }

  private mutating func timeout(_ depth: Int) -> String {
    let inside = name("inside")
    let time = Double(chance.within(0...30)) / 1000
    return "do local \(inside) = true pcall(chain.timeout, \(time), function()\n\(block(depth: depth + 1))"
      + "if not \(inside) then bad(\"a function outlives its timeout\") end end) \(inside) = false end"
  }

  private mutating func locked(_ depth: Int) -> String {
    let early = chance.happens(perThousand: 200) ? " held:release()" : ""
    return "do local held <close> = lock(self) local mine = {} self.inside = mine\n\(block(depth: depth + 1))"
      + "if self.inside ~= mine then bad(\"two hold a mutex\") end\(early) end"
  }

  /// A variable whose end takes a while, waits, or starts something.
  private mutating func closing(_ depth: Int) -> String {
    let actions = [
      "spin(5)", "pcall(chain.sleep, 0.002)", "while spin(10) do if pcall(chain.sleep, 0.001) then break end end",
      "pcall(chain.async, function() while true do chain.sleep(0.001) end end)",
      "pcall(chain.stream, function(emit) while true do emit(1) end end)", "error('in the end', 0)",
    ]
    let few = shape.errors ? actions.count : actions.count - 1
    return "do local c <close> = closer(function() \(actions[Int(chance.below(UInt64(few)))]) end)\n\(block(depth: depth + 1))end"
  }
}
