-- error: resulting string too large
-- limits: memory = "64MB"
local big, t = ("x"):rep(1 << 20), {}
for i = 1, 40 do t[i] = big end
return #table.concat(t)
