-- error: resulting string too large
-- limits: memory = "64MB"
local s, values = ("0"):rep(16000000) .. "1", {}
for i = 1, 9000 do values[i] = s end
return #string.pack(("b"):rep(9000), table.unpack(values))
