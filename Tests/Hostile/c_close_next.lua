-- ends: cpu_limit
-- limits: memory = "64MB"
local emptied = {}
for i = 1, 500000 do emptied[i] = i end
for i = 1, 500000 do emptied[i] = nil end
setmetatable(emptied, { __close = next })
local function deeper(n)
  local _ <close> = emptied
  if n == 0 then error(nil) end
  deeper(n - 1)
  return n
end
pcall(deeper, 8000)
