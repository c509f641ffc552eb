-- ends: cpu_limit
-- limits: memory = "64MB"
local a, b, list = ("x"):rep(15000000) .. "a", ("x"):rep(15000000) .. "b", {}
for i = 1, 5000 do list[i] = i % 2 == 0 and a or b end
table.sort(list)
