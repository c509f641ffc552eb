-- ends: cpu_limit
local t = {}
for i = 0, 62 do t[1 << i] = 1 end
table.remove(t, 1)
