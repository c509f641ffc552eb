-- error: too long to cut or pad
-- limits: memory = "64MB"
-- Each item measures the whole string for one byte of it.
local s, values = ("x"):rep(16000000), {}
for i = 1, 9000 do values[i] = s end
return #("%.1s"):rep(9000):format(table.unpack(values))
