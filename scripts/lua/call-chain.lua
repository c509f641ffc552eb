-- Chains of `__call` work up to 15 links, and the endless one is an error: Lua 5.4.8 runs for hours here.
local function chain(links)
  local callee = function(...) return select("#", ...) end
  for _ = 1, links do callee = setmetatable({}, { __call = callee }) end
  return callee
end

local endless = setmetatable({}, {})
getmetatable(endless).__call = endless

for _, call in ipairs {
  function(f) local arguments = f("a", "b"); return arguments end,
  function(f) return f("a", "b") end,                             -- a tail call
  function(f, ...) return f("a", "b") end,                        -- the same from a function of variable arguments
  function(f) return coroutine.wrap(function() return f("a", "b") end)() end,
} do
  assert(call(chain(15)) == 17)
  for _, callee in ipairs { chain(16), chain(200), endless } do
    local ok, message = pcall(call, callee)
    assert(not ok and message:find("'__call' chain too long", 1, true), message)
  end
end
local ok, message = pcall(endless)
assert(not ok and message:find("'__call' chain too long", 1, true), message)
