-- ends: cpu_limit
-- limits: memory = "64MB"
local a, b, values = ("x"):rep(15000000) .. "a", ("x"):rep(15000000) .. "b", {}
for i = 1, 9000 do values[i] = i % 2 == 0 and a or b end
return #math.max(table.unpack(values))
