-- ends: cpu_limit
-- limits: memory = "64MB"
local a = ("\0"):rep(16000000)
local b = a .. "x"
while true do local _ = a < b end
