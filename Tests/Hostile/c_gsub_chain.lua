-- ends: cpu_limit
-- limits: memory = "64MB"
local p = {}
for _ = 1, 1990 do p = setmetatable({}, { __index = p }) end
while true do local _ = ("x"):rep(1000000):gsub(".", p) end
