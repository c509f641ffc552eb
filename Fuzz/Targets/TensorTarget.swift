import ChainHost
import LuaBridge

/// Functions of the module `tensor`, one after the other, with any arguments: each gives something or says what is wrong,
/// and what it gives is a sound tensor.
func fuzzTensor(_ bytes: [UInt8]) throws {
  let problem = try TensorScript.run(Array(bytes.prefix(192)), TensorScript.calls)
  if !problem.isEmpty { throw Finding(problem) }
}

/// Each function with each unusual value in each place of its arguments, on tensors of several shapes.
package func tryEveryTensorFunction() throws {
  let problem = try TensorScript.run([], TensorScript.each)
  if !problem.isEmpty { throw Finding(problem) }
}

/// What the two have in common.
private enum TensorScript {
  /// - Returns: what is wrong, or nothing.
  static func run(_ bytes: [UInt8], _ chunk: String) throws -> String {
    let state = try LuaState(memoryLimit: 4 << 20, seed: 1)
    try state.hostSection { stack throws(LuaError) in
      stack.pushRealGlobals()
      bytes.withUnsafeBytes { stack.push(bytes: $0) }
      stack.rawSet(-2, field: "bytes")
      _ = BuiltInModule.push("tensor", onto: stack, of: state)
      stack.rawSet(-2, field: "tensor")
      stack.pop()
    }
    do throws(LuaError) { return try state.run(common + chunk) } catch {
      if error.kind == .memory { return "" }
      throw error
    }
  }

  private static let common = #"""
    local names = {}
    for name in pairs(tensor) do names[#names + 1] = name end
    table.sort(names)
    local numbers = {
      0, 1, -1, 2, 3, 4, -2, 17, 255, -128, 65, 1 << 20, 1 << 31, (1 << 31) - 1, 1 << 32, 1 << 40, 1 << 61, math.maxinteger,
      math.mininteger, math.mininteger + 1, 0.5, -0.5, 3.0, 2.0 ^ 53, 2.0 ^ 63, -2.0 ^ 63, 1e300, -1e300, 1e308, -1e308, 5e-324,
      0 / 0, 1 / 0, -1 / 0,
    }
    local types = {
      "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool", "flaot",
    }
    local function some()
      return {
        tensor.ones { 2, 3 }, tensor.range(1, 6, 1, "int8"):reshape(3, 2):transpose(), tensor.new(7), tensor.zeros { 0 },
        tensor.zeros { 3, 0, 2 }, tensor.zeros { 1 << 31, 0 }, tensor.ones({ 1 }):broadcast { 3, 4 }, tensor.new { true, false, true },
        tensor.range(1, 24, 1, "float16"):reshape(2, 3, 4):slice(1, -1, 3, 2), tensor.zeros({ 1 }, "uint64"):broadcast { 1 << 18 },
        tensor.ones({ 1 }, "int8"):broadcast(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), tensor.new { 0 / 0, 1 / 0, -1 / 0, 1 },
      }
    end
    local operators = {
      function(a, b) return a + b end, function(a, b) return a - b end, function(a, b) return a * b end,
      function(a, b) return a / b end, function(a, b) return a ^ b end, function(a, b) return a == b end,
      function(a) return -a end, function(a) return #a end, function(a, b) return a[b] end, function(a) return tostring(a) end,
    }
    -- What is wrong with a value, or nil.
    local function unsound(x)
      if not tensor.is(x) then return end
      local count = 1
      for _, size in ipairs(x.shape) do count = count * size end
      if count ~= x.count or x.count < 0 then return tostring(x) .. " has a count of " .. x.count end
      if x.count > 100 then return end
      local sum = 0
      local function add(part)
        if type(part) ~= "table" then sum = sum + 1 else for _, inner in ipairs(part) do add(inner) end end
      end
      add(x:table())
      if sum ~= x.count then return tostring(x) .. " gives " .. sum .. " elements" end
    end

    """#

  static let calls = #"""
    local at = 0
    local function byte() at = at + 1 return bytes:byte(at) or 0 end
    local tensors = some()
    local function value(depth)
      local kind = byte() % 10
      if kind < 3 then return numbers[byte() % #numbers + 1] end
      if kind < 5 then return tensors[byte() % #tensors + 1] end
      if kind == 5 then return types[byte() % #types + 1] end
      if kind == 6 then return byte() % 2 == 0 end
      if kind == 7 then return nil end
      if kind == 8 then
        local size = byte() % 24
        at = at + size
        return bytes:sub(at - size + 1, at)
      end
      local list = {}
      if depth < 4 then
        for i = 1, byte() % 5 do list[i] = value(depth + 1) end
        if byte() % 4 == 0 then
          for _, option in ipairs { "temperature", "top_k", "top_p", "seed" } do
            if byte() % 2 == 0 then list[option] = value(4) end
          end
        end
      end
      return list
    end
    for _ = 1, 12 do
      if at >= #bytes then return "" end
      local which = byte()
      local body = which < 224 and tensor[names[which % #names + 1]] or operators[which % #operators + 1]
      local arguments, count = {}, byte() % 6
      for i = 1, count do arguments[i] = value(1) end
      local results = table.pack(pcall(body, table.unpack(arguments, 1, count)))
      for i = 2, results.n do
        local problem = unsound(results[i])
        if problem then return problem end
        if tensor.is(results[i]) then tensors[#tensors + 1] = results[i] end
      end
    end
    return ""
    """#

  static let each = #"""
    local values = {}
    for _, number in ipairs(numbers) do
      values[#values + 1] = number
      values[#values + 1] = { number }
      values[#values + 1] = { number, 1 }
    end
    for _, x in ipairs(some()) do values[#values + 1] = x values[#values + 1] = { x, x, x } end
    local function try(body, ...)
      local results = table.pack(pcall(body, ...))
      for i = 2, results.n do
        local problem = unsound(results[i])
        if problem then return problem end
      end
    end
    local bodies = { table.unpack(operators) }
    for _, name in ipairs(names) do bodies[#bodies + 1] = tensor[name] end
    for _, body in ipairs(bodies) do
      for _, value in ipairs(values) do
        local problem = try(body, value)
        if problem then return problem end
      end
      for _, x in ipairs(some()) do
        for _, value in ipairs(values) do
          local problem = try(body, x, value) or try(body, value, x) or try(body, x, 1, value) or try(body, x, 1, -1, value)
            or try(body, x, 1, -1, 1, value)
          if problem then return problem end
        end
      end
    end
    return ""
    """#
}
