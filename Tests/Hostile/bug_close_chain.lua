-- returns: "ok"
-- limits: memory = "64MB"
-- D2: a chain of coroutines that close one another; without coroutine.close only by <close> variables.
local function chain_of(n)
  if n == 0 then return end
  local co = coroutine.wrap(function() local x <close> = setmetatable({}, { __close = function() chain_of(n - 1) end }) end)
  co()
end
pcall(chain_of, 100000)
return "ok"
