-- ends: memory_limit
-- limits: cpu = 10, memory = "4MB"
-- The metatable becomes weak after it was set; its __newindex dies in an emergency collection of Lua 5.4.4.
local kept = {}
while true do
  local mt = {}
  local t = setmetatable({}, mt)
  mt.__mode = "v"
  mt.__newindex = {}
  pcall(function() for i = 1, 100 do t[i] = {} kept[#kept + 1] = { i } end end)
end
