-- ends: cpu_limit
-- limits: memory = "64MB"
local s, values = ("0"):rep(16000000) .. "1", {}
for i = 1, 9000 do values[i] = s end
return #string.char(table.unpack(values))
