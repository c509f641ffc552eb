-- ends: output_limit
-- limits: memory = "64MB"
local t = {}
for i = 1, 300000 do t[i] = i end
return t
