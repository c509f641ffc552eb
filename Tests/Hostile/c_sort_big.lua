-- ends: cpu_limit
-- limits: memory = "64MB"
local t = {}
for i = 1, 1000000 do t[i] = (i * 7919) % 1000003 end
while true do table.sort(t) table.sort(t, math.ult) end
