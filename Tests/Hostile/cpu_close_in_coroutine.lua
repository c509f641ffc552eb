-- ends: cpu_limit
local co = coroutine.wrap(function()
  local guard <close> = setmetatable({}, { __close = function() while true do pcall(function() while true do end end) end end })
  while true do end
end)
while true do pcall(co) end
