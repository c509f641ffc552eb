-- ends: cpu_limit
-- A plain table whose length is near 2^62.
local t = {}
for i = 0, 62 do t[1 << i] = 1 end
t[5], t[9] = 1, 1
table.insert(t, 1, 0)
