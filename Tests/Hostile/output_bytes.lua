-- ends: output_limit
-- limits: memory = "64MB"
local t = {}
for i = 1, 30 do t[i] = ("x"):rep(1000000) end
return t
