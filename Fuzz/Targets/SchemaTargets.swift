/// JSON text against a type: what is read can be written, read again, and crosses to another state; each time it is the same.
func fuzzJSON(_ bytes: [UInt8]) throws {
  let (type, json) = RandomType.read(from: bytes)
  let states = try TwoStates(type)
  guard try states.read(json, into: 0) else { return }
  // Base64 may be longer than what it stands for, so a value at the limit can be readable and not writable.
  guard let first = try states.write(0) else { return }
  guard try states.cross() else { throw Finding("\(type) was read and does not cross: \(text(first))") }
  guard let crossed = try states.write(1), crossed == first else { throw Finding("\(type) is another one after crossing: \(text(first))") }
  guard try states.read(first, into: 1) else { throw Finding("\(type) was written and cannot be read: \(text(first))") }
  guard let second = try states.write(1), second == first else { throw Finding("\(type) is another one after a round: \(text(first))") }
}

/// Any Lua value against a type: what crosses is the same on the other side, and what can be written crosses.
func fuzzCopy(_ bytes: [UInt8]) throws {
  let (type, rest) = RandomType.read(from: bytes)
  let states = try TwoStates(type)
  guard try states.make(builder, from: rest, in: 0) else { return }
  let here = try states.write(0)
  guard try states.cross() else { return }
  // An input may hold what an output may not (the two kinds of zero apart, JSON can say less than Lua).
  guard let here else { return }
  guard let there = try states.write(1), there == here else { throw Finding("\(type) is another one after crossing: \(text(here))") }
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// Reads bytes as instructions that build a value on a stack.
private let builder = #"""
  local bytes = ...
  local stack, n, at = {}, 0, 1
  local function push(value) n = n + 1 stack[n] = value end
  local function pop() local value = stack[n] if n > 0 then stack[n] = nil n = n - 1 end return value end
  local function byte() at = at + 1 return bytes:byte(at - 1) or 0 end
  local build = {
    function() push(nil) end,
    function() push(byte() % 2 == 0) end,
    function() push(byte() - 128) end,
    function() push((byte() - 128) / 4) end,
    function() local size = byte() % 48 push(bytes:sub(at, at + size - 1)) at = at + size end,
    function() push({}) end,
    function() local value, t = pop(), stack[n] if type(t) == "table" then t[#t + 1] = value end end,
    function() local value, key, t = pop(), pop(), stack[n] if type(t) == "table" and key ~= nil and key == key then t[key] = value end end,
    function() push(({ "a", "b", "c", "é", "0", "t", "x", "a name that is longer than forty bytes, as short ones are" })[byte() % 8 + 1]) end,
    function() push(stack[n]) end,
    function() local value, t = pop(), stack[n] if type(t) == "table" then for i = 1, byte() do t[i] = value end end end,
    function() local t = stack[n] if type(t) == "table" and not getmetatable(t) then setmetatable(t, { __index = pop, __len = byte, __pairs = push }) end end,
    function() push(({ math.huge, -math.huge, 0/0, math.maxinteger, math.mininteger, 2^53, -0.0, 1e308 })[byte() % 8 + 1]) end,
    function() push(push) end,
    function() push(coroutine.create(push)) end,
    function() push(("x"):rep(byte() * 16)) end,
  }
  while at <= #bytes do build[byte() % #build + 1]() end
  return stack[n]
  """#
