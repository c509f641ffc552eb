-- error: too many coroutines
-- limits: memory = "64MB", coroutines = 1000
local t = {}
while true do t[#t + 1] = coroutine.wrap(function() coroutine.yield() end) t[#t]() end
