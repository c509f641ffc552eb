-- ends: cpu_limit
-- limits: memory = "64MB"
local s = ("9"):rep(4000000)
while true do tonumber(s, 10) tonumber(s) end
