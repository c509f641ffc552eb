-- ends: cpu_limit
local t = {}
for i = 0, 62 do t[1 << i] = 1 end
t[5], t[9] = 1, 1
table.remove(t, 1)
