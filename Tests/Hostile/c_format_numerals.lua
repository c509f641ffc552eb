-- ends: cpu_limit
-- limits: memory = "64MB"
local s, values = "0x" .. ("f"):rep(16000000), {}
for i = 1, 9000 do values[i] = s end
return #("%d"):rep(9000):format(table.unpack(values))
