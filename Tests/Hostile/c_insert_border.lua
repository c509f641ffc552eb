-- ends: cpu_limit
-- A plain table whose length is near 2^62.
local t = {}
for i = 0, 62 do t[1 << i] = 1 end
table.insert(t, 1, 0)
