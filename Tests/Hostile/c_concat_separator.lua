-- error: resulting string too large
-- limits: memory = "64MB"
local t = {}
for i = 1, 40 do t[i] = "" end
return #table.concat(t, ("x"):rep(1 << 20))
