-- ends: cpu_limit
-- limits: memory = "64MB"
-- Lua closes the variables of all frames at once, and each is closed by a function in C: no instruction is in between.
local big = {}
for i = 1, 20000 do big[i] = i end
local mt = { __close = require("json").encode }
local function deeper(n)
  local _ <close> = setmetatable({ big }, mt)
  if n == 0 then error("back") end
  deeper(n - 1)
  return n
end
pcall(deeper, 20000)
